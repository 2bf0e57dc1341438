"""What is asked of a model: the body of the call, made of its configuration, the prompt and what the caller says."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from evalkit.errors import AnswerInvalid, ConfigError
from evalkit.models.schema import chat_format, responses_format
from evalkit.models.spec import Spec

if TYPE_CHECKING:
    from pydantic import BaseModel

    from evalkit.models.reply import Reply

Interface = Literal["chat", "responses", "embeddings"]
_NOT_HERE = frozenset({"messages", "input", "model", "extra_body", "extra_headers", "extra_query", "n"})


@runtime_checkable
class Rendered(Protocol):
    """A prompt with its variables filled in; `Prompt.render` gives one.

    It may also have `tools`, `response_format` and `settings` (parameters of the call).
    """

    @property
    def messages(self) -> Sequence[Mapping[str, Any]]:
        """The messages of a chat, `role` and `content` each."""
        ...


Messages = str | Sequence[Mapping[str, Any]] | Rendered
"""What a model is asked: a text, which becomes the user's one message, messages, or a rendered prompt."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call, ready to be sent: which interface, and the body as it goes out."""

    interface: Interface
    body: Mapping[str, Any]
    schema: type[BaseModel] | None = None

    @property
    def path(self) -> str:
        """Where it is posted to, below the base URL."""
        return _PATHS[self.interface]

    def stream(self, timeout: float) -> dict[str, Any]:
        """The arguments of the client's method that opens a stream.

        Nearly all is in `extra_body`, which goes out as it is; the rest is what the method insists on.
        """
        needed = {"messages": ()} if self.interface == "chat" else {}
        extra = {name: value for name, value in self.body.items() if name != "model"}
        return {"model": self.body["model"], "stream": True, "extra_body": extra, "timeout": timeout, **needed}


_PATHS: Mapping[Interface, str] = {
    "chat": "/chat/completions", "responses": "/responses", "embeddings": "/embeddings",
}  # fmt: skip


def messages_of(given: Messages) -> list[dict[str, Any]]:
    """The messages that `given` is. Raises `TypeError` for what is none of the three."""
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    messages = given.messages if isinstance(given, Rendered) else given
    if isinstance(messages, Mapping) or not isinstance(messages, Sequence):
        raise TypeError(f"messages are a text, a list of dicts or a rendered prompt, not {type(given).__name__}")
    for message in messages:
        if not isinstance(message, Mapping):
            raise TypeError(f"a message is a dict with role and content, not {type(message).__name__}")
    return [dict(message) for message in messages]


def chat_request(
    spec: Spec,
    given: Messages,
    *,
    schema: type[BaseModel] | None,
    tools: Sequence[Mapping[str, Any]] | None,
    stream: bool,
    overrides: Mapping[str, Any],
) -> Request:
    """A call of `/chat/completions`. What the caller says wins over the prompt, and the prompt over the model."""
    extra = _parameters(spec, given, overrides)
    form = chat_format(schema) if schema else _format(spec, given)
    if form is not None:
        extra.setdefault("response_format", form)
    wanted = _tools(given) if tools is None else tools
    if wanted:
        extra["tools"] = [dict(tool) for tool in wanted]
    if stream:
        extra.setdefault("stream_options", {"include_usage": True})
    body = {"model": spec.model, "messages": messages_of(given), **extra}
    return Request(interface="chat", body=body, schema=schema)


def responses_request(
    spec: Spec,
    given: Messages,
    *,
    schema: type[BaseModel] | None,
    tools: Sequence[Mapping[str, Any]] | None,
    overrides: Mapping[str, Any],
) -> Request:
    """A call of `/responses`; response format and tools may be written as for chat and are put as it wants them."""
    extra = _parameters(spec, given, overrides)
    form = responses_format(chat_format(schema) if schema else _format(spec, given))
    if form is not None:
        extra["text"] = {**extra.get("text", {}), "format": form}
    wanted = _tools(given) if tools is None else tools
    if wanted:
        extra["tools"] = [_flat(tool) for tool in wanted]
    for chats, ours in (("max_completion_tokens", "max_output_tokens"), ("max_tokens", "max_output_tokens")):
        if chats in extra:
            extra.setdefault(ours, extra.pop(chats))
    body = {"model": spec.model, "input": given if isinstance(given, str) else messages_of(given), **extra}
    return Request(interface="responses", body=body, schema=schema)


def embeddings_request(spec: Spec, texts: Sequence[str], *, overrides: Mapping[str, Any]) -> Request:
    """A call of `/embeddings`."""
    extra = _parameters(spec, None, overrides)
    body = {"model": spec.model, "input": list(texts), **extra, "encoding_format": "float"}
    return Request(interface="embeddings", body=body)


def instance(reply: Reply, schema: type[BaseModel], spec: Spec) -> Any:
    """The instance of `schema` that the answer is. Raises `AnswerInvalid` where it is none."""
    from pydantic import ValidationError

    def invalid(why: str, hint: str | None = None) -> AnswerInvalid:
        return AnswerInvalid(
            f"{spec.name} ({spec.shown}) gave no {schema.__name__}: {why}",
            provider=spec.provider or "",
            model=spec.model,
            why=f"It answered: {str(reply)[:300]!r}" if reply else None,
            hint=hint,
        )

    if reply.refusal is not None:
        raise invalid("it refused.")
    if reply.tool_calls and not reply:
        raise invalid(f"it asked for the tool {reply.tool_calls[0].name} instead.")
    try:
        return schema.model_validate_json(str(reply))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(step) for step in first["loc"])
        cut = "The answer was cut off; allow it more tokens." if reply.finish_reason == "length" else None
        raise invalid(f"{place}: {first['msg']}." if place else f"{first['msg']}.", cut) from None


def _parameters(spec: Spec, given: Any, overrides: Mapping[str, Any]) -> dict[str, Any]:
    for name in overrides:
        if name in _NOT_HERE:
            raise ConfigError(
                f"`{name}` cannot be given to a call of the model {spec.name}.",
                hint="Another model is another configuration; parameters, such as temperature, go by their own names."
                if name != "n"
                else "For several answers to one case, use repeat= in the suite.",
            )
    settings = getattr(given, "settings", None) or {}
    return {key: value for key, value in {**spec.parameters, **settings, **overrides}.items() if value is not None}


def _format(spec: Spec, given: Any) -> Mapping[str, Any] | None:
    said: Mapping[str, Any] | None = getattr(given, "response_format", None)
    return said or spec.response_format


def _tools(given: Any) -> Sequence[Mapping[str, Any]]:
    return getattr(given, "tools", None) or ()


def _flat(tool: Mapping[str, Any]) -> dict[str, Any]:
    inner = tool.get("function")
    if tool.get("type") == "function" and isinstance(inner, Mapping):
        return {"type": "function", **inner}
    return dict(tool)
