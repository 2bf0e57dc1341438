"""What the two kinds of model, `Model` and `AsyncModel`, have in common: everything but the waiting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from evalkit.calling import Limits
from evalkit.models import clients
from evalkit.models.border import spec_of
from evalkit.models.keys import KeyReference
from evalkit.models.request import (
    Messages,
    Request,
    chat_request,
    embeddings_request,
    responses_request,
)
from evalkit.models.spec import ATTEMPTS, TIMEOUT, Spec
from evalkit.tracing.scope import current
from evalkit.versions import Version

if TYPE_CHECKING:
    from pydantic import BaseModel


class Configured:
    """A named configuration of a model, which can be asked.

    `name` is what the project calls it, `model` the id that the provider knows, by default the name. `base_url` is
    OpenAI's unless given, and may be `{"env": NAME}`; `provider` says whose prices hold where the host does not tell.
    `parameters` go with every call, such as `{"temperature": 0}`. `api_key` is `{"env": NAME}` or `{"file": PATH}`,
    never the key itself; OpenAI's own default is `OPENAI_API_KEY`. `limits` are `concurrency`, `rpm` and `tpm`.
    `timeout` is how many seconds a call may take with all its attempts, `attempt_timeout` one of them (by default half
    of that), `attempts` how many there are at most. `price` is in US dollars per million tokens: `input`, `output`,
    `cached`.

    Raises `ConfigError` for what cannot be meant.
    """

    __slots__ = ("spec", "version")

    def __init__(
        self,
        name: str,
        *,
        model: str | None = None,
        provider: str | None = None,
        base_url: str | Mapping[str, str] | None = None,
        parameters: Mapping[str, Any] | None = None,
        response_format: Mapping[str, Any] | None = None,
        api_key: KeyReference | Mapping[str, str] | None = None,
        limits: Limits | Mapping[str, int] | None = None,
        timeout: float = TIMEOUT,
        attempt_timeout: float | None = None,
        attempts: int = ATTEMPTS,
        price: Mapping[str, Any] | None = None,
    ) -> None:
        if isinstance(limits, Limits):
            limits = {
                key: value for key in ("concurrency", "rpm", "tpm") if (value := getattr(limits, key)) is not None
            }
        given = {
            "model": model,
            "provider": provider,
            "base_url": dict(base_url) if isinstance(base_url, Mapping) else base_url,
            "parameters": None if parameters is None else dict(parameters),
            "response_format": None if response_format is None else dict(response_format),
            "api_key": api_key,
            "limits": None if limits is None else dict(limits),
            "timeout": timeout,
            "attempt_timeout": attempt_timeout,
            "attempts": attempts,
            "price": None if price is None else dict(price),
        }
        spec = spec_of(
            name, {key: value for key, value in given.items() if value is not None}, where=lambda *_: f"model {name}"
        )
        self._hold(spec)

    @classmethod
    def of(cls, spec: Spec) -> Self:
        """The model of a configuration that was read from a file."""
        made = cls.__new__(cls)
        made._hold(spec)
        return made

    def _hold(self, spec: Spec) -> None:
        self.spec = spec
        self.version: Version = spec.version
        clients.expect()

    @property
    def name(self) -> str:
        """What the project calls it."""
        return self.spec.name

    def check(self, *, replay: bool = False) -> None:
        """See that it can be asked at all. Raises `ConfigError` for a key or a base URL that is missing.

        In a `replay` nothing is asked, and no key is needed.
        """
        _ = self.spec.url
        if self.spec.api_key is not None and not replay:
            self.spec.api_key.require(self.spec.name)

    def __repr__(self) -> str:
        spec = self.spec
        key = f", api_key={spec.api_key}" if spec.api_key is not None else ""
        return f"{type(self).__name__}({spec.name!r}, {spec.shown}{key}, {self.version.label})"

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and isinstance(other, Configured) and other.spec == self.spec

    def __hash__(self) -> int:
        return hash((self.spec.name, self.version.digest))

    def _used(self) -> None:
        scope = current()
        if scope is not None:
            scope.use(self.version)

    def _begin(self, schema: type[BaseModel] | None, stream: bool) -> None:
        if stream and schema is not None:
            raise TypeError("an instance comes in one piece: use schema= or stream=True, not both")
        self._used()

    def _chat(
        self,
        given: Messages,
        schema: type[BaseModel] | None,
        tools: Sequence[Mapping[str, Any]] | None,
        stream: bool,
        overrides: Mapping[str, Any],
    ) -> Request:
        self._begin(schema, stream)
        return chat_request(self.spec, given, schema=schema, tools=tools, stream=stream, overrides=overrides)

    def _responses(
        self,
        given: Messages,
        schema: type[BaseModel] | None,
        tools: Sequence[Mapping[str, Any]] | None,
        stream: bool,
        overrides: Mapping[str, Any],
    ) -> Request:
        self._begin(schema, stream)
        return responses_request(self.spec, given, schema=schema, tools=tools, overrides=overrides)

    def _embed(self, texts: Sequence[str], overrides: Mapping[str, Any]) -> Request:
        self._used()
        return embeddings_request(self.spec, texts, overrides=overrides)
