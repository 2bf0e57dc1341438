"""Which errors are the network's or the provider's, and which are the code's."""

from __future__ import annotations

import socket
import subprocess
import sys
import urllib.error
from email.message import Message

import httpx
import openai
import pytest

from evalkit.errors import ModelRefused, ModelUnavailable, StoreError
from evalkit.outages import is_outage

ASKED = httpx.Request("POST", "http://provider.invalid/v1")


def status(code: int) -> Exception:
    return httpx.HTTPStatusError("no", request=ASKED, response=httpx.Response(code, request=ASKED))


def raised_from(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error


def while_handling(error: BaseException, other: BaseException) -> BaseException:
    error.__context__ = other
    return error


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError("reset"),
        ConnectionRefusedError("refused"),
        TimeoutError("late"),
        socket.gaierror(-2, "unknown host"),
        httpx.ConnectError("no", request=ASKED),
        httpx.ReadTimeout("no", request=ASKED),
        status(408),
        status(429),
        status(500),
        status(503),
        openai.APIConnectionError(request=ASKED),
        openai.RateLimitError("slow down", response=httpx.Response(429, request=ASKED), body=None),
        urllib.error.URLError(ConnectionRefusedError("refused")),
        urllib.error.HTTPError("http://provider.invalid", 502, "bad", Message(), None),
        ModelUnavailable("no answer"),
        raised_from(RuntimeError("my client failed"), ConnectionResetError("reset")),
    ],
    ids=lambda error: f"{type(error).__name__}-{error}"[:40],
)
def test_a_service_that_is_away_may_be_back(error):
    assert is_outage(error)


@pytest.mark.parametrize(
    "error",
    [
        AssertionError("wrong"),
        raised_from(AssertionError("wrong"), ConnectionResetError("reset")),
        while_handling(ValueError("a mistake"), ConnectionResetError("reset")),
        ValueError("a mistake"),
        KeyError("name"),
        FileNotFoundError("prompt.txt"),
        PermissionError("secret"),
        status(400),
        status(401),
        status(404),
        openai.BadRequestError("no", response=httpx.Response(400, request=ASKED), body=None),
        urllib.error.HTTPError("http://provider.invalid", 404, "none", Message(), None),
        ModelRefused("filtered"),
        StoreError("full"),
        subprocess.CalledProcessError(1, "false"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no"),
    ],
    ids=lambda error: f"{type(error).__name__}-{error}"[:40],
)
def test_a_mistake_stays_one_however_often_it_is_tried(error):
    assert not is_outage(error)


def test_a_chain_that_goes_in_circles_ends():
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    assert not is_outage(first)


def test_nothing_is_imported_to_tell():
    code = "import sys; from evalkit.outages import is_outage; is_outage(ValueError()); print('httpx' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
