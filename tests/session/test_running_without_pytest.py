"""`evalkit.run(suite)` gives the same `Run` as pytest does."""

from __future__ import annotations

import asyncio

import pytest

import evalkit
from evalkit.errors import GateError, SuiteError
from evalkit.store import open_store

ROWS = [evalkit.Case(id=f"c{n}", input=n, expected=n, tags=("half",) if n % 2 == 0 else ()) for n in range(160)]


def same(output, expected):
    return output == expected


@evalkit.suite(dataset=ROWS, scorers=[same], gates=["same >= 0.9", "same[half] >= 0.95 @ 95%"])
async def _answers(case):
    await asyncio.sleep(0)
    return case.input if case.input != 8 else None


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_run_is_stored_judged_and_returned(tmp_path):
    run = evalkit.run(_answers, progress=False)
    assert run.status == "complete"
    assert [verdict.decision for verdict in run.verdicts] == ["pass", "inconclusive", "pass"]
    assert run.decision == "inconclusive"
    (mean,) = [metric for metric in run.metrics if metric.name == "same" and not metric.slice]
    assert (mean.value, mean.scored, mean.method) == (159 / 160, 160, "Clopper-Pearson")
    with open_store(tmp_path / ".evalkit" / "evalkit.db") as store:
        again = store.load(store.resolve("last"))
    assert again.verdicts == run.verdicts
    assert again.metrics == run.metrics
    assert again.suites[0].trials[0].output.value == 0


def test_it_works_where_a_loop_is_running_already():
    async def in_a_notebook():
        return evalkit.run(_answers, progress=False)

    assert len(asyncio.run(in_a_notebook()).suites[0].trials) == 160


def test_options_win_over_the_declaration(tmp_path):
    run = evalkit.run(
        _answers, repeat=2, sample=5, seed=3, store=tmp_path / "other.db", gates=["errors <= 0"], progress=False
    )
    assert len(run.suites[0].trials) == 10
    assert run.suites[0].info.is_partial
    assert run.verdicts[2].gate == "errors <= 0"
    assert (tmp_path / "other.db").exists()


def test_progress_is_told(capsys):
    seen = []
    evalkit.run(_answers, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (160, 160)
    assert sorted(seen) == seen


def test_to_frame_has_a_row_for_each_score():
    frame = evalkit.run(_answers, progress=False).to_frame()
    assert len(frame) == 160
    assert frame.loc[frame["case"] == "c8", "passed"].tolist() == [False]
    assert frame["value"].mean() == 159 / 160


def test_fixtures_come_as_arguments():
    @evalkit.suite(dataset=ROWS[:3], scorers=[same])
    def needs(case, client):
        return client(case.input)

    with pytest.raises(SuiteError, match="only pytest could give"):
        evalkit.run(needs)
    run = evalkit.run(needs, arguments={"client": lambda n: n}, progress=False)
    assert {trial.outcome for trial in run.suites[0].trials} == {"passed"}


def test_several_suites_make_one_run():
    @evalkit.suite(dataset=ROWS[:3], scorers=[same])
    def other(case):
        return case.input

    run = evalkit.run(_answers, other, progress=False)
    assert [suite.info.name for suite in run.suites] == ["_answers", "other"]


def test_mistakes_are_raised_before_anything_runs(tmp_path):
    with pytest.raises(SuiteError, match="not a suite"):
        evalkit.run(same)
    with pytest.raises(SuiteError, match="no suite"):
        evalkit.run()
    with pytest.raises(GateError, match="same"):
        evalkit.run(_answers, gates=["sme >= 1"])
    assert not (tmp_path / ".evalkit").exists()


def test_ctrl_c_keeps_what_is_done(tmp_path):
    @evalkit.suite(dataset=ROWS, scorers=[same], max_concurrency=1)
    async def interrupted(case):
        if case.input == 5:
            raise KeyboardInterrupt
        return case.input

    with pytest.raises(KeyboardInterrupt):
        evalkit.run(interrupted, progress=False)
    with open_store(tmp_path / ".evalkit" / "evalkit.db") as store:
        run = store.load(store.resolve("last"))
    assert run.status == "interrupted"
    assert [trial.case_id for trial in run.suites[0].trials] == [f"c{n}" for n in range(5)]


def test_a_declaration_leaves_the_function_as_it_is():
    assert asyncio.run(_answers(ROWS[3])) == 3
    assert _answers.__name__ == "_answers"


@evalkit.suite(dataset=ROWS[:12], scorers=[same], repeat=2, gates=["pass@2 >= 1", "pass^2 >= 0.5", "flake_rate >= 0.5"])
def _every_other(case, evalkit):
    return case.input if (case.input + evalkit.trial) % 2 else None


def test_a_body_knows_which_trial_it_is_without_pytest():
    run = evalkit.run(_every_other, progress=False)
    assert [verdict.decision for verdict in run.verdicts] == ["pass", "fail", "pass", "pass"]
    assert [verdict.observed for verdict in run.verdicts[:3]] == [1.0, 0.0, 1.0]


@evalkit.suite(
    dataset=[evalkit.Case(id=f"c{n}", input=n, expected=n, metadata={"doc": n // 4}) for n in range(40)],
    scorers=[same],
    cluster="doc",
    metadata={"team": "search"},
)
def _by_document(case):
    return case.input


def test_the_cluster_key_is_kept_with_the_run(tmp_path):
    run = evalkit.run(_by_document, progress=False)
    with open_store(tmp_path / ".evalkit" / "evalkit.db") as store:
        again = store.load(store.resolve("last"))
    assert run.suites[0].info.cluster == again.suites[0].info.cluster == "doc"
    (metric,) = [metric for metric in again.metrics if metric.name == "same" and not metric.slice]
    assert metric.method == "Korn-Graubard"


def test_a_cluster_key_is_a_name():
    with pytest.raises(SuiteError, match="`cluster` is the name of a metadata key, not 3"):
        evalkit.suite(dataset=ROWS, cluster=3)(lambda case: case)
