"""What is known of one call over HTTP: when it is asked, and when it is answered."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

from evalkit.usage import Usage

Api = Literal["chat", "responses", "embeddings", "http"]
"""Which interface was called: chat completions, responses, embeddings, or something that is no call to a model."""

_NONE: Mapping[str, Any] = MappingProxyType({})


def _nothing() -> Mapping[str, Any]:
    return _NONE


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CallInfo:
    """A call that is about to be made.

    `name` is that of its span. `model` is the one asked for and `provider` who answers, as far as the host says;
    both are `None` for a call that is not to a model. `stream` says that a stream was asked for. `attributes` are the
    canonical ones, `content` those of them that hold what people wrote.
    """

    api: Api
    name: str
    model: str | None = None
    provider: str | None = None
    stream: bool = False
    attributes: Mapping[str, Any] = dataclasses.field(default_factory=_nothing)
    content: Mapping[str, Any] = dataclasses.field(default_factory=_nothing)

    @property
    def is_model(self) -> bool:
        """Whether a model is called, so that tokens and money are to be counted."""
        return self.api != "http"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CallResult:
    """What came back.

    `model` is the one that says it answered, `usage` its token counts (without a cost), `None` where the answer has
    none. `finish_reasons` has one for each choice. `complete` is `False` for a stream that broke off, or was left
    before its end. `error` is what the server said was wrong, `None` where nothing was.
    """

    status: int
    model: str | None = None
    usage: Usage | None = None
    finish_reasons: tuple[str, ...] = ()
    fingerprint: str | None = None
    complete: bool = True
    error: str | None = None
    attributes: Mapping[str, Any] = dataclasses.field(default_factory=_nothing)
    content: Mapping[str, Any] = dataclasses.field(default_factory=_nothing)
