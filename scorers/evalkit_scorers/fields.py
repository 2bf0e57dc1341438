"""A scorer that looks at a part of the output."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from evalkit.errors import ScorerError
from evalkit.score import Scorer, as_scorer, factory, scorer
from evalkit_scorers.combinators import Part, identifier, version_of
from evalkit_scorers.json_text import NotJSON, read_json
from evalkit_scorers.options import identity
from evalkit_scorers.paths import MISSING, look_up, steps_of

Field = str | Sequence[str] | Callable[[Any], Any]


@factory
def on(field: Field, part: Part, /, *, expected: Field | None = None) -> Scorer:
    """The same scorer, looking at a part of the output: its scores, named `exact_match_answer_value`.

    `part` is the scorer. `field` is a dotted path (`"answer.value"`, `"items.0.price"`), a list of steps for keys
    that have dots in them, or a function of the output: `on(lambda text: text.rsplit("the answer is ")[-1],
    exact_match())`. An output that is text is read as JSON first for a path, and handed over as it is to a
    function.

    `expected` says which part of the expected value to compare with, in the same ways. Left out, a path is
    followed in `expected` too where that is a dict or a list, and any other `expected` is taken whole; with a
    function it is taken whole always.

    Edge cases: where there is nothing at the path, or the output is no JSON, the scorer is given `None` as
    output, which the built-in ones call `False`, 0 or unscored, each as its own description says; where `expected`
    has nothing at the path, it is given `None` as expected, and the case is unscored. A function that raises
    makes the score an error. A pass mark on the inner scorer stays; the outer one may have its own instead.
    """
    inner = as_scorer(part)
    if "output" not in inner.needs:
        raise ScorerError(
            f"{inner.name} does not look at the output, so it has no part to look at.",
            hint=f"Use {inner.name} without on().",
        )
    find = _finder(field)
    find_expected = _finder(expected) if expected is not None else None if callable(field) else find
    lenient = expected is None

    def narrowed(arguments: dict[str, Any]) -> dict[str, Any]:
        changed = {**arguments, "output": find(arguments["output"])}
        wanted = arguments.get("expected")
        if find_expected is not None and not (lenient and not isinstance(wanted, dict | list | tuple)):
            changed["expected"] = find_expected(wanted)
        return changed

    def score(**arguments: Any) -> Any:
        return inner(**narrowed(arguments))

    async def score_async(**arguments: Any) -> Any:
        return await inner(**narrowed(arguments))

    made = scorer(
        name=identifier(f"{inner.name}_{_said(field)}"),
        version="on 1",
        config={"field": _config(field), "expected": _config(expected), "part": version_of(inner)},
        requires_expected=inner.requires_expected,
        blocking=inner.blocking,
    )(score_async if inner.is_async else score)
    return dataclasses.replace(made, needs=inner.needs, pass_mark=inner.pass_mark)


def _finder(field: Field) -> Callable[[Any], Any]:
    if callable(field):
        return field
    steps = steps_of("on", field)

    def find(value: Any) -> Any:
        if isinstance(value, str):
            try:
                value = read_json(value, fenced=True)
            except NotJSON:
                return None
        found = look_up(value, steps)
        return None if found is MISSING else found

    return find


def _said(field: Field) -> str:
    if callable(field):
        name = getattr(field, "__name__", type(field).__name__)
        return "part" if name == "<lambda>" else name
    return field if isinstance(field, str) else "_".join(field)


def _config(field: Field | None) -> Any:
    return identity(field) if callable(field) else field if field is None or isinstance(field, str) else list(field)
