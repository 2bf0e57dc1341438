"""The records of a run: what was declared, what came out, what was decided, and what produced it.

They travel between all the stages: the runner fills them, the store keeps them, gates and reports read them.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from evalkit.annotation import Annotation
from evalkit.case import CLUSTER, Case
from evalkit.errors import MissingExtra
from evalkit.trial import Trial
from evalkit.usage import Spending, Usage, summed
from evalkit.versions import Version, unique

if TYPE_CHECKING:
    import pandas as pd

RunStatus = Literal["running", "complete", "interrupted", "failed"]
StopRule = Literal["decided", "anytime"]
STOP = "evalkit.stop"
"""Where the metadata of a suite keep by which rule it could stop early, and whether it did."""
Decision = Literal["pass", "fail", "inconclusive"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What produced a run: enough to say which code it was, on which machine, and how to start it again.

    Every field is `None` or empty where it could not be known. `dirty` is whether the checkout had
    uncommitted changes. `ci` has the well-known variables of the CI system, `packages` the versions of the
    installed distributions that matter.
    """

    commit: str | None = None
    branch: str | None = None
    dirty: bool | None = None
    command: str = ""
    python: str = ""
    platform: str = ""
    host: str = ""
    user: str = ""
    evalkit: str = ""
    packages: Mapping[str, str] = dataclasses.field(default_factory=dict)
    ci: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class DatasetInfo:
    """Which dataset a suite ran on: `digest` is its version, `size` the number of its cases."""

    name: str
    digest: str
    size: int
    source: str | None = None


SAME_OUTPUT = "same_output"
"""The key of a suite's metadata that says that all its outputs were one and the same."""

OUTPUTS_ENDED = "outputs_ended"
"""The key of a suite's metadata that says, in ISO 8601, when the run ended whose outputs were scored again."""

