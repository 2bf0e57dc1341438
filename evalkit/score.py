"""A score, and the scorer that gives it.

A scorer is a function of any of `case, output, expected, input, metadata, trace`, taken by name, that returns a
bool (an assertion), a number (a score), a string (a label), a `Score`, a dict of those, or a list of them. It may be
async. Raising makes a score with the status `error`, returning `None` one that is `unscored`: neither is zero
and neither disappears.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, ParamSpec

from evalkit.canonical import digest
from evalkit.errors import ScorerError, did_you_mean
from evalkit.usage import Usage

Status = Literal["scored", "unscored", "error"]
_P = ParamSpec("_P")

PARAMETERS = ("case", "output", "expected", "input", "metadata", "trace")
"""What a scorer may ask for by name. `output` is the value the function returned, `trace` the whole `Output`."""

_NONE: Mapping[str, Any] = MappingProxyType({})


def _nothing() -> Mapping[str, Any]:
    return _NONE


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ErrorInfo:
    """An exception as a record: `type` is its qualified name, `traceback` the text, `None` where there is none."""

    type: str
    message: str
    traceback: str | None = None
    is_assertion: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One judgement of one output.

    `value` is a finite number, or `None` for a score that is only a label; booleans are kept as 1.0 and 0.0
    with `kind` `assertion`. `passed` is the assertion, or the comparison with the pass mark, or `None` where
    there is nothing to pass. `status` is `unscored` where the scorer had nothing to say and `error` where it
    raised; `value` is `None` in both. `usage` is what the scorer's own model calls took, `None` where it made none.
    """

    name: str = ""
    value: float | None = None
    label: str | None = None
    explanation: str | None = None
    status: Status = "scored"
    kind: Literal["assertion", "score", "label"] = "score"
    passed: bool | None = None
    scorer: str = ""
    scorer_version: str = ""
    error: ErrorInfo | None = None
    metadata: Mapping[str, Any] = dataclasses.field(default_factory=_nothing)
    usage: Usage | None = None

    def __post_init__(self) -> None:
        value = self.value
        if isinstance(value, bool):
            object.__setattr__(self, "value", float(value))
            object.__setattr__(self, "kind", "assertion")
            if self.passed is None:
                object.__setattr__(self, "passed", value)
        elif value is not None:
            number = float(value)
            if not math.isfinite(number):
                raise ValueError(f"a score is a finite number, not {number}")
            object.__setattr__(self, "value", number)
        elif self.label is not None and self.kind == "score":
            object.__setattr__(self, "kind", "label")
        elif self.label is None and self.status == "scored":
            object.__setattr__(self, "status", "unscored")

    @property
    def said(self) -> str | None:
        """The score in a word, as people would give it: its label, or `pass` and `fail`; `None` where it has none."""
        if self.status != "scored":
            return None
        if self.label is not None:
            return self.label
        return None if self.passed is None else "pass" if self.passed else "fail"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scorer:
    """A function that scores, with the name and version its scores carry.

    `version` changes whenever the code or the configuration does. `needs` are the parameters the function
    takes; `requires_expected` says that a case without `expected` cannot be scored, which is then refused
    before anything runs. `blocking` functions run in a thread, so that they do not hold up the others.
    `scorer >= 0.8` (and `<=`, `>`, `<`) gives the same scorer with a pass mark.
    """

    name: str
    function: Callable[..., Any]
    version: str
    needs: tuple[str, ...]
    config: Mapping[str, Any] = dataclasses.field(default_factory=_nothing)
    requires_expected: bool = False
    blocking: bool = True
    pass_mark: tuple[str, float] | None = None

    @property
    def is_async(self) -> bool:
        """Whether calling the function gives an awaitable."""
        return is_async_callable(self.function)

    def named(self, name: str) -> Scorer:
        """The same scorer under another name, so that one suite can use it twice."""
        return dataclasses.replace(self, name=name)

    def __call__(self, **arguments: Any) -> Any:
        """What the function returns for those of `arguments` that it takes; `output=`, `expected=` and so on."""
        return self.function(**{name: arguments[name] for name in self.needs})

    def __ge__(self, mark: float) -> Scorer:
        return self._with_mark(">=", mark)

    def __gt__(self, mark: float) -> Scorer:
        return self._with_mark(">", mark)

    def __le__(self, mark: float) -> Scorer:
        return self._with_mark("<=", mark)

    def __lt__(self, mark: float) -> Scorer:
        return self._with_mark("<", mark)

    def _with_mark(self, operator: str, mark: float) -> Scorer:
        number = float(mark)
        if not math.isfinite(number):
            raise ScorerError(f"The pass mark of {self.name} is {mark}, which no score can meet.")
        return dataclasses.replace(self, pass_mark=(operator, number))


