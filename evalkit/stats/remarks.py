"""What should be said aloud of a suite's judges before anybody believes them."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from evalkit.runs import SAME_OUTPUT, JudgeRecord, ScorerInfo, SuiteRun
from evalkit.score import Score
from evalkit.stats.calibration import positions, winners
from evalkit.stats.raters import krippendorff_alpha
from evalkit.trial import Trial

FEWEST = 10
"""Scores below which nothing is remarked: a few that are alike may well be."""

FEWEST_FOR_LENGTH = 30
STRONG = 0.3
"""A correlation with length below this is not worth a sentence."""

_STANDINGS = {
    "uncalibrated": "Nobody has calibrated the judge of {names}: no evidence; see evalkit judges calibrate --help.",
    "unfit": "The judge of {names} was calibrated, and is not fit to decide: no evidence; its card says why.",
    "stale": "The judge of {names} has changed since it was calibrated: no evidence, until it is calibrated again.",
    "calibrated": "The judge of {names} is calibrated.",
    "interchangeable": "The judge of {names} is calibrated, and interchangeable with one more annotator.",
}

_FAMILIES = (
    "gpt", "o1", "o3", "o4", "claude", "gemini", "gemma", "llama", "mistral", "mixtral", "qwen", "deepseek", "phi",
    "grok", "command",
)  # fmt: skip


def remarks(suite: SuiteRun) -> list[str]:
    """Sentences about the judges of a suite and what they were given; empty where there is nothing to say.

    A judge that never varies, answers that could not be read, a liking for a place or for length, judges of a panel
    that do not agree, one output for all cases, and a judge of the same family as the model under test.
    """
    judges = {scorer.name: scorer for scorer in suite.info.scorers if scorer.is_judge}
    if not judges:
        return []
    by_name: dict[str, list[tuple[Trial, Score]]] = defaultdict(list)
    for trial in suite.trials:
        for score in trial.scores:
            if score.name in judges:
                by_name[score.name].append((trial, score))
    said = [*_one_output(suite, by_name)]
    for name, scorer in judges.items():
        found = by_name.get(name, [])
        said += [
            *_unread(name, [score for _, score in found]),
            *_never_varies(name, [score for _, score in found]),
            *_places(name, [score for _, score in found]),
            *_panel(name, [score for _, score in found]),
            *_itself(name, [score for _, score in found]),
            *_length(name, found),
            *_family(name, scorer, suite),
        ]
    return said


def standings(suite: SuiteRun) -> list[str]:
    """How far the judges of a suite can be trusted, a sentence for each rung of the ladder, the lowest first."""
    names: dict[str, list[str]] = defaultdict(list)
    for scorer in suite.info.scorers:
        if scorer.is_judge:
            names[_rung(scorer.judge)].append(scorer.name)
    return [text.format(names=", ".join(names[rung])) for rung, text in _STANDINGS.items() if names[rung]]


def _rung(judge: JudgeRecord | None) -> str:
    if judge is None:
        return "uncalibrated"
    # Somebody did calibrate it, and it did not do.
    return "unfit" if judge.standing == "uncalibrated" and judge.calibration is not None else judge.standing


def family(model: str) -> str | None:
    """The family of a model by its id, such as `gpt` for `gpt-4o-mini`; `None` where it is not known."""
    words = re.split(r"[^a-z0-9]+", model.lower())
    return next((name for name in _FAMILIES for word in words if re.fullmatch(rf"{name}[0-9]*[a-z]?", word)), None)


def correlation(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Pearson's correlation; `None` where either does not vary."""
    n = len(pairs)
    if n < 2:
        return None
    first, second = math.fsum(one for one, _ in pairs) / n, math.fsum(two for _, two in pairs) / n
    shared = math.fsum((one - first) * (two - second) for one, two in pairs)
    spread = math.fsum((one - first) ** 2 for one, _ in pairs) * math.fsum((two - second) ** 2 for _, two in pairs)
    return shared / math.sqrt(spread) if spread > 0 else None


