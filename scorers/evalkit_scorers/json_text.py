"""JSON as models write it: a text, perhaps in a code fence, or data that is read already."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from evalkit.canonical import jsonable

_FENCED = re.compile(r"\s*```[ \t]*(?:json|JSON)?[ \t]*\n(.*)\n[ \t]*```\s*", re.DOTALL)


class NotJSON(ValueError):
    """The text is not JSON; `str()` says why, in a few words."""


def read_json(output: Any, *, fenced: bool = False) -> Any:
    """The value that `output` says: a text is parsed by RFC 8259, anything else is taken as read.

    `fenced` accepts one Markdown code fence around the text. Raises `NotJSON` for a text that does not parse,
    for NaN and the infinities, which JSON has no word for, and for nesting too deep to be read.
    """
    if not isinstance(output, str):
        try:
            return jsonable(output, strict=True)
        except (TypeError, ValueError) as error:
            raise NotJSON(str(error)) from None
    fence = _FENCED.fullmatch(output) if fenced else None
    text = fence[1] if fence else output
    try:
        return json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise NotJSON(f"{error.msg} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise NotJSON("nested too deeply to be read") from None
    except ValueError as error:  # an integer of more digits than Python agrees to read, or a constant
        raise NotJSON(str(error)) from None


def _no_constant(name: str) -> NoReturn:
    raise NotJSON(f"{name} is no JSON value")