def scorer(
    *,
    name: str | None = None,
    version: str | None = None,
    config: Mapping[str, Any] | None = None,
    requires_expected: bool = False,
    blocking: bool = True,
) -> Callable[[Callable[..., Any]], Scorer]:
    """Make a `Scorer` of a function, where a plain function does not say enough.

    `name` is the function's own unless given. `version` is made from the source of the function and `config`
    unless given. Set `blocking=False` for a function that is quick and never waits: it then runs in the event
    loop itself, which saves a thread switch.
    """

    def decorate(function: Callable[..., Any]) -> Scorer:
        made = _scorer_of(function, name)
        return dataclasses.replace(
            made,
            version=_version(function, config or {}) if version is None else _digest_of(version, config or {}),
            config=MappingProxyType(dict(config or {})),
            requires_expected=requires_expected,
            blocking=blocking,
        )

    return decorate


def as_scorer(candidate: Any) -> Scorer:
    """`candidate` as a `Scorer`: one already, or any callable whose parameters we know.

    Raises `ScorerError` for something that cannot be called, a factory that was not called (`exact_match`
    instead of `exact_match()`), a parameter that is none of `PARAMETERS`, and a lambda without a name.
    """
    made = _scorer_of(candidate, None)
    return made if made.version else dataclasses.replace(made, version=_version(candidate, {}))


def _scorer_of(candidate: Any, name: str | None) -> Scorer:
    """`candidate` as a scorer, under `name` if one is given; the version of a new one is left empty."""
    if isinstance(candidate, Scorer):
        return candidate if name is None else candidate.named(name)
    if not callable(candidate):
        raise ScorerError(
            f"{candidate!r} is not a scorer: it cannot be called.",
            hint="A scorer is a function of any of " + ", ".join(PARAMETERS) + ".",
        )
    shown = getattr(candidate, "__name__", type(candidate).__name__)
    if getattr(candidate, "__evalkit_factory__", False):
        raise ScorerError(f"{shown} makes a scorer when it is called.", hint=f"Write {shown}() instead of {shown}.")
    if shown == "<lambda>" and name is None:
        raise ScorerError(
            "A lambda has no name for its scores to carry.",
            hint="Write it as a def, or wrap it: evalkit.scorer(name='…')(lambda output: …).",
        )
    return Scorer(name=name or shown, function=candidate, version="", needs=_needs(candidate, name or shown))


def factory(function: Callable[_P, Scorer]) -> Callable[_P, Scorer]:
    """Mark a function that returns a scorer, so that a wrong use of it gives a clear error.

    Forgetting to call it, an option it does not have and an argument left out raise `ScorerError`. Each
    `ScorerError` that leaves it says in which line of whose code it was called.
    """

    @functools.wraps(function)
    def made(*args: _P.args, **kwargs: _P.kwargs) -> Scorer:
        try:
            _check_call(function, args, kwargs)
            return function(*args, **kwargs)
        except ScorerError as error:
            caller = sys._getframe(1)
            error.where = error.where or f"{caller.f_code.co_filename}:{caller.f_lineno}"
            raise

    made.__evalkit_factory__ = True  # type: ignore[attr-defined]  # functions have no such field of their own
    return made