def _one_output(suite: SuiteRun, by_name: Mapping[str, Sequence[tuple[Trial, Score]]]) -> Iterator[str]:
    if not suite.info.metadata.get(SAME_OUTPUT) or len(suite.trials) < FEWEST:
        return
    shown = []
    for name, found in by_name.items():
        values = [score.value for _, score in found if score.value is not None]
        if values:
            shown.append(f"{name} {math.fsum(values) / len(values):.2f}")
    what = f" {', '.join(shown)} is what the judges give it." if shown else ""
    yield f"All {len(suite.trials):,} outputs are one and the same.{what} A judge that rewards it has been fooled."


def _unread(name: str, scores: Sequence[Score]) -> Iterator[str]:
    unread = sum(bool(score.metadata.get("unreadable")) for score in scores)
    if unread:
        yield f"{name}: {unread:,} of {len(scores):,} answers of the judge could not be read, and are no scores."


def _never_varies(name: str, scores: Sequence[Score]) -> Iterator[str]:
    said = Counter(
        score.label if score.label is not None else score.value for score in scores if score.status == "scored"
    )
    if len(said) == 1 and said.total() >= FEWEST:
        (only,) = said
        yield f"{name}: the judge said {only} of all {said.total():,} outputs. One that never varies says nothing."


def _places(name: str, scores: Sequence[Score]) -> Iterator[str]:
    named = [score.metadata["verdicts"] for score in scores if len(score.metadata.get("verdicts", ())) == 2]
    if len(named) < FEWEST:
        return
    found = positions([winners(one) for one in named])
    liked = f"first {found.always_first:,}, second {found.always_second:,}, p = {found.p:.2g}"
    yield (
        f"{name}: both orders agree in {found.consistent.count:,} of {found.consistent.n:,} pairs "
        f"({found.consistent.value:.0%}); where they do not, the same place was named ({liked})."
    )


def _panel(name: str, scores: Sequence[Score]) -> Iterator[str]:
    votes = [score.metadata["votes"] for score in scores if score.metadata.get("votes")]
    if len(votes) < FEWEST:
        return
    alpha = krippendorff_alpha(votes)
    if alpha is not None:
        yield f"{name}: the judges of the panel agree with α = {alpha:.2f} (1 is always, 0 is by chance)."


def _itself(name: str, scores: Sequence[Score]) -> Iterator[str]:
    spreads = [score.metadata["variance"] for score in scores if "variance" in score.metadata]
    if len(spreads) < FEWEST:
        return
    times = max(len(score.metadata["samples"]) for score in scores if "variance" in score.metadata)
    one = math.fsum(spreads) / len(spreads)
    yield (
        f"{name}: asked {times} times about an output, the judge differs from itself by ±{math.sqrt(one):.3g}; in the "
        f"mean of {times}, ±{math.sqrt(one / times):.3g} is left."
    )


def _length(name: str, found: Sequence[tuple[Trial, Score]]) -> Iterator[str]:
    pairs = []
    for trial, score in found:
        if score.value is None:
            continue
        lengths = score.metadata.get("lengths", ())
        if len(lengths) == 2:
            pairs.append((score.value, float(lengths[0] - lengths[1])))
        elif trial.output.usage is not None and trial.output.usage.output_tokens is not None:
            pairs.append((score.value, float(trial.output.usage.output_tokens)))
    if len(pairs) < FEWEST_FOR_LENGTH:
        return
    r = correlation(pairs)
    if r is not None and abs(r) >= STRONG:
        kind = "longer" if r > 0 else "shorter"
        yield f"{name}: {kind} outputs score higher (r = {r:+.2f} over {len(pairs):,}); see whether they are better."


def _family(name: str, scorer: ScorerInfo, suite: SuiteRun) -> Iterator[str]:
    judge = family(str(scorer.config.get("model_id") or scorer.config.get("model") or ""))
    if judge is None:
        return
    for version in suite.info.versions:
        if version.kind == "model" and family(str(version.body.get("model", ""))) == judge:
            yield f"{name}: judge and model under test are both of the {judge} family, which judges tend to favour."
