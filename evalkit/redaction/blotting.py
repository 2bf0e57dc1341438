"""Blots out of texts and data what must not be kept."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from evalkit.canonical import jsonable
from evalkit.errors import ConfigError
from evalkit.redaction.secrets import SHORTEST
from evalkit.redaction.shapes import PREFILTER, without_shapes

MARK = "[redacted: {}]"
"""What stands in the place of a secret, with what it was: the variable it came from, or its kind."""

_HEADERS = frozenset({
    "authorization", "proxy-authorization", "x-api-key", "api-key", "api_key", "x-goog-api-key", "x-auth-token",
    "cookie", "set-cookie",
})  # fmt: skip
_LONG = 100
"""From this many characters on one pass of RE2 is quicker than a look for each thing that may be there."""
_REMEMBERED = 4096
"""How many short texts without a secret are known again: names of attributes and models stand in every span."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_PLAIN = (int, float, bool, type(None))


class Redactor:
    """Blots out secrets, the shapes of well-known keys, headers that carry credentials, and the user's patterns.

    `values` are secrets by a name to say instead. `patterns` are regular expressions in RE2's syntax; raises
    `ConfigError` for one that is none. Nothing else is read: the same text always gives the same.
    """

    def __init__(self, values: Mapping[str, str], patterns: Sequence[str] = ()) -> None:
        forms = {form: MARK.format(name) for name, value in values.items() for form in _forms(value)}
        # The longest first, so that a secret which contains another is found as a whole.
        self._values = sorted(forms.items(), key=lambda item: (-len(item[0]), item[0]))
        self._patterns = _compiled(patterns)
        self._shortest = 1 if patterns else SHORTEST
        self._prefilter: Any = None
        self._clean: set[str] = set()

    def __call__(self, text: str) -> str:
        """`text` without secrets; the same object where it had none."""
        if len(text) < self._shortest or text in self._clean:
            return text
        made = self._without_known(text) if len(text) < _LONG or self._may_have(text) else text
        for pattern in self._patterns:
            made = _without(pattern, made)
        if made is text and len(text) < _LONG and len(self._clean) < _REMEMBERED:
            self._clean.add(text)
        return made

    def _may_have(self, text: str) -> bool:
        if self._prefilter is None:
            import re2

            options = re2.Options()
            options.never_capture = True
            known = [re2.escape(value) for value, _ in self._values]
            self._prefilter = re2.compile("|".join([*known, PREFILTER]), options=options)
        return self._prefilter.search(_whole(text)) is not None

    def _without_known(self, text: str) -> str:
        for value, mark in self._values:
            if value in text:
                text = text.replace(value, mark)
        return without_shapes(text, MARK.format)

    def data(self, value: Any) -> Any:
        """`value` without secrets in its texts and keys; the same object where it had none.

        What is no plain data is looked at as `jsonable` would write it, and becomes that where it had a secret. What is
        nested too deep to be looked through becomes a mark as a whole.
        """
        try:
            return self._data(value)
        except RecursionError:
            return MARK.format("nested too deep")

    def _data(self, value: Any) -> Any:
        kind = type(value)
        if kind is str:
            return self(value)
        if kind in _PLAIN:
            return value
        if kind is dict:
            return self._dict(value)
        if kind is list or kind is tuple:
            made = [self._data(item) for item in value]
            return value if all(new is old for new, old in zip(made, value, strict=True)) else kind(made)
        return self._other(value)

    def _dict(self, value: dict[Any, Any]) -> dict[Any, Any]:
        changed: dict[Any, Any] | None = None
        for key, item in value.items():
            new_key = self(key) if type(key) is str else key
            new = self._header(item) if type(key) is str and _is_header(key) else self._data(item)
            if changed is None and (new is not item or new_key is not key):
                changed = {}
                for earlier in value:
                    if earlier is key:
                        break
                    changed[earlier] = value[earlier]
            if changed is not None:
                changed[new_key] = new
        return value if changed is None else changed

    def _header(self, value: Any) -> Any:
        if isinstance(value, str):
            return value if len(value) < SHORTEST else MARK.format("header")
        if isinstance(value, list | tuple):
            return [self._header(item) for item in value]
        return self._data(value)

    def _other(self, value: Any) -> Any:
        try:
            plain = jsonable(value)
        except Exception:  # whatever a foreign object's methods raise; the store says what it could not write
            return value
        made = self._data(plain) if isinstance(plain, str | dict | list) else plain
        return value if made is plain or made == plain else made


def _whole(text: str) -> str:
    """`text` as RE2 can read it, of the same length: halves of surrogate pairs have no UTF-8."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def _without(pattern: Any, text: str) -> str:
    spans = [found.span() for found in pattern.finditer(_whole(text))]
    for start, end in reversed(spans):
        text = text[:start] + MARK.format("pattern") + text[end:]
    return text


@functools.lru_cache(maxsize=_REMEMBERED)
def _is_header(key: str) -> bool:
    length = len(key)
    if length < 6:
        return False
    last = key.rpartition(".")[2] if "." in key else key
    return last in _HEADERS or last.lower() in _HEADERS


def _forms(value: str) -> Iterable[str]:
    """The secret as it is, and as it stands in JSON, in a `repr` and in a URL."""
    made = {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1]}
    made.add(quote(value, safe=""))
    return (form for form in made if len(form) >= SHORTEST)


def _compiled(patterns: Sequence[str]) -> list[Any]:
    if not patterns:
        return []
    import re2

    options = re2.Options()
    options.log_errors = False
    made: list[Any] = []
    for pattern in patterns:
        try:
            made.append(re2.compile(pattern, options=options))
        except re2.error as error:
            said = error.args[0] if error.args else error
            said = said.decode() if isinstance(said, bytes) else said
            raise ConfigError(
                f"The pattern {pattern!r} of the setting `redact` is no regular expression: {said}.",
                hint="The syntax is that of RE2: no look-around, no references back.",
            ) from None
        if made[-1].search("") is not None:
            raise ConfigError(
                f"The pattern {pattern!r} of the setting `redact` fits everywhere, even where there is nothing.",
                hint="Say at least one character that has to be there.",
            )
    return made
