"""What is written comes back as it was, field by field, whatever is in it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalkit.canonical import digest, new_id
from evalkit.case import Case, Dataset
from evalkit.runs import DatasetInfo, JudgeRecord, Metric, Provenance, Run, ScorerInfo, SuiteInfo, Verdict
from evalkit.score import ErrorInfo, Score
from evalkit.spans import Span, Trace
from evalkit.store import Spool, Store, ingest, open_store
from evalkit.store.plain import from_plain, to_plain
from evalkit.trial import Output, Trial
from evalkit.usage import Usage
from evalkit.versions import Version

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
usages = st.builds(
    Usage,
    **dict.fromkeys(("input_tokens", "output_tokens", "cached_tokens", "calls"), st.none() | counts),
    **dict.fromkeys(("cost", "saved"), st.none() | money),
    **dict.fromkeys(("uncounted", "unpriced"), counts),
)
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
    usage=st.none() | usages,
    metadata=mappings,
)
long_pieces = (
    json_values | st.lists(json_values, max_size=3) | st.sampled_from(["long " * 300, [{"role": "x" * 600}] * 3])
)
lookalikes = st.sampled_from([{"$blob": "0" * 64}, [{"$blob": "x"}], {"$blob": None}, [[{"$blob": "x" * 64}]]])
attributes = st.dictionaries(st.text(anything, max_size=5), long_pieces | lookalikes, max_size=3)
nanoseconds = st.integers(0, 2**62)
spans = st.builds(
    Span,
    trace_id=st.just(""),  # that of its trace is put in below
    span_id=words,
    parent_id=st.none() | words,
    kind=st.sampled_from(["case", "llm", "embedding", "tool", "agent", "retrieval", "chain", "scorer", "http"]),
    name=texts,
    start_ns=nanoseconds,
    end_ns=nanoseconds,
    status=st.sampled_from(["unset", "ok", "error"]),
    **dict.fromkeys(("error", "model", "provider", "tool_name"), st.none() | texts),
    usage=st.none() | usages,
    attributes=attributes,
    raw=attributes,
    events=st.lists(mappings, max_size=2).map(tuple),
)
versions = st.builds(
    Version,
    kind=st.sampled_from(["prompt", "model"]),
    name=words,
    digest=st.builds(lambda: digest(new_id())),
    body=mappings,
    number=st.none(),
    source=st.none() | texts,
)


@st.composite
def traces(draw: Any) -> Trace:
    """A trace with an id of its own, since a store has each trace once."""
    trace_id = new_id().replace("-", "")
    made = draw(st.lists(spans, max_size=3))
    return Trace(
        trace_id=trace_id,
        spans=tuple(dataclasses.replace(span, trace_id=trace_id) for span in made),
        normaliser=draw(texts),
    )


def numbered(trial: Trial, store: Store) -> Trial:
    """`trial` with its versions as the store numbered them."""
    known = {one.version.digest: one.version for kind in ("prompt", "model") for one in store.versions(kind)}
    return dataclasses.replace(
        trial,
        versions=tuple(dataclasses.replace(version, number=known[version.digest].number) for version in trial.versions),
    )


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
    trace=st.none() | traces(),
    versions=st.lists(versions, max_size=2).map(tuple),
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
judges = st.builds(
    JudgeRecord,
    standing=st.sampled_from(["uncalibrated", "calibrated", "interchangeable", "stale"]),
    calibration=st.none() | words,
    rates=st.none() | st.tuples(counts, counts, counts, counts),
)
scorer_infos = st.builds(
    ScorerInfo, name=words, version=texts, pass_mark=st.none() | texts, config=mappings, judge=st.none() | judges
)
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
    trial = numbered(trial, store)
    assert run.suite("s").trials == (trial,)
    assert store.trial(run.id, "s", "only", trial.number) == trial
    assert store.load(run.id, payload=False).suite("s").trials == (trial.without_payload(),)


@often
@given(trial=trials_of_a_case)
def test_a_trial_as_plain_data(trial: Trial) -> None:
    """What xdist's workers send, and a spool keeps."""
    sent = json.loads(json.dumps(to_plain(trial)))
    assert from_plain(Trial, sent) == trial


@often
@given(trial=trials_of_a_case)
def test_a_trial_through_a_spool(store: Store, tmp_path_factory: pytest.TempPathFactory, trial: Trial) -> None:
    dataset = one_case()
    run = recorded(store, info_on(dataset), dataset)
    spool = Spool(tmp_path_factory.mktemp("spool") / "s.jsonl")
    spool.append(run.id, "s", [trial])
    for _ in range(2):
        assert ingest(store, spool.path) == 1
        assert store.load(run.id).suite("s").trials == (numbered(trial, store),)


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
            "versions": st.lists(versions, max_size=2).map(tuple),
        }
    )
)
def test_what_a_suite_declared(store: Store, info: dict[str, Any]) -> None:
    dataset = one_case()
    declared = info_on(dataset, **info)
    found = recorded(store, declared, dataset).suite(declared.name).info
    assert all(version.number is not None for version in found.versions)
    unnumbered = tuple(dataclasses.replace(version, number=None) for version in found.versions)
    assert dataclasses.replace(found, versions=unnumbered) == declared


@often
@given(
    provenance=provenances,
    seed=st.integers(-(2**80), 2**80),
    started_at=times,
    finished_at=times,
    made=st.lists(metrics, max_size=3).map(tuple),
    decided=st.lists(verdicts, max_size=3).map(tuple),
    degraded=texts,
    prices=mappings,
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
    prices: dict[str, Any],
    status: Any,
) -> None:
    run_id = new_id()
    store.start_run(run_id, started_at=started_at, provenance=provenance, seed=seed)
    ending = {"metrics": made, "verdicts": decided, "degraded": degraded, "prices": prices}
    store.finish_run(run_id, status=status, finished_at=finished_at, **ending)
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
        prices=prices,
    )


def test_every_field_of_every_record_is_tried() -> None:
    """The strategies above name each field, so that one added later cannot be forgotten in the store."""
    import inspect

    source = inspect.getsource(inspect.getmodule(test_every_field_of_every_record_is_tried))  # type: ignore[arg-type] # it is in a module
    records = (
        Score, ErrorInfo, Usage, Output, Trial, Span, Trace, Version, Case, ScorerInfo, JudgeRecord, Metric, Verdict,
        Provenance, SuiteInfo, Run,
    )  # fmt: skip
    for record in records:
        for field in dataclasses.fields(record):
            stated = f"{field.name}=" in source or f'"{field.name}"' in source
            elsewhere = (record, field.name) in ((Score, "kind"), (Run, "suites"))
            assert stated or elsewhere, f"{record.__name__}.{field.name}"


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
