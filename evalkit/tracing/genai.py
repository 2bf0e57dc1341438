"""What a request to a model and its answer say, as canonical attributes: pure functions of a URL and of text.

The interface is known by the end of the URL's path, so that Azure and compatible servers are understood too.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import urlsplit

from evalkit.tracing import names
from evalkit.tracing.call import Api, CallInfo, CallResult
from evalkit.tracing.dialects import chat, embeddings, responses
from evalkit.tracing.dialects.sse import events

_PATHS: tuple[tuple[str, Api], ...] = (
    ("/chat/completions", "chat"),
    ("/responses", "responses"),
    ("/embeddings", "embeddings"),
)
_HOSTS = (
    (".openai.azure.com", "azure.ai.openai"),
    (".cognitiveservices.azure.com", "azure.ai.openai"),
    (".services.ai.azure.com", "azure.ai.inference"),
    ("openai.com", "openai"),
    ("anthropic.com", "anthropic"),
    ("googleapis.com", "gcp.gemini"),
    ("mistral.ai", "mistral_ai"),
    ("groq.com", "groq"),
    ("deepseek.com", "deepseek"),
    ("x.ai", "x_ai"),
    ("perplexity.ai", "perplexity"),
    ("cohere.com", "cohere"),
    ("cohere.ai", "cohere"),
    ("openrouter.ai", "openrouter"),
    ("together.xyz", "together"),
    ("fireworks.ai", "fireworks"),
)


class _Dialect(Protocol):
    def request_attributes(self, request: Mapping[str, Any]) -> dict[str, Any]: ...
    def request_content(self, request: Mapping[str, Any]) -> dict[str, Any]: ...
    def joined(self, events: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any] | None, bool]: ...
    def result(self, answer: Mapping[str, Any], *, status: int, complete: bool, error: str | None) -> CallResult: ...


_DIALECTS: dict[Api, _Dialect] = {"chat": chat, "responses": responses, "embeddings": embeddings}
_OPERATIONS = {"chat": "chat", "responses": "chat", "embeddings": "embeddings"}


def describe_request(url: str, body: bytes | str | Mapping[str, Any] | None) -> CallInfo | None:
    """The call to a model that a POST of `body` to `url` is; `None` where it is none that is known.

    `body` is JSON, as bytes or text, or already read. `url` has nothing secret in what is kept of it: the host alone.
    """
    where = _where(url)
    if where is None:
        return None
    request = body if isinstance(body, Mapping) else _json(body)
    if not isinstance(request, Mapping):
        return None
    api, provider, deployment, server = where
    dialect = _DIALECTS[api]
    named = request.get("model")
    model = named if isinstance(named, str) else deployment
    attributes: dict[str, Any] = {names.OPERATION: _OPERATIONS[api], names.PROVIDER: provider}
    if model:
        attributes[names.REQUEST_MODEL] = model
    attributes |= server
    attributes |= dialect.request_attributes(request)
    return CallInfo(
        api=api,
        name=f"{_OPERATIONS[api]} {model}" if model else _OPERATIONS[api],
        model=model,
        provider=provider,
        stream=request.get("stream") is True,
        attributes=attributes,
        content=dialect.request_content(request),
    )


def describe_http(method: str, url: str) -> CallInfo:
    """A call to something that is no model, as far as its URL says; its query, where secrets may be, is left out."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    attributes = {names.METHOD: method.upper(), names.URL: f"{parts.scheme}://{host}{parts.path}"}
    return CallInfo(
        api="http",
        name=f"{method.upper()} {parts.hostname or ''}{parts.path}",
        attributes=attributes | _server(parts.hostname, parts.port),
    )


def describe_response(call: CallInfo, *, status: int, body: bytes | str, complete: bool = True) -> CallResult:
    """What came back. `body` is the whole of it: JSON, or the text of a stream of server-sent events.

    `complete` is `False` where it is known that more was to come. An answer that cannot be read has neither model nor
    usage, which is not an error of the call.
    """
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    if not call.is_model:
        return CallResult(status=status, complete=complete, error=f"HTTP {status}" if status >= 400 else None)
    dialect = _DIALECTS[call.api]
    if status < 400 and text.lstrip()[:1] not in ("{", "["):
        read = events(text)
        answer, ended = dialect.joined(read.data)
        complete = complete and (ended or read.done)
    else:
        answer = _json(text)
    if not isinstance(answer, Mapping):
        return CallResult(status=status, complete=complete, error=_error(status, None))
    error = _error(status, answer.get("error"))
    if status >= 400:
        return CallResult(status=status, complete=complete, error=error, attributes=_error_type(status, answer))
    return dialect.result(answer, status=status, complete=complete, error=error)


@functools.lru_cache(maxsize=256)
def _where(url: str) -> tuple[Api, str, str | None, Mapping[str, Any]] | None:
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    api = next((api for suffix, api in _PATHS if path.endswith(suffix)), None)
    if api is None:
        return None
    return api, _provider(parts.hostname), _deployment(path), _server(parts.hostname, parts.port)


def _json(body: bytes | str | None) -> Any:
    if not body:
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _deployment(path: str) -> str | None:
    # Azure names what it calls a deployment in the path.
    head, found, rest = path.partition("/deployments/")
    return rest.partition("/")[0] or None if found and head is not None else None


def provider_of(host: str | None) -> str | None:
    """Who answers at `host`, `None` where that is not known: anybody may serve models under the names of others."""
    for suffix, provider in _HOSTS:
        if host and (host == suffix or host.endswith("." + suffix.lstrip("."))):
            return provider
    return None


def _provider(host: str | None) -> str:
    # The conventions call an API after whom it is compatible with, where the host does not tell.
    return provider_of(host) or "openai"


def _server(host: str | None, port: int | None) -> dict[str, Any]:
    given = {names.SERVER: host, names.PORT: port}
    return {name: value for name, value in given.items() if value is not None}


def _error(status: int, error: Any) -> str | None:
    if isinstance(error, Mapping):
        said = error.get("message") or error.get("code") or error.get("type") or "error"
        return f"HTTP {status}: {said}" if status >= 400 else str(said)
    if isinstance(error, str) and error:
        return f"HTTP {status}: {error}" if status >= 400 else error
    return f"HTTP {status}" if status >= 400 else None


def _error_type(status: int, answer: Mapping[str, Any]) -> dict[str, Any]:
    error = answer.get("error")
    kind = error.get("code") or error.get("type") if isinstance(error, Mapping) else None
    return {names.ERROR_TYPE: str(kind or status)}
