"""Embeddings; the vectors themselves are not kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evalkit.tracing import names
from evalkit.tracing.call import CallResult
from evalkit.tracing.dialects import fields


def request_attributes(request: Mapping[str, Any]) -> dict[str, Any]:
    """What is asked for beside the texts."""
    found: dict[str, Any] = {}
    dimensions = fields.whole(request.get("dimensions"))
    if dimensions is not None:
        found["gen_ai.embeddings.dimension.count"] = dimensions
    if fields.text(request.get("encoding_format")):
        found["gen_ai.request.encoding_formats"] = [request["encoding_format"]]
    return found


def request_content(request: Mapping[str, Any]) -> dict[str, Any]:
    """The texts."""
    given = request.get("input")
    texts = [given] if isinstance(given, str) else given if isinstance(given, list) else []
    parts = [{"type": "text", "content": text} for text in texts if isinstance(text, str)]
    return {names.INPUT_MESSAGES: [{"role": "user", "parts": parts}]} if parts else {}


def result(answer: Mapping[str, Any], *, status: int, complete: bool, error: str | None) -> CallResult:
    """What an answer says. An embedding model writes nothing, so its output tokens are 0."""
    usage, more = fields.usage(
        answer.get("usage"), input_name="prompt_tokens", output_name=None, details="prompt_tokens_details"
    )
    model = fields.text(answer.get("model"))
    attributes = {names.RESPONSE_MODEL: model} if model is not None else {}
    return CallResult(
        status=status, model=model, usage=usage, complete=complete, error=error, attributes=attributes | more
    )


def joined(events: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any] | None, bool]:
    """Embeddings are not streamed."""
    return (events[-1], True) if events else (None, False)