def _check_call(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    signature = inspect.signature(function)
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        name = function.__name__
        options = list(signature.parameters)
        unknown = next((key for key in kwargs if key not in options), None)
        raise ScorerError(
            f'The scorer {name} has no option "{unknown}".' + did_you_mean(unknown, options)
            if unknown
            else f"The scorer {name} was called wrongly: {error}.",
            hint=f"It takes {', '.join(options)}." if options else "It takes no options.",
        ) from None


def scores_from(result: Any, scorer: Scorer) -> tuple[Score, ...]:
    """The scores that a scorer's return value stands for, named, versioned and held against its pass mark.

    Raises `TypeError` for a value of no known kind and `ValueError` for NaN or an infinity; the runner
    turns either into a score with the status `error`.
    """
    if isinstance(result, Mapping):
        return tuple(
            score for key, item in result.items() for score in _scores(item, scorer, name=str(key), nested=True)
        )
    return tuple(_scores(result, scorer, name=scorer.name, nested=False))


def error_score(scorer: Scorer, error: ErrorInfo) -> Score:
    """The score of a scorer that raised: no value, and the error kept."""
    return Score(
        name=scorer.name,
        status="error",
        explanation=f"{error.type}: {error.message}",
        scorer=scorer.name,
        scorer_version=scorer.version,
        error=error,
    )


def _scores(item: Any, scorer: Scorer, *, name: str, nested: bool) -> Sequence[Score]:
    if isinstance(item, Score):
        return [_stamped(item, scorer, item.name or name)]
    if item is None:
        return [_stamped(Score(status="unscored"), scorer, name)]
    if isinstance(item, str):
        return [_stamped(Score(label=item), scorer, name)]
    if isinstance(item, list | tuple) and not nested:
        return [score for part in item for score in _scores(part, scorer, name=name, nested=True)]
    if hasattr(item, "item") and getattr(item, "shape", None) == ():  # a numpy scalar
        item = item.item()
    if isinstance(item, bool | int | float):
        return [_stamped(Score(value=item), scorer, name)]
    raise TypeError(
        f"the scorer {scorer.name} returned {type(item).__name__}; "
        "it may return bool, a number, str, Score, None, or a dict or list of those"
    )


def _stamped(score: Score, scorer: Scorer, name: str) -> Score:
    passed = score.passed
    if scorer.pass_mark is not None and score.value is not None:
        passed = compare(score.value, *scorer.pass_mark)
    return dataclasses.replace(score, name=name, passed=passed, scorer=scorer.name, scorer_version=scorer.version)


def compare(value: float, operator: str, bound: float) -> bool:
    """Whether `value operator bound` holds, for `>=`, `>`, `<=`, `<`; plain float comparison, no tolerance."""
    if operator == ">=":
        return value >= bound
    if operator == ">":
        return value > bound
    if operator == "<=":
        return value <= bound
    if operator == "<":
        return value < bound
    raise ValueError(f"not a comparison: {operator!r}")


def is_async_callable(function: Any) -> bool:
    """Whether calling `function` gives an awaitable: a coroutine function, or an object whose `__call__` is one."""
    while isinstance(function, functools.partial):
        function = function.func
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004 - the method itself is wanted, not whether there is one
    )


def constants_of(function: Callable[..., Any]) -> frozenset[str]:
    """The strings that the code of `function` mentions, inner functions included.

    A scorer that returns a dict names its scores in its code; this tells a gate on such a name from a typo.
    """
    while isinstance(function, functools.partial):
        function = function.func
    function = inspect.unwrap(function)
    code = getattr(function, "__code__", None) or getattr(type(function).__call__, "__code__", None)
    found: set[str] = set()
    waiting = [code] if code is not None else []
    while waiting:
        for constant in waiting.pop().co_consts:
            if isinstance(constant, str):
                found.add(constant)
            elif isinstance(constant, tuple | frozenset):
                found.update(item for item in constant if isinstance(item, str))
            elif inspect.iscode(constant):
                waiting.append(constant)
    return frozenset(found)


def _needs(function: Callable[..., Any], shown: str) -> tuple[str, ...]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        raise ScorerError(f"The parameters of {shown} cannot be seen from outside.", hint="Wrap it in a def.") from None
    needs: list[str] = []
    for parameter in parameters:
        if parameter.kind is parameter.VAR_KEYWORD:
            return PARAMETERS
        if parameter.kind is parameter.VAR_POSITIONAL:
            continue
        if parameter.name in PARAMETERS and parameter.kind is not parameter.POSITIONAL_ONLY:
            needs.append(parameter.name)
        elif parameter.default is parameter.empty:
            raise ScorerError(
                f'The scorer {shown} asks for "{parameter.name}", which is nothing a scorer can have.'
                + did_you_mean(parameter.name, PARAMETERS),
                where=_place(function),
                hint="It may take any of " + ", ".join(PARAMETERS) + ", by name.",
            )
    if not needs:
        raise ScorerError(
            f"The scorer {shown} takes nothing to look at.",
            where=_place(function),
            hint="Let it take any of " + ", ".join(PARAMETERS) + ", by name.",
        )
    return tuple(needs)


def _place(function: Callable[..., Any]) -> str | None:
    code = getattr(inspect.unwrap(function), "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code is not None else None


def _version(function: Callable[..., Any], config: Mapping[str, Any]) -> str:
    try:
        code = inspect.getsource(function)
    except (OSError, TypeError):
        code = repr(getattr(getattr(function, "__code__", None), "co_code", None) or type(function).__qualname__)
    return _digest_of(code, config)


def _digest_of(code: str, config: Mapping[str, Any]) -> str:
    return digest({"code": code, "config": dict(config)})[:12]
