"""What is written comes back as it was, field by field, whatever is in it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalkit.canonical import new_id
from evalkit.case import Case, Dataset
from evalkit.runs import DatasetInfo, Metric, Provenance, Run, ScorerInfo, SuiteInfo, Verdict
from evalkit.score import ErrorInfo, Score
from evalkit.store import Store, open_store
from evalkit.trial import Output, Trial, Usage

anything = st.characters(exclude_categories=())  # halves of surrogate pairs and NUL among them
texts = st.text(anything, max_size=20) | st.sampled_from(["line\nbreak", "long \x00 \ud800" * 900])
words = st.text(anything, min_size=1, max_size=8)
finite = st.floats(allow_nan=False, allow_infinity=False)
counts = st.integers(0, 2**40)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | finite | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(anything, max_size=5), inner, max_size=3),
    max_leaves=6,
)
mappings = st.dictionaries(st.text(anything, max_size=5), json_values, max_size=3)
named = st.dictionaries(words, words, max_size=3)
times = st.datetimes(
    min_value=dt.datetime(1970, 1, 2),  # noqa: DTZ001 - the zone is drawn apart
    max_value=dt.datetime(9000, 1, 1),  # noqa: DTZ001 - the same
    timezones=st.sampled_from([dt.UTC, dt.timezone(dt.timedelta(hours=5, minutes=30))]),
)
money = st.decimals(allow_nan=False, allow_infinity=False)

errors = st.builds(ErrorInfo, type=words, message=texts, traceback=st.none() | texts, is_assertion=st.booleans())
scores = st.builds(
    Score,
    name=words,
    value=st.none() | st.booleans() | finite,
    label=st.none() | texts,
    explanation=st.none() | texts,
    status=st.sampled_from(["scored", "unscored", "error"]),
    passed=st.none() | st.booleans(),
    scorer=words,
    scorer_version=texts,
    error=st.none() | errors,
    metadata=mappings,
)
# A usage of which nothing is known says what `None` says, and comes back as that.
usages = st.builds(
    Usage, input_tokens=st.none() | counts, output_tokens=st.none() | counts, cost=st.none() | money
).filter(lambda usage: usage != Usage())
outputs_made = st.builds(
    Output,
    value=json_values,
    error=st.none() | errors,
    latency=st.none() | finite,
    usage=st.none() | usages,
    trace_id=st.none() | words,
    metadata=mappings,
)
trials_of_a_case = st.builds(
    Trial,
    case_id=st.just("only"),
    number=st.integers(1, 99),
    attempt=st.integers(1, 9),
    output=outputs_made,
    scores=st.lists(scores, max_size=3).map(tuple),
    outcome=st.sampled_from(["passed", "missed", "errored", "unscored"]),
    started_at=times,
    duration=finite,
    nodeid=st.none() | texts,
)
cases = st.builds(
    Case,
    id=words,
    input=json_values,
    expected=json_values,
    metadata=mappings,
    tags=st.lists(texts, max_size=2).map(tuple),
    source=st.none() | texts,
)
scorer_infos = st.builds(ScorerInfo, name=words, version=texts, pass_mark=st.none() | texts, config=mappings)
numbers = st.none() | st.floats(allow_nan=False)
tallies: dict[str, Any] = dict.fromkeys(("cases", "trials", "scored", "unscored", "errored"), st.integers(0, 2**31 - 1))
metrics = st.builds(
    Metric,
    suite=words,
    name=words,
    statistic=words.filter(str.isalnum),
    value=numbers,
    unit=texts,
    low=numbers,
    high=numbers,
    level=finite,
    method=st.sampled_from(["", "clopper-pearson"]),
    slice=named,
    note=texts,
    **tallies,
)
verdicts = st.builds(
    Verdict,
    suite=words,
    gate=texts,
    decision=st.sampled_from(["pass", "fail", "inconclusive"]),
    observed=numbers,
    low=numbers,
    high=numbers,
    level=st.none() | finite,
    method=st.sampled_from(["", "clopper-pearson"]),
    reason=texts,
    hint=texts,
    fragile=st.booleans(),
    on_inconclusive=st.sampled_from(["fail", "warn", "pass"]),
    inputs=mappings,
    **tallies,
)
provenances = st.builds(
    Provenance,
    commit=st.none() | texts,
    branch=st.none() | texts,
    dirty=st.none() | st.booleans(),
    **dict.fromkeys(("command", "python", "platform", "host", "user", "evalkit"), texts),
    packages=named,
    ci=named,
)

often = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


def one_case() -> Dataset:
    return Dataset.of([Case(id="only", input="?")], name="one")


def info_on(dataset: Dataset, **changes: Any) -> SuiteInfo:
    described = DatasetInfo(name=dataset.name, digest=dataset.digest, size=len(dataset.cases), source=dataset.source)
    return SuiteInfo(**({"name": "s", "nodeid": "a.py::s", "location": "a.py:1", "dataset": described} | changes))


def recorded(store: Store, info: SuiteInfo, dataset: Dataset, *trials: Trial) -> Run:
    run_id = new_id()
    store.start_run(run_id, started_at=dt.datetime.now(dt.UTC), provenance=Provenance(), seed=0)
    store.add_suite(run_id, info, dataset, dataset.cases)
    store.add_trials(run_id, info.name, trials)
    return store.load(run_id)


@often
@given(trial=trials_of_a_case)
def test_a_trial_with_its_output_and_scores(store: Store, trial: Trial) -> None:
    dataset = one_case()
    run = recorded(store, info_on(dataset), dataset, trial)
    assert run.suite("s").trials == (trial,)
    assert store.trial(run.id, "s", "only", trial.number) == trial
    assert store.load(run.id, payload=False).suite("s").trials == (trial.without_payload(),)


@often
@given(made=st.lists(cases, min_size=1, max_size=4, unique_by=lambda case: case.id), source=st.none() | texts)
def test_a_dataset_with_its_cases(store: Store, made: list[Case], source: str | None) -> None:
    dataset = Dataset(name="d", cases=tuple(made), digest=new_id(), source=source)
    info = info_on(dataset)
    run = recorded(store, info, dataset)
    assert run.suite("s").cases == dataset.cases
    assert run.suite("s").info == info


@often
@given(
    info=st.fixed_dictionaries(
        {
            "name": words,
            "nodeid": texts,
            "location": texts,
            "scorers": st.lists(scorer_infos, max_size=2).map(tuple),
            "gates": st.lists(texts, max_size=2).map(tuple),
            "repeat": st.integers(1, 99),
            "declared": st.integers(0, 10**6),
            "planned": st.integers(0, 10**6),
            "selection": st.none() | texts,
            "seed": st.integers(-(2**80), 2**80),
            "metadata": mappings,
        }
    )
)
def test_what_a_suite_declared(store: Store, info: dict[str, Any]) -> None:
    dataset = one_case()
    declared = info_on(dataset, **info)
    assert recorded(store, declared, dataset).suite(declared.name).info == declared


@often
@given(
    provenance=provenances,
    seed=st.integers(-(2**80), 2**80),
    started_at=times,
    finished_at=times,
    made=st.lists(metrics, max_size=3).map(tuple),
    decided=st.lists(verdicts, max_size=3).map(tuple),
    degraded=texts,
    status=st.sampled_from(["complete", "interrupted", "failed"]),
)
def test_a_run_with_provenance_metrics_and_verdicts(
    store: Store,
    provenance: Provenance,
    seed: int,
    started_at: dt.datetime,
    finished_at: dt.datetime,
    made: tuple[Metric, ...],
    decided: tuple[Verdict, ...],
    degraded: str,
    status: Any,
) -> None:
    run_id = new_id()
    store.start_run(run_id, started_at=started_at, provenance=provenance, seed=seed)
    store.finish_run(run_id, status=status, finished_at=finished_at, metrics=made, verdicts=decided, degraded=degraded)
    assert store.load(run_id) == Run(
        id=run_id,
        status=status,
        started_at=started_at,
        finished_at=finished_at,
        provenance=provenance,
        metrics=made,
        verdicts=decided,
        seed=seed,
        store=store.url,
        degraded=degraded,
    )


def test_every_field_of_every_record_is_tried() -> None:
    """The strategies above name each field, so that one added later cannot be forgotten in the store."""
    import dataclasses
    import inspect

    source = inspect.getsource(inspect.getmodule(test_every_field_of_every_record_is_tried))  # type: ignore[arg-type] # it is in a module
    for record in (Score, ErrorInfo, Usage, Output, Trial, Case, ScorerInfo, Metric, Verdict, Provenance, SuiteInfo):
        for field in dataclasses.fields(record):
            stated = f"{field.name}=" in source or f'"{field.name}"' in source
            assert stated or (record is Score and field.name == "kind"), f"{record.__name__}.{field.name}"


@pytest.mark.parametrize("zone", [dt.UTC, dt.timezone(dt.timedelta(hours=-8))])
def test_times_are_stored_in_utc_as_text_that_sorts(tmp_path: Path, zone: dt.tzinfo) -> None:
    with open_store(tmp_path / "e.db") as store:
        started = dt.datetime(2026, 11, 22, 9, 30, tzinfo=zone)
        store.start_run("r", started_at=started, provenance=Provenance(), seed=0)
        assert store.load("r").started_at == started
        assert store.load("r").started_at.utcoffset() == dt.timedelta(0)


def test_money_keeps_its_digits(tmp_path: Path) -> None:
    dataset = one_case()
    cost = Decimal("0.000123456789012345678901234567890")
    trial = Trial(
        case_id="only",
        output=Output(usage=Usage(cost=cost)),
        outcome="passed",
        started_at=dt.datetime.now(dt.UTC),
        duration=0.1,
    )
    with open_store(tmp_path / "e.db") as store:
        usage = recorded(store, info_on(dataset), dataset, trial).suite("s").trials[0].output.usage
        assert usage is not None
        assert str(usage.cost) == str(cost)
