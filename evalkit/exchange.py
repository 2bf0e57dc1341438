"""An exchange is one recorded HTTP call: what was asked, and what came back."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Literal

from evalkit.canonical import digest

BodyEncoding = Literal["text", "base64"]
"""How the bytes of an answer stand in `Exchange.body`: as UTF-8 text, or as base64 where they are no text."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One recorded exchange over HTTP, as it is kept: nothing in it is a header or a credential.

    `key` is `exchange_key(...)` of `method`, `url`, `request`, `trial` and `occurrence`. `url` has no user, no
    password and no secret in its query. `request` is canonical JSON where the body was JSON, else its text, else
    (bytes that are no text) a JSON object with their digest; empty where there was no body. `trial` is the number of
    the trial it was made in, `occurrence` counts the identical requests of one trial, from 1. `body` is the answer
    without any content encoding, in the way `encoding` says. `stream` says that it came as server-sent events (or
    lines) and is to be given back so. `duration` is in seconds, from sending the request to the end of the answer.
    `model` is the model that was asked for, `None` where the request names none. `suite` and `case_id` are what it was
    first recorded for, and are no part of the key.
    """

    key: str
    method: str
    url: str
    request: str = ""
    trial: int = 1
    occurrence: int = 1
    status: int = 200
    content_type: str = ""
    stream: bool = False
    body: str = ""
    encoding: BodyEncoding = "text"
    recorded_at: dt.datetime
    duration: float = 0.0
    model: str | None = None
    suite: str = ""
    case_id: str = ""


def exchange_key(*, method: str, url: str, request: str, trial: int, occurrence: int = 1) -> str:
    """The SHA-256 (64 hex digits) by which an exchange is found again.

    Repeats are never answered from one exchange: `trial` is in it, and so is the how-manieth identical request of its
    trial this is.
    """
    return digest({"method": method, "url": url, "request": request, "trial": trial, "occurrence": occurrence})
