"""Scorers for outputs that are JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from evalkit.errors import ScorerError
from evalkit.score import Score, Scorer, factory, scorer
from evalkit_scorers.equality import same
from evalkit_scorers.json_text import NotJSON, read_json
from evalkit_scorers.options import number
from evalkit_scorers.paths import MISSING, leaves, look_up, steps_of
from evalkit_scorers.wording import NO_EXPECTED, NO_OUTPUT, miss, shown, unscored

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

_SHOWN_ERRORS = 3


@factory
def json_valid(*, fenced: bool = False) -> Scorer:
    """Whether the output is JSON: an assertion that says where it stops being it.

    A text is parsed by RFC 8259; NaN and Infinity are no JSON. `fenced=True` accepts one Markdown code fence
    around it. An output that is not text (a dict, a list) is valid when JSON can say all that is in it.

    Edge cases: no output and the empty text are `False`; so is nesting too deep for Python's parser (about
    1,000 levels in a text, 200 in data).
    """

    @scorer(name="json_valid", version="1", config={"fenced": fenced}, blocking=False)
    def score(output: Any) -> bool | Score:
        if output is None:
            return miss(NO_OUTPUT)
        try:
            read_json(output, fenced=fenced)
        except NotJSON as error:
            return miss(f"not JSON: {error}")
        return True

    return score


@factory
def json_schema(schema: Mapping[str, Any], *, fenced: bool = False, formats: bool = False) -> Scorer:
    """Whether the output is JSON that a JSON Schema accepts: an assertion that names the first three faults.

    The draft is the one `schema["$schema"]` names, else 2020-12 (https://json-schema.org/draft/2020-12). Text is
    parsed as in `json_valid`, with `fenced` as there. `formats=True` also checks `format` (e-mail, date, …)
    where the checker for it is installed. References stay inside the schema: nothing is fetched.

    Edge cases: no output and text that is not JSON are `False`; a schema that is none raises `ScorerError`; a
    reference that leads nowhere raises when it is first followed, so the score is an error.
    """
    validator = _validator(schema, formats)

    @scorer(
        name="json_schema",
        version="1",
        config={"schema": dict(schema), "fenced": fenced, "formats": formats},
        blocking=False,
    )
    def score(output: Any) -> bool | Score:
        if output is None:
            return miss(NO_OUTPUT)
        try:
            value = read_json(output, fenced=fenced)
        except NotJSON as error:
            return miss(f"not JSON: {error}")
        faults: list[str] = []
        for fault in validator.iter_errors(value):
            if len(faults) == _SHOWN_ERRORS:
                faults.append("and more")
                break
            faults.append(f"{fault.json_path}: {shown_fault(fault.message)}")
        return not faults or miss("; ".join(faults))

    return score


@factory
def json_fields(
    fields: Sequence[str] | None = None,
    *,
    per_field: bool = False,
    abs_tol: float = 0.0,
    rel_tol: float = 0.0,
    ignore_case: bool = False,
    fenced: bool = False,
) -> Scorer:
    """The share of expected fields that the output has right: a score from 0 to 1.

    The fields are dotted paths (`customer.name`, `items.0.price`), or without `fields` every one that
    `expected` has: dicts are entered, a list is one field and compared whole. A field is right when both sides say
    the same in JSON (1 is 1.0, `true` is no number); numbers may differ by `max(abs_tol, rel_tol * |expected|)`;
    with `ignore_case` texts may differ in case. Fields of the output that nobody expected do not count.
    Both sides may be JSON text, parsed as in `json_valid`.

    `per_field=True` also gives an assertion for each field, named `json_fields_customer_name`. A pass mark then
    holds for each of them too.

    Edge cases: no output, and an output that is no JSON, are 0; a field that `expected` lacks is left out, and
    a case that has none of them is unscored.
    """
    number("json_fields", "abs_tol", abs_tol)
    number("json_fields", "rel_tol", rel_tol)
    if isinstance(fields, str):
        raise ScorerError(f"json_fields(fields={fields!r}) has to be a list of paths.", hint=f"Write [{fields!r}].")
    fixed = None if fields is None else [steps_of("json_fields", field) for field in fields]
    if fixed is not None and not fixed:
        raise ScorerError("json_fields(fields=[]) has no field to compare.", hint="Leave fields out to compare all.")

    def right(wanted: Any, found: Any) -> bool:
        if ignore_case and isinstance(wanted, str) and isinstance(found, str):
            return wanted.casefold() == found.casefold()
        return found is not MISSING and same(found, wanted, abs_tol=abs_tol, rel_tol=rel_tol)

    @scorer(
        name="json_fields",
        version="1",
        config={
            "fields": fixed,
            "per_field": per_field,
            "abs_tol": abs_tol,
            "rel_tol": rel_tol,
            "ignore_case": ignore_case,
            "fenced": fenced,
        },
        requires_expected=True,
        blocking=False,
    )
    def score(output: Any, expected: Any) -> Score | list[Score]:
        if expected is None:
            return unscored(NO_EXPECTED)
        wanted = _wanted(expected, fixed)
        if not wanted:
            return unscored("the expected value has none of the fields")
        value, fault = _value(output, fenced)
        wrong: dict[tuple[str, ...], str] = {}
        for steps, item in wanted:
            found = look_up(value, steps)
            if not right(item, found):
                wrong[steps] = "is missing" if found is MISSING else f"expected {shown(item)}, found {shown(found)}"
        share = (len(wanted) - len(wrong)) / len(wanted)
        if fault:
            explanation = fault
        else:
            named = [f"{'.'.join(steps)} {reason}" for steps, reason in list(wrong.items())[:_SHOWN_ERRORS]]
            explanation = "; ".join(named) + ("; and more" if len(wrong) > _SHOWN_ERRORS else "")
        whole = Score(value=share, explanation=explanation or None)
        return [whole, *_each(wanted, wrong)] if per_field else whole

    return score


def shown_fault(message: str) -> str:
    """A validator's message, cut: it repeats the value it is about, which may be long."""
    return message if len(message) <= 160 else message[:160] + "…"


def _validator(schema: Mapping[str, Any], formats: bool) -> Validator:
    import jsonschema
    import referencing

    if not isinstance(schema, Mapping):
        raise ScorerError(
            f"json_schema takes the schema as a dict, not as {type(schema).__name__}.",
            hint="Read a file with json.loads(path.read_text()).",
        )
    kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    try:
        kind.check_schema(dict(schema))
    except jsonschema.SchemaError as error:
        raise ScorerError(f"The schema is no JSON Schema: {error.json_path}: {shown_fault(error.message)}.") from None
    # With a registry given, a reference to elsewhere is an error; without one jsonschema would fetch it.
    checker = kind.FORMAT_CHECKER if formats else None
    return kind(schema, registry=referencing.Registry(), format_checker=checker)


def _wanted(expected: Any, fixed: Sequence[tuple[str, ...]] | None) -> list[tuple[tuple[str, ...], Any]]:
    try:
        value = read_json(expected)
    except NotJSON as error:
        raise ValueError(f"the expected value is not JSON: {error}") from None
    if not isinstance(value, dict | list):
        raise TypeError(f"json_fields compares dicts, and the expected value is {shown(value)}")
    if fixed is None:
        return leaves(value) if value else []
    found = [(steps, look_up(value, steps)) for steps in fixed]
    return [(steps, item) for steps, item in found if item is not MISSING]


def _value(output: Any, fenced: bool) -> tuple[Any, str | None]:
    if output is None:
        return MISSING, NO_OUTPUT
    try:
        return read_json(output, fenced=fenced), None
    except NotJSON as error:
        return MISSING, f"not JSON: {error}"


def _each(wanted: Sequence[tuple[tuple[str, ...], Any]], wrong: Mapping[tuple[str, ...], str]) -> list[Score]:
    taken: dict[str, int] = {}
    scores: list[Score] = []
    for steps, _ in wanted:
        name = re.sub(r"\W+", "_", "_".join(("json_fields", *steps)))
        taken[name] = taken.get(name, 0) + 1
        unique = name if taken[name] == 1 else f"{name}_{taken[name]}"
        scores.append(Score(name=unique, value=steps not in wrong, explanation=wrong.get(steps)))
    return scores
