"""What changed against the baseline: cases that newly fail and newly pass, and the text of the prompt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from evalkit.comparison import SuiteComparison, VersionPair
from evalkit.figures import count, figure
from evalkit.registry.differing import Changes, difference, readable
from evalkit.runs import SuiteRun
from evalkit.trial import Trial
from evalkit_reports.markdown import neutral
from evalkit_reports.markdown.fitting import Detail

_LONGEST_VALUE = 200


def newly(suite: SuiteRun, compared: SuiteComparison, detail: Detail) -> Iterator[str]:
    """The cases that newly fail, openly, and those that newly pass, folded; nothing where there are none."""
    trials = by_case(suite)
    if compared.newly_failing:
        yield from ("", f"**Newly failing: {count(len(compared.newly_failing), 'case')}**", "")
        yield from listed(compared.newly_failing, trials, detail)
    if compared.newly_passing:
        title = f"Newly passing: {count(len(compared.newly_passing), 'case')}"
        yield from folded(title, listed(compared.newly_passing, trials, detail))
    if compared.cases and not compared.newly_failing and not compared.newly_passing:
        yield from ("", f"No case newly fails or newly passes, of {count(compared.cases, 'case')} in both runs.")
    if compared.unpaired:
        text = f"{count(len(compared.unpaired), 'case')} ran on one side only, and could not be compared."
        yield from ("", text)


def unsuccessful(suite: SuiteRun, detail: Detail) -> Iterator[str]:
    """Where there is no baseline: the cases that did not pass, errors first, folded."""
    trials = by_case(suite)
    worst = {case: min(map(_rank, mine)) for case, mine in trials.items()}
    ids = sorted((case for case, rank in worst.items() if rank < len(_RANKS)), key=lambda case: worst[case])
    if ids:
        yield from folded(f"Did not pass: {count(len(ids), 'case')}", listed(ids, trials, detail))


def listed(ids: Sequence[str], trials: Mapping[str, Sequence[Trial]], detail: Detail) -> Iterator[str]:
    """A line for each case with what became of it, and how many more there are."""
    for case in ids[: detail.cases]:
        yield f"- {neutral.code(case)}: {_became(trials.get(case, ()), detail)}"
    if len(ids) > detail.cases:
        yield f"- {len(ids) - detail.cases:,} more"


def prompt_diffs(pairs: Sequence[VersionPair], detail: Detail) -> Iterator[str]:
    """What differs between the two versions of each prompt and model that is not the same on both sides, folded."""
    for pair in pairs:
        before, after = pair.base, pair.candidate
        if before is None or after is None or before.digest == after.digest:
            continue
        changes = difference(before, after)
        summary = f"What changed in {before.kind} {neutral.markup(after.name)}"
        yield from folded(summary, _changes(changes, detail, whole=len(readable(after.body))))


def folded(summary: str, lines: Iterator[str]) -> Iterator[str]:
    """The lines below a summary that a click opens. `summary` is HTML of ours."""
    yield from ("", f"<details><summary>{summary}</summary>", "")
    yield from lines
    yield from ("", "</details>")


def by_case(suite: SuiteRun) -> dict[str, list[Trial]]:
    """The trials of each case."""
    found: dict[str, list[Trial]] = {}
    for trial in suite.trials:
        found.setdefault(trial.case_id, []).append(trial)
    return found


_RANKS = ("errored", "missed", "unscored")


def _rank(trial: Trial) -> int:
    return _RANKS.index(trial.outcome) if trial.outcome in _RANKS else len(_RANKS)


def _became(trials: Sequence[Trial], detail: Detail) -> str:
    """`missed, right 0`, of the worst trial; of several, how many passed."""
    if not trials:
        return "not run"
    worst = min(trials, key=_rank)
    passed = sum(trial.outcome == "passed" for trial in trials)
    said = worst.outcome if len(trials) == 1 else f"{passed} of {count(len(trials), 'trial')} passed"
    if worst.outcome == "passed":
        return said
    error = worst.output.error or next((score.error for score in worst.scores if score.error is not None), None)
    if error is not None:
        return f"{said}, {neutral.code(f'{error.type}: {error.message}', min(detail.length, 200))}"
    low = [score for score in worst.scores if score.passed is False] or worst.scores
    values = [(score.name, score.label if score.value is None else figure(score.value)) for score in low[:3]]
    told = [f"{neutral.code(name, 60)} {neutral.prose(value or 'unscored', 60)}" for name, value in values]
    return ", ".join([said, *told])


def _changes(changes: Changes, detail: Detail, *, whole: int) -> Iterator[str]:
    for title, names in (("New variables", changes.variables_added), ("No longer there", changes.variables_removed)):
        if names:
            yield f"{title}: {', '.join(neutral.code(name) for name in names[:20])}"
            yield ""
    for change in changes.values[: detail.cases]:
        sides = (neutral.code(_shown(value), _LONGEST_VALUE) for value in (change.before, change.after))
        yield f"- {neutral.code(change.path)}: {' → '.join(sides)}"
    if len(changes.values) > detail.cases:
        yield f"- {len(changes.values) - detail.cases:,} more settings"
    if changes.lines and detail.lines:
        # No line may be so long that a whole prompt hides in it.
        lines = [
            mark + "".join(text for _, text in pieces)[: detail.length]
            for mark, pieces in changes.lines[: detail.lines]
        ]
        if changes.values:
            yield ""
        yield from neutral.fence(lines, "diff")
    hidden = len(changes.lines) - detail.lines
    if hidden > 0:
        yield from ("", f"{count(hidden, 'more line')} of the difference; the text has {count(whole, 'line')}.")


def _shown(value: object) -> str:
    return "–" if value is None else str(value)
