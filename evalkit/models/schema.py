"""A pydantic model as the response format that providers take, in their strict mode."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from evalkit.errors import ConfigError

if TYPE_CHECKING:
    from pydantic import BaseModel


@cache
def _strict_schema(schema: type[BaseModel]) -> dict[str, Any]:
    whole = schema.model_json_schema()
    if whole.get("type") != "object":
        raise ConfigError(
            f"{schema.__name__} is no JSON object, which is all that providers answer with.",
            hint="Put it into a field of another model.",
        )
    made: dict[str, Any] = _strict(whole, whole.get("$defs", {}))
    return made


def chat_format(schema: type[BaseModel]) -> dict[str, Any]:
    """The `response_format` of the chat API for `schema`. Raises `ConfigError` for what is no pydantic model."""
    if not (isinstance(schema, type) and hasattr(schema, "model_json_schema")):
        raise ConfigError(
            f"`schema` is a pydantic model, not {schema!r:.60}.", hint="Write: class Answer(BaseModel): …"
        )
    return {
        "type": "json_schema",
        "json_schema": {"name": schema.__name__, "strict": True, "schema": _strict_schema(schema)},
    }


def responses_format(form: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """A `response_format` of the chat API as the `text.format` of the Responses API."""
    if form is None:
        return None
    inner = form.get("json_schema")
    return {"type": "json_schema", **inner} if isinstance(inner, Mapping) else dict(form)


def _strict(node: Any, definitions: Mapping[str, Any]) -> Any:
    """The schema as the strict mode wants it: every property required, no others allowed, no defaults, and nothing
    beside a `$ref`.
    """
    if isinstance(node, list):
        return [_strict(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node and len(node) > 1:
        target = definitions[str(node["$ref"]).rpartition("/")[2]]
        return _strict({**target, **{key: value for key, value in node.items() if key != "$ref"}}, definitions)
    made: dict[str, Any] = {}
    for key, value in node.items():
        if key in ("properties", "$defs"):
            made[key] = {name: _strict(inner, definitions) for name, inner in value.items()}
        elif key != "default":
            made[key] = _strict(value, definitions)
    if node.get("type") == "object":
        made.setdefault("additionalProperties", False)
        if "properties" in node:
            made["required"] = list(node["properties"])
    return made
