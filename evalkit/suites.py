"""A suite is what a user declares: a dataset, the function under test, scorers, repeats and gates.

`@suite(...)` leaves the function as it is and attaches the declaration to it, so that the function can still be
called by hand, and pytest still sees a function.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from evalkit.case import CLUSTER, Case, Dataset
from evalkit.errors import SuiteError, did_you_mean
from evalkit.score import Scorer, as_scorer
from evalkit.versions import Version

ATTRIBUTE = "__evalkit_suite__"
"""Where a function carries its declaration."""


class DatasetReader(Protocol):
    """Something that reads a dataset when it is asked to, such as the result of `evalkit.load(...)`."""

    def read(self, folder: Path | None = None) -> Dataset:
        """The dataset; relative paths are taken from `folder`."""
        ...


class Versioned(Protocol):
    """A prompt or a model: something that knows which version it is."""

    @property
    def version(self) -> Version:
        """Which version of which prompt or model this is."""
        ...


DatasetSource = str | Path | Dataset | DatasetReader | Sequence[Case | Mapping[str, Any]] | Callable[[], Any]
STOP_CHOICES = ("never", "decided", "anytime")
StopChoice = Literal["never", "decided", "anytime"]
"""When a suite may stop before its last case: never, once its gates are decided, once they are as good as decided."""

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """The declaration of a suite, as written; nothing has been read or run.

    `file` and `line` are where the function stands. `max_concurrency`, `repeat`, `seed` and `stop` are `None`
    where the setting of the session decides. `timeout` is in seconds per trial. `cluster` is the metadata key of the
    cases by which they hang together, `None` where each stands for itself; it is kept in `metadata` too. `prompt` and
    `model` are the name of one, or one itself; `None` where the suite declares none.
    """

    function: Callable[..., Any]
    name: str
    dataset: DatasetSource
    scorers: tuple[Scorer, ...] = ()
    gates: tuple[str, ...] = ()
    repeat: int | None = None
    max_concurrency: int | None = None
    timeout: float | None = None
    seed: int | None = None
    on_inconclusive: Literal["fail", "warn", "pass"] | None = None
    cluster: str | None = None
    stop: StopChoice | None = None
    prompt: str | Versioned | None = None
    model: str | Versioned | None = None
    metadata: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    file: str = ""
    line: int = 0

    @property
    def folder(self) -> Path:
        """The folder that relative dataset paths are read from."""
        return Path(self.file).parent

    @property
    def location(self) -> str:
        """`file:line` of the function."""
        return f"{self.file}:{self.line}"


def suite(
    *,
    dataset: DatasetSource,
    scorers: Iterable[Any] = (),
    gates: Iterable[str] = (),
    repeat: int | None = None,
    name: str | None = None,
    max_concurrency: int | None = None,
    timeout: float | None = None,
    seed: int | None = None,
    on_inconclusive: Literal["fail", "warn", "pass"] | None = None,
    cluster: str | None = None,
    stop: StopChoice | None = None,
    prompt: str | Versioned | None = None,
    model: str | Versioned | None = None,
    metadata: Mapping[str, Any] | None = None,
    **unknown: Any,
) -> Callable[[Function], Function]:
    """Declare the function below as a suite: it is run once per case and trial, and what it returns is scored.

    `dataset` is a path beside the file (jsonl, json, csv, yaml, parquet), the result of `evalkit.load(...)`, a
    list of cases or dicts, or a callable that returns one. `scorers` are functions or `Scorer`s, `gates` lines
    such as `"accuracy >= 0.9 @ 95%"`. With gates the gates decide; without, each case does. `cluster` names a metadata
    key: cases with the same value of it, such as questions on one document, are not independent and count as one.
    `stop` is when the suite may stop before its last case: `"never"`, `"decided"` (no other case could change what its
    gates say) or `"anytime"` (it is as good as certain).

    `prompt` and `model` are the names of a prompt file and a model file of the project, or a `Prompt` and a `Model`
    themselves. The function gets them as its arguments `prompt` and `model`, and the run records which versions they
    were.

    The function takes `case`, and any pytest fixtures; it may be `async`. Raises `SuiteError` or `ScorerError`
    for a declaration that cannot work, naming the file and line.
    """
    known = tuple(inspect.signature(suite).parameters)

    def declare(function: Function) -> Function:
        file, line = _place(function)
        where = f"{file}:{line}"
        for key in unknown:
            raise SuiteError(
                f'A suite has no argument "{key}".' + did_you_mean(key, known[:-1]),
                where=where,
                hint="It may have " + ", ".join(known[:-1]) + ".",
            )
        label = str(name or getattr(function, "__name__", "suite"))
        made = tuple(as_scorer(candidate) for candidate in _listed(scorers, "scorers", where))
        _check_names(made, where)
        texts = (gates,) if isinstance(gates, str) else tuple(gates)
        _check_number("repeat", repeat, where, whole=True)
        _check_number("max_concurrency", max_concurrency, where, whole=True)
        _check_number("timeout", timeout, where, whole=False)
        if on_inconclusive not in (None, "fail", "warn", "pass"):
            raise SuiteError(f'on_inconclusive is "fail", "warn" or "pass", not {on_inconclusive!r}.', where=where)
        if stop not in (None, *STOP_CHOICES):
            raise SuiteError(
                f'stop is "never", "decided" or "anytime", not {stop!r}.' + did_you_mean(str(stop), STOP_CHOICES),
                where=where,
            )
        if cluster is not None and (not isinstance(cluster, str) or not cluster):
            raise SuiteError(f"`cluster` is the name of a metadata key, not {cluster!r}.", where=where)
        parameters = inspect.signature(function).parameters
        if "case" not in parameters:
            raise SuiteError(
                f"{label} takes no argument `case`.",
                where=where,
                why="A suite's function is called once for each case.",
                hint=f"Write: def {label}(case, …).",
            )
        for kind, subject in (("prompt", prompt), ("model", model)):
            _check_subject(kind, subject, parameters, label, where)
        declaration = Suite(
            function=function,
            name=label,
            dataset=dataset,
            scorers=made,
            gates=texts,
            repeat=repeat,
            max_concurrency=max_concurrency,
            timeout=timeout,
            seed=seed,
            on_inconclusive=on_inconclusive,
            cluster=cluster,
            stop=stop,
            prompt=prompt,
            model=model,
            metadata=dict(metadata or {}) | ({} if cluster is None else {CLUSTER: cluster}),
            file=file,
            line=line,
        )
        setattr(function, ATTRIBUTE, declaration)
        return function

    return declare


def suite_of(function: Any) -> Suite | None:
    """The declaration that `function` carries, or `None`."""
    declared = getattr(function, ATTRIBUTE, None)
    return declared if isinstance(declared, Suite) else None


def require_expected(declared: Suite, cases: Sequence[Case]) -> None:
    """Raise `SuiteError` where a scorer needs `expected` and some of `cases` have none, naming the first three."""
    for scorer in declared.scorers:
        lacking = [case for case in cases if case.expected is None] if scorer.requires_expected else []
        if lacking:
            named = ", ".join(f"{case.id} ({case.source})" if case.source else case.id for case in lacking[:3])
            more = f" and {len(lacking) - 3:,} more" if len(lacking) > 3 else ""
            raise SuiteError(
                f"The scorer {scorer.name} needs `expected`, which {len(lacking):,} of {len(cases):,} cases lack: "
                f"{named}{more}.",
                where=declared.location,
                hint="Give them an `expected`, or leave these cases or this scorer out.",
            )


def require_cluster(declared: Suite, cases: Sequence[Case]) -> None:
    """Raise `SuiteError` where the suite names a cluster key that some of `cases` lack, naming the first three."""
    key = declared.cluster
    lacking = [] if key is None else [case for case in cases if case.metadata.get(key) is None]
    if not lacking:
        return
    keys = sorted({name for case in cases for name in case.metadata})
    named = ", ".join(case.id for case in lacking[:3]) + (", …" if len(lacking) > 3 else "")
    raise SuiteError(
        f'cluster="{key}" is no metadata key of {len(lacking):,} of {len(cases):,} cases: {named}.'
        + did_you_mean(str(key), keys),
        where=declared.location,
        hint=f"The metadata keys are: {', '.join(keys[:12])}." if keys else "No case has metadata.",
    )


def _place(function: Callable[..., Any]) -> tuple[str, int]:
    code = inspect.unwrap(function).__code__
    return code.co_filename, code.co_firstlineno


def _listed(scorers: Any, what: str, where: str) -> tuple[Any, ...]:
    if callable(scorers) or isinstance(scorers, str):
        raise SuiteError(f"`{what}` is a list.", where=where, hint=f"Write {what}=[…].")
    return tuple(scorers)


def _check_names(scorers: Sequence[Scorer], where: str) -> None:
    names = [scorer.name for scorer in scorers]
    for scorer_name in names:
        if names.count(scorer_name) > 1:
            raise SuiteError(
                f'Two scorers are called "{scorer_name}".',
                where=where,
                why="A metric is named after its scorer, so the two would be one.",
                hint=f'Give one another name: {scorer_name}(…).named("…").',
            )


def _check_subject(kind: str, subject: Any, parameters: Mapping[str, Any], label: str, where: str) -> None:
    if subject is None:
        return
    if not (isinstance(subject, str) and subject) and not isinstance(getattr(subject, "version", None), Version):
        raise SuiteError(
            f"`{kind}` is the name of a {kind}, or a {kind.capitalize()}, not {type(subject).__name__}.", where=where
        )
    if kind not in parameters:
        raise SuiteError(
            f"{label} declares a {kind} and takes no argument `{kind}`.",
            where=where,
            why=f"The {kind} is handed to the function, and its version is what the run is said to have tested.",
            hint=f"Write: def {label}(case, {kind}, …).",
        )


def _check_number(what: str, value: Any, where: str, *, whole: bool) -> None:
    if value is None:
        return
    right = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    if not right or value <= 0:
        kind = "a whole number above 0" if whole else "a number of seconds above 0"
        raise SuiteError(f"`{what}` is {kind}, not {value!r}.", where=where)
