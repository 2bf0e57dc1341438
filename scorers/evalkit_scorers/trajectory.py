"""Scorers of what an agent did: the tools it called and the steps it took."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar

from evalkit.score import Score, Scorer, factory, scorer
from evalkit_scorers.equality import same
from evalkit_scorers.options import choice, identity
from evalkit_scorers.paths import look_up, steps_of
from evalkit_scorers.tool_calls import ToolCall, tool_calls_of
from evalkit_scorers.wording import NO_EXPECTED, miss, shown, unscored

Mode = Literal["strict", "unordered", "subset", "superset"]
Arguments = Literal["exact", "subset", "ignore"] | Callable[[Mapping[str, Any], Mapping[str, Any]], bool]
_MODES = ("strict", "unordered", "subset", "superset")
_Step = TypeVar("_Step")


@factory
def tool_call_match(mode: Mode = "strict", *, arguments: Arguments = "exact") -> Scorer:
    """Whether the output makes the expected tool calls: an assertion that names the first difference.

    `mode` says which calls have to be there: `"strict"` the expected ones in their order, no more; `"unordered"` the
    same in any order; `"subset"` none but expected ones; `"superset"` all the expected ones, and perhaps
    others. Each call answers for one expected call only.

    `arguments` says when two calls of the same tool are the same: `"exact"` the same arguments in JSON (1 is 1.0,
    key order does not count); `"subset"` the expected arguments are there with their values, and perhaps others;
    `"ignore"` the name is enough; or a function of the expected and the found arguments. A bare name in `expected`
    asks for no arguments in particular.

    Both sides may be in the forms of OpenAI (arguments as JSON text), Anthropic or Gemini, whole messages,
    `{"name": …, "arguments": …}`, `{name: arguments}` or names alone, as one call or a list.

    Edge cases: no output is no calls; `expected=[]` says that no call is right; without an expected value the
    case is unscored; arguments that are not JSON are never right (but with `"ignore"`); what is no tool call at
    all, such as a number, raises `TypeError`, so the score is an error.
    """
    choice("tool_call_match", "mode", mode, _MODES)
    if not callable(arguments):
        choice("tool_call_match", "arguments", arguments, ("exact", "subset", "ignore"))

    def alike(wanted: ToolCall, found: ToolCall) -> bool:
        if wanted.name != found.name:
            return False
        if arguments == "ignore" or (wanted.arguments is None and not wanted.fault):
            return True
        if wanted.arguments is None or found.fault:
            return False
        given = found.arguments or {}
        if callable(arguments):
            return bool(arguments(wanted.arguments, given))
        if arguments == "exact":
            return same(wanted.arguments, given)
        return all(key in given and same(value, given[key]) for key, value in wanted.arguments.items())

    @scorer(
        name="tool_call_match",
        version="1",
        config={"mode": mode, "arguments": identity(arguments) if callable(arguments) else arguments},
        requires_expected=True,
        blocking=False,
    )
    def score(output: Any, expected: Any) -> bool | Score:
        if expected is None:
            return unscored(NO_EXPECTED)
        fault = difference(tool_calls_of(expected), tool_calls_of(output), alike, mode)
        return miss(fault) if fault else True

    return score


@factory
def trajectory_match(mode: Mode = "strict", *, key: str | Callable[[Any], Any] | None = None) -> Scorer:
    """Whether the output took the expected steps: an assertion that names the first difference.

    A trajectory is a list of steps, each a name or any JSON value; two steps are the same when they say the same in
    JSON. `key` compares only a part of each step that is a dict: a dotted path such as `"action.name"`, or a
    function of the step. A step that is plain text is compared as it is under a path. `mode` is that of
    `tool_call_match`: strict, unordered, subset or superset.

    Edge cases: no output is no steps; `expected=[]` says that no step is right; without an expected value the
    case is unscored; an output that is no list raises `TypeError`, so the score is an error.
    """
    choice("trajectory_match", "mode", mode, _MODES)
    part = _part(key)

    @scorer(
        name="trajectory_match",
        version="1",
        config={"mode": mode, "key": identity(key) if callable(key) else key},
        requires_expected=True,
        blocking=False,
    )
    def score(output: Any, expected: Any) -> bool | Score:
        if expected is None:
            return unscored(NO_EXPECTED)
        wanted, found = [part(step) for step in _steps(expected)], [part(step) for step in _steps(output)]
        fault = difference(wanted, found, same, mode)
        return miss(fault) if fault else True

    return score


def difference(
    wanted: Sequence[_Step], found: Sequence[_Step], alike: Callable[[_Step, _Step], bool], mode: str
) -> str | None:
    """The first thing that is wrong with `found` under `mode`, in words, or `None` where nothing is."""
    if mode == "strict":
        for place, (one, other) in enumerate(zip(wanted, found, strict=False), 1):
            if not alike(one, other):
                return f"step {place}: expected {_say(one)}, found {_say(other)}"
        if len(found) > len(wanted):
            return f"step {len(wanted) + 1}: expected no more, found {_say(found[len(wanted)])}"
        if len(wanted) > len(found):
            return f"step {len(found) + 1}: expected {_say(wanted[len(found)])}, found no more"
        return None
    pairs = _pairs(wanted, found, alike)
    lacking = [_say(step) for place, step in enumerate(wanted) if place not in pairs]
    matched = set(pairs.values())
    extra = [_say(step) for place, step in enumerate(found) if place not in matched]
    faults = []
    if lacking and mode in ("unordered", "superset"):
        faults.append(f"lacks {_join(lacking)}")
    if extra and mode in ("unordered", "subset"):
        faults.append(f"has {_join(extra)} beyond what was expected")
    return "; ".join(faults) or None


def _pairs(wanted: Sequence[_Step], found: Sequence[_Step], alike: Callable[[_Step, _Step], bool]) -> dict[int, int]:
    """The largest one-to-one pairing of alike steps, as places in `wanted` to places in `found`.

    By augmenting paths (Kuhn 1955): taking the first that fits would fail where one expected step allows more
    than another does.
    """
    choices = [[place for place, step in enumerate(found) if alike(one, step)] for one in wanted]
    pairs: dict[int, int] = {}
    owners: dict[int, int] = {}
    for start in range(len(wanted)):
        via: dict[int, int] = {}  # which expected step reached a place, to turn the path round
        queue = [start]
        for one in queue:
            reached = [place for place in choices[one] if place not in via]
            via.update(dict.fromkeys(reached, one))
            free = next((place for place in reached if place not in owners), None)
            if free is None:
                queue.extend(owners[place] for place in reached)
                continue
            place: int | None = free
            while place is not None:
                owner = via[place]
                before = pairs.get(owner)
                owners[place], pairs[owner] = owner, place
                place = before
            break
    return pairs


def _say(step: Any) -> str:
    return str(step) if isinstance(step, ToolCall) else shown(step)


def _join(said: Sequence[str]) -> str:
    return ", ".join(said[:3]) + (f" and {len(said) - 3} more" if len(said) > 3 else "")


def _steps(value: Any) -> Sequence[Any]:
    if value is None:
        return []
    if not isinstance(value, list | tuple):
        raise TypeError(f"trajectory_match compares lists of steps, and was given {type(value).__name__}")
    return value


def _part(key: str | Callable[[Any], Any] | None) -> Callable[[Any], Any]:
    if key is None:
        return lambda step: step
    if callable(key):
        return key
    steps = steps_of("trajectory_match", key)
    return lambda step: look_up(step, steps) if isinstance(step, Mapping) else step