Standing = Literal["uncalibrated", "stale", "calibrated", "interchangeable"]
"""Where a judge stands on the ladder; `stale` is one that was calibrated in another version."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class JudgeRecord:
    """How far a judge can be trusted, as it was known. `calibration` is the id of what says so, `None` without one.

    `rates` are, for a judge of yes and no, the passes it found, all passes, the fails it found, and all fails.
    """

    standing: Standing = "uncalibrated"
    calibration: str | None = None
    rates: tuple[int, int, int, int] | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ScorerInfo:
    """Which scorer a suite used; `pass_mark` is text such as `>= 0.8`, or `None`. `judge` is how far one that asks a
    model can be trusted, `None` for any other.
    """

    name: str
    version: str
    pass_mark: str | None = None
    config: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    judge: JudgeRecord | None = None

    @property
    def is_judge(self) -> bool:
        """Whether it asks a model by a rubric, or is made of scorers that do: a panel, a cascade."""
        return "rubric_version" in self.config or "judges" in self.config


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """By which rule a suite could stop before its last case, and what came of it.

    `seed` gives the order of the cases (`evalkit.stats.sequential.shuffled`). `at` is after how many cases of that
    order everything was decided, out of `cases`; `None` where the suite ran to its end. `level` is how sure `anytime`
    was of each gate, `None` otherwise. `kept` says why the suite could not stop early, and is empty where it could.
    """

    rule: StopRule
    seed: int
    at: int | None = None
    cases: int = 0
    level: float | None = None
    kept: str = ""

    def to_metadata(self) -> dict[str, Any]:
        """The record as it stands in the metadata of the suite, under `STOP`."""
        return {STOP: {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SuiteInfo:
    """What a suite declared, as it was in one run.

    `name` is unique within the run. `nodeid` is `path::function` without a case, `location` is `path:line`.
    `planned` is how many trials were selected to run, `declared` how many the whole suite has; where they
    differ, or the suite stopped before its last trial, `selection` says why (`-k`, `sample`, `stopped at …`) and the
    run is partial. `versions` are the prompt and the model
    that the suite declares.
    """

    name: str
    nodeid: str
    location: str
    dataset: DatasetInfo
    scorers: tuple[ScorerInfo, ...] = ()
    gates: tuple[str, ...] = ()
    repeat: int = 1
    declared: int = 0
    planned: int = 0
    selection: str | None = None
    seed: int = 0
    metadata: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    versions: tuple[Version, ...] = ()

    @property
    def cluster(self) -> str | None:
        """The metadata key of the cases by which they hang together; `None` where each stands for itself."""
        key = self.metadata.get(CLUSTER)
        return key if isinstance(key, str) else None

    @property
    def stop(self) -> Stop | None:
        """By which rule the suite could stop early, and whether it did; `None` where it could not."""
        found = self.metadata.get(STOP)
        return Stop(**found) if isinstance(found, Mapping) else None

    @property
    def is_partial(self) -> bool:
        """Whether only some of the trials were selected; a partial run is no baseline and no evidence."""
        return self.planned != self.declared or self.selection is not None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SuiteRun:
    """One suite in one run: the declaration, the cases that were selected, the trials that finished.

    `trials` may come without payload (`Trial.without_payload`); every other field of theirs is there. `labels` are
    what people said of the outputs, where somebody asked for them.
    """

    info: SuiteInfo
    cases: tuple[Case, ...]
    trials: tuple[Trial, ...]
    labels: tuple[Annotation, ...] = ()

    @property
    def versions(self) -> tuple[Version, ...]:
        """The prompts and models that were used: those the suite declares, then those that its trials loaded."""
        loaded = (version for trial in self.trials if trial.versions for version in trial.versions)
        return unique([*self.info.versions, *loaded])


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """An aggregate over the scores of one suite, with its interval.

    `name` is the score's (`accuracy`) or a built-in (`errors`, `latency`, `cost`, `input_tokens`,
    `output_tokens`); `statistic` is `mean`, `rate`, `min`, `max`, `sum`, `p95` and so on. `value` is `None`
    where nothing was scored. `low` and `high` bound the interval at `level` (0.95), made by `method`, and are
    `None` where the data allow none. `cases` and `trials` count what was planned and ran;
    `scored + unscored + errored` are the trials. `slice` is empty for the whole suite, else one key and its value
    (`{"lang": "de"}`) or `{"tag": "hard"}`.
    """

    suite: str
    name: str
    statistic: str
    value: float | None
    unit: str = ""
    low: float | None = None
    high: float | None = None
    level: float = 0.95
    method: str = ""
    cases: int = 0
    trials: int = 0
    scored: int = 0
    unscored: int = 0
    errored: int = 0
    slice: Mapping[str, str] = dataclasses.field(default_factory=dict)
    note: str = ""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a gate decided, with the numbers it used.

    `reason` is a sentence for a person, `hint` the cheapest way to a decision, `fragile` says that one case
    more or less would have changed a point gate. `inputs` holds the sufficient statistics, so that the
    verdict can be computed again from the record alone.
    """

    suite: str
    gate: str
    decision: Decision
    observed: float | None = None
    low: float | None = None
    high: float | None = None
    level: float | None = None
    method: str = ""
    cases: int = 0
    trials: int = 0
    scored: int = 0
    unscored: int = 0
    errored: int = 0
    reason: str = ""
    hint: str = ""
    fragile: bool = False
    on_inconclusive: Literal["fail", "warn", "pass"] = "fail"
    inputs: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One execution of one or more suites.

    `metrics` and `verdicts` are those computed when the run finished; a run that did not finish has none.
    `store` is the URL of the store that has it, `None` where none has; `degraded` says what could not be
    stored, and is empty where everything was. `prices` says where the prices of its costs were taken from, and is
    empty where nothing was priced.
    """

    id: str
    status: RunStatus
    started_at: dt.datetime
    finished_at: dt.datetime | None = None
    provenance: Provenance = dataclasses.field(default_factory=Provenance)
    suites: tuple[SuiteRun, ...] = ()
    metrics: tuple[Metric, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    seed: int = 0
    store: str | None = None
    degraded: str = ""
    prices: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def is_partial(self) -> bool:
        """Whether any suite ran on a part of its trials only, or the run did not finish."""
        return self.status != "complete" or any(suite.info.is_partial for suite in self.suites)

    @property
    def decision(self) -> Decision | None:
        """The one verdict over all gates: `fail` beats `inconclusive` beats `pass`; `None` without gates."""
        return worst(self.verdicts)

    def suite(self, name: str) -> SuiteRun:
        """The suite of that name; raises `KeyError` where there is none."""
        for suite in self.suites:
            if suite.info.name == name:
                return suite
        raise KeyError(name)

    def usage(self) -> Spending:
        """The tokens and the money that the run took, split into the functions under test and their judges.

        What is unknown is left out of the sums and counted: `uncounted` calls without tokens, `unpriced` ones without a
        known price.
        """
        return spending([trial for suite in self.suites for trial in suite.trials])

    def to_frame(self) -> pd.DataFrame:
        """One row per trial and score, as a pandas DataFrame.

        Columns: `suite, case, trial, outcome, latency, input_tokens, output_tokens, cost, score, value, label,
        status, passed`. A trial without scores has one row whose score is `None`. Needs the extra `frames`.
        """
        try:
            import pandas as pd
        except ImportError:
            raise MissingExtra("pandas", "frames", needed_for="Run.to_frame()") from None

        return pd.DataFrame.from_records([row for suite in self.suites for row in _rows(suite)])


def worst(verdicts: Sequence[Verdict]) -> Decision | None:
    """The decision over several verdicts: `fail` beats `inconclusive` beats `pass`; `None` for none.

    An inconclusive verdict whose gate says `on_inconclusive="pass"` counts as a pass.
    """
    decisions = {
        "pass" if verdict.decision == "inconclusive" and verdict.on_inconclusive == "pass" else verdict.decision
        for verdict in verdicts
    }
    for decision in ("fail", "inconclusive", "pass"):
        if decision in decisions:
            return decision
    return None


def spending(trials: Sequence[Trial]) -> Spending:
    """What `trials` used, split into the function under test and its judges."""
    return Spending(
        target=summed(trial.output.usage for trial in trials),
        judges=summed(score.usage for trial in trials for score in trial.scores),
    )


def _rows(suite: SuiteRun) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for trial in suite.trials:
        usage = trial.output.usage or Usage()
        base = {
            "suite": suite.info.name,
            "case": trial.case_id,
            "trial": trial.number,
            "outcome": trial.outcome,
            "latency": trial.output.latency,
            "input_tokens": usage.input_tokens,
            "output_tokens": usage.output_tokens,
            "cost": None if usage.cost is None else float(usage.cost),
        }
        blank = {"score": None, "value": None, "label": None, "status": None, "passed": None}
        rows.extend(
            base
            | {
                "score": score.name,
                "value": score.value,
                "label": score.label,
                "status": score.status,
                "passed": score.passed,
            }
            for score in trial.scores
        )
        if not trial.scores:
            rows.append(base | blank)
    return rows
