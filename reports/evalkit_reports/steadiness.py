"""What repeats say: which cases are flaky, and how much of the error comes from running again."""

from __future__ import annotations

import dataclasses

from evalkit.runs import SuiteRun
from evalkit.stats.columns import Column, Table, read
from evalkit.stats.means import per_case
from evalkit.stats.repeats import flaky_cases
from evalkit.stats.variance import VarianceSplit, variance_split
from evalkit_reports import words

_MOST_FLAKY = 200


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Flaky:
    """A case that was right in some trials only. `marks` has a letter for each trial: `p`, `m`, `e` or `u`."""

    case: str
    passes: int
    trials: int
    marks: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FlakyTable:
    """The flaky cases of one score, those that disagree most first; `more` counts what is not listed."""

    score: str
    cases: int
    of: int
    rows: tuple[Flaky, ...]
    more: int
    about: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SplitRow:
    """The variance of one score: the share that lies between cases, in per cent, and the two standard errors.

    `advice` says what would narrow the interval, and by how much.
    """

    score: str
    between: float
    within: float
    sampling: str
    rerun: str
    advice: str
    text: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Steadiness:
    """Flaky cases and split variances of the scores of a suite; both empty where nothing was repeated."""

    flaky: tuple[FlakyTable, ...] = ()
    splits: tuple[SplitRow, ...] = ()


def steadiness(suite: SuiteRun) -> Steadiness:
    """What the repeats of a suite say."""
    if suite.info.repeat < 2 and not any(trial.number > 1 for trial in suite.trials):
        return Steadiness()
    table = read(suite)
    flaky: list[FlakyTable] = []
    splits: list[SplitRow] = []
    for column in table.columns.values():
        if column.builtin or column.shape == "label":
            continue
        judged = column.shape == "binary" or any(passed is not None for passed in column.passed)
        if judged and (found := _flaky(table, column)) is not None:
            flaky.append(found)
        split = variance_split(per_case(table, column, failed_as_zero=True))
        if split is not None:
            splits.append(_split(column.name, split))
    return Steadiness(flaky=tuple(flaky), splits=tuple(splits))


def _flaky(table: Table, column: Column) -> FlakyTable | None:
    found = flaky_cases(table, column)
    if not found:
        return None
    marks: dict[str, list[tuple[int, str]]] = {}
    letters = {"passed": "p", "missed": "m", "errored": "e", "unscored": "u"}
    for trial in table.suite.trials:
        score = next((score for score in trial.scores if score.name == column.name), None)
        passed = None if score is None else score.passed
        letter = letters[trial.outcome] if passed is None else "p" if passed else "m"
        marks.setdefault(trial.case_id, []).append((trial.number, letter))
    cases = len(table.case_ids)
    return FlakyTable(
        score=column.name,
        cases=len(found),
        of=cases,
        rows=tuple(
            Flaky(
                case=one.case_id,
                passes=one.passes,
                trials=one.trials,
                marks="".join(letter for _, letter in sorted(marks[one.case_id])),
            )
            for one in found[:_MOST_FLAKY]
        ),
        more=max(len(found) - _MOST_FLAKY, 0),
        about=f"{len(found):,} of {words.count(cases, 'case')} ({words.share(len(found), cases)})",
    )


def _split(score: str, split: VarianceSplit) -> SplitRow:
    whole = split.between + split.within
    between = 100 * split.between / whole if whole > 0 else 0.0
    sampling, rerun = words.number(split.sampling), words.number(split.rerun)
    return SplitRow(
        score=score,
        between=round(between, 2),
        within=round(100 - between, 2) if whole > 0 else 0.0,
        sampling=f"± {sampling}",
        rerun=f"± {rerun}",
        advice=_advice(split),
        text=(
            f"{score}: {between:.0f}% of the variance lies between cases, {100 - between:.0f}% between runs of the "
            f"same case; standard error {sampling} over other cases, {rerun} over other runs"
            if whole > 0
            else f"{score}: every trial came out the same"
        ),
    )


def _advice(split: VarianceSplit) -> str:
    """Which of as many more calls would narrow the interval more: more trials of each case, or more cases."""
    now = split.half_width()
    if not now > 0:
        return ""
    trials = split.half_width(more_trials=split.trials)
    cases = split.half_width(more_cases=split.cases)
    better = "twice the cases" if cases <= trials else "twice the trials"
    narrow = f"±{min(cases, trials):.3g} instead of ±{now:.3g}"
    return f"For twice the calls, {better} would help most: about {narrow} at 95%."
