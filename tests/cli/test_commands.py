"""What each command shows, and the code it leaves with."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalkit import __version__
from evalkit.case import Case
from evalkit.runs import Run
from evalkit.store import Spool, open_store

Cli = Callable[..., Any]
MakeRun = Callable[..., Run]


def test_runs_lists_the_newest_first(cli: Cli, make_run: MakeRun) -> None:
    first, second = make_run(), make_run(wrong=tuple(range(15)), name="other")
    listed = cli("runs").out.splitlines()
    assert listed[0].split()[:5] == ["run", "started", "status", "gates", "trials"]
    assert [line.split()[-1] for line in listed[1:]] == ["other", "sums"]
    assert ["FAIL" in line for line in listed[1:]] == [True, False]
    found = cli("runs", "--json").json()
    assert [run["id"] for run in found] == [second.id, first.id]
    assert found[0]["trials"] == {"planned": 20, "passed": 5, "missed": 15, "errored": 0, "unscored": 0}


def test_runs_of_one_suite_and_no_more_than_asked_for(cli: Cli, make_run: MakeRun) -> None:
    runs = [make_run(), make_run(name="other"), make_run()]
    assert [run["id"] for run in cli("runs", "--suite", "sums", "--json").json()] == [runs[2].id, runs[0].id]
    assert [run["id"] for run in cli("runs", "--limit", "1", "--json").json()] == [runs[2].id]
    table, _, bars = cli("runs", "--limit", "1").out.partition("\n\n")
    assert len(table.splitlines()) == 2
    assert [line.split()[0] for line in bars.splitlines()] == ["suite", "sums"]
    misspelled = cli("runs", "--suite", "sms")
    assert (misspelled.code, misspelled.out) == (2, "")
    assert 'Did you mean "sums@last"' in misspelled.err or 'Did you mean "sums"' in misspelled.err


def test_without_a_store_runs_says_how_to_begin_and_json_is_empty(cli: Cli) -> None:
    plain, as_json = cli("runs"), cli("runs", "--json")
    assert (plain.code, plain.out) == (2, "")
    assert "There is no store" in plain.err
    assert "pytest" in plain.err
    assert (as_json.code, as_json.json()) == (0, [])


def test_looking_makes_no_store(cli: Cli, project: Path) -> None:
    for command in (["runs"], ["show", "last"], ["gate", "last"], ["compare", "last", "last"], ["db", "check"]):
        assert cli(*command).code == 2
    assert not (project / ".evalkit").exists()


@pytest.mark.parametrize("name", ["last", "sums@last", "id", "prefix"])
def test_a_run_goes_by_several_names(cli: Cli, make_run: MakeRun, name: str) -> None:
    run = make_run()
    given = {"id": run.id, "prefix": run.id[:13]}.get(name, name)
    assert cli("show", given, "--json").json()["run"]["id"] == run.id


def test_show_has_the_table_and_the_worst_cases(cli: Cli, make_run: MakeRun) -> None:
    run = make_run(wrong=(3,), raises=(5,))
    shown = cli("show", "last")
    assert shown.code == 0
    assert f"run {run.id}" in shown.out
    assert "sums: 20 cases × 1, 18 passed, 1 missed, 1 errored" in shown.out
    assert shown.out.index("sums c5: errored") < shown.out.index("sums c3: missed, right 0")
    assert "RuntimeError: the model is away" in shown.out
    assert "output    -1" in shown.out


def test_show_keeps_to_ten_unless_all_are_asked_for(cli: Cli, make_run: MakeRun) -> None:
    make_run(wrong=tuple(range(12)))
    brief, whole = cli("show", "last"), cli("show", "last", "--failed")
    assert brief.out.count(": missed") == 10
    assert "10 of 12 trials that did not pass: --failed shows all." in brief.out
    assert whole.out.count(": missed") == 12


def test_show_json_holds_what_others_build_on(cli: Cli, make_run: MakeRun) -> None:
    make_run(wrong=(3,), repeat=2)
    shown = cli("show", "last", "--json").json()
    assert shown["schema"] == "evalkit.show/1"
    assert {"run", "metrics", "gates", "usage"} <= set(shown)
    (metric,) = [
        metric
        for metric in shown["metrics"]
        if (metric["name"], metric["statistic"], metric["slice"]) == ("right", "rate", {})
    ]
    wanted = "suite name statistic value interval level method n scored unscored errored slice"
    assert set(wanted.split()) <= set(metric)
    assert (metric["value"], metric["n"], metric["scored"]) == (0.95, 20, 40)
    assert metric["interval"][0] < 0.95 < metric["interval"][1]
    gate = shown["gates"][0]
    assert {"text", "verdict", "observed", "interval", "reason", "hint"} <= set(gate)
    assert (gate["text"], gate["verdict"], gate["observed"]) == ("right >= 0.5", "pass", 0.95)
    assert set(shown["usage"]) == {"target", "judges"}
    assert [(case["case"], case["trial"], case["output"]) for case in shown["cases"]] == [("c3", 1, -1), ("c3", 2, -1)]


def test_a_wrong_run_is_an_error_of_one_paragraph(cli: Cli, make_run: MakeRun) -> None:
    make_run()
    for command in (["show", "nope"], ["gate", "sms@last"], ["compare", "last", "nope"], ["report", "nope"]):
        result = cli(*command)
        assert (result.code, result.out) == (2, "")
        assert result.err.startswith("Error: ")
        assert "Traceback" not in result.err
    assert 'Did you mean "sums"?' in cli("gate", "sms@last").err


@pytest.mark.parametrize(
    ("wrong", "raises", "gates", "code"),
    [
        ((), (), ("right >= 0.9",), 0),
        ((1, 2, 3), (), ("right >= 0.9",), 1),
        ((1,), (), ("right >= 0.9 @ 95%",), 3),
        ((), (1, 2, 3), ("right >= 0.5",), 4),
        ((1, 2, 3), (4, 5, 6), ("right >= 0.9",), 1),
    ],
)
def test_gate_leaves_with_the_code_of_its_verdicts(
    cli: Cli, make_run: MakeRun, wrong: tuple[int, ...], raises: tuple[int, ...], gates: tuple[str, ...], code: int
) -> None:
    cases = 40 if any("@" in gate for gate in gates) else 20
    run = make_run(wrong=wrong, raises=raises, gates=gates, cases=cases)
    result = cli("gate", "last", "--json")
    assert result.code == result.json()["exit_code"] == code
    again = {gate["text"]: (gate["verdict"], gate["observed"]) for gate in result.json()["gates"]}
    assert again == {verdict.gate: (verdict.decision, verdict.observed) for verdict in run.verdicts}
    assert cli("gate", "last").code == code


def test_gate_judges_by_other_gates_with_no_call(cli: Cli, make_run: MakeRun) -> None:
    make_run(wrong=(1, 2, 3))
    assert cli("gate", "last", "--gate", "right >= 0.8").code == 0
    assert cli("gate", "last", "--gate", "right >= 0.8", "--gate", "right[odd=true] >= 0.9").code == 1
    assert "PASS" in cli("gate", "last", "--gate", "right >= 0.8").out


def test_an_undecided_gate_may_only_warn(cli: Cli, make_run: MakeRun, project: Path) -> None:
    make_run(wrong=(1,), gates=("right >= 0.9 @ 95%",), cases=40)
    assert cli("gate", "last").code == 3
    assert cli("gate", "last", "--inconclusive", "warn").code == 0
    (project / "pyproject.toml").write_text('[tool.evalkit]\ninconclusive = "warn"\n')
    assert cli("gate", "last").code == 0


@pytest.mark.parametrize(
    ("gate", "says"),
    [
        ("rigt >= 0.5", 'Did you mean "right"'),
        ("right => 0.5", "=>"),
        ("right >= 0.99 @ 95%", "368"),
        ("right[lang=de] >= 0.5", "lang"),
    ],
)
def test_a_gate_that_cannot_work_is_a_mistake_not_a_verdict(cli: Cli, make_run: MakeRun, gate: str, says: str) -> None:
    make_run()
    result = cli("gate", "last", "--gate", gate)
    assert (result.code, result.out) == (2, "")
    assert says in result.err


def test_a_run_without_gates_needs_one(cli: Cli, make_run: MakeRun) -> None:
    make_run(gates=())
    result = cli("gate", "last")
    assert result.code == 2
    assert '--gate "accuracy >= 0.9"' in result.err
    assert cli("gate", "last", "--gate", "right >= 0.9").code == 0


def test_a_gate_is_for_the_suites_that_have_its_metric(cli: Cli, project: Path) -> None:
    import evalkit

    def first(output: Any, expected: Any) -> bool:
        return bool(output == expected)

    def second(output: Any) -> float:
        return 0.5

    @evalkit.suite(dataset=[{"id": "a", "input": 1, "expected": 1}], scorers=[first])
    def one(case: Case) -> Any:
        return case.input

    @evalkit.suite(dataset=[{"id": "a", "input": 1}], scorers=[second])
    def two(case: Case) -> Any:
        return case.input

    evalkit.run(one, two, progress=False)
    judged = cli("gate", "last", "--gate", "first >= 1", "--json").json()["gates"]
    assert [gate["suite"] for gate in judged if gate["text"].startswith("first")] == ["one"]
    assert cli("gate", "last", "--gate", "first >= 1", "--suite", "two").code == 2
    assert cli("gate", "last", "--gate", "frist >= 1").code == 2
    assert 'Did you mean "two"' in cli("gate", "last", "--suite", "tow", "--gate", "second >= 0.1").err


def test_compare_pairs_the_cases(cli: Cli, make_run: MakeRun) -> None:
    base, candidate = make_run(wrong=(1, 2)), make_run(wrong=(2, 3, 4))
    shown = cli("compare", base.id, candidate.id, "--json").json()
    (suite,) = shown["suites"]
    (metric,) = [metric for metric in suite["metrics"] if metric["name"] == "right"]
    assert (metric["base"], metric["candidate"], metric["pairs"]) == (0.9, 0.85, 20)
    assert metric["difference"] == pytest.approx(-0.05)
    assert (metric["higher"], metric["lower"], metric["equal"]) == (["c1"], ["c3", "c4"], 17)
    assert suite["newly_failing"] == ["c3", "c4"]
    assert suite["newly_passing"] == ["c1"]
    assert len(suite["identical"]) == 17
    text = cli("compare", base.id, candidate.id).out
    assert "newly failing (2): c3, c4" in text
    assert "newly passing (1): c1" in text
    assert "17 of 20 cases have identical outputs." in text
    assert "An interval that has 0 inside it shows no difference" in text


def test_two_runs_with_the_same_answers_are_said_to_be_identical(cli: Cli, make_run: MakeRun) -> None:
    make_run(wrong=(1,))
    make_run(wrong=(1,))
    assert "All 20 outputs are identical" in cli("compare", "last", "sums@last").out


def test_a_function_that_raised_is_worth_nothing_in_a_comparison(cli: Cli, make_run: MakeRun) -> None:
    base, candidate = make_run(), make_run(raises=(1, 2))
    (suite,) = cli("compare", base.id, candidate.id, "--json").json()["suites"]
    (metric,) = [metric for metric in suite["metrics"] if metric["name"] == "right"]
    assert (metric["candidate"], metric["lower"], metric["unpaired"]) == (0.9, ["c1", "c2"], 0)


def test_two_versions_of_a_dataset_are_not_compared(cli: Cli, make_run: MakeRun) -> None:
    base, candidate = make_run(cases=20), make_run(cases=21)
    result = cli("compare", base.id, candidate.id)
    assert (result.code, result.out) == (2, "")
    assert "the datasets are two versions" in result.err


def test_a_scorer_that_changed_is_not_compared(cli: Cli, make_run: MakeRun) -> None:
    def right(output: Any, expected: Any) -> bool:
        return bool(output == expected or output == -1)

    base, candidate = make_run(wrong=(1,)), make_run(wrong=(1,), scorer=right)
    shown = cli("compare", base.id, candidate.id, "--json").json()
    (metric,) = [metric for metric in shown["suites"][0]["metrics"] if metric["name"] == "right"]
    assert "its scorer has another version" in metric["refused"]
    assert metric["difference"] is None
    assert "right: not compared, its scorer has another version" in cli("compare", base.id, candidate.id).out


def test_suites_that_only_one_run_has_are_named(cli: Cli, make_run: MakeRun) -> None:
    base, candidate = make_run(name="sums"), make_run(name="products")
    result = cli("compare", base.id, candidate.id)
    assert result.code == 2
    assert "products: only the candidate has this suite" in result.err
    assert "sums: only the base has this suite" in result.err


def test_report_writes_one_file_and_says_where(cli: Cli, make_run: MakeRun, project: Path) -> None:
    run = make_run(wrong=(1,))
    result = cli("report", "last", "-o", "out/mine.html")
    assert result.code == 0
    text = (project / "out" / "mine.html").read_text(encoding="utf-8")
    assert "out/mine.html" in result.out
    assert run.id in text
    assert "<html" in text.lower()
    assert cli("report", "last").code == 0
    assert (project / "report.html").is_file()


def test_a_report_that_cannot_be_written_is_an_error(cli: Cli, make_run: MakeRun, project: Path) -> None:
    make_run()
    (project / "file").write_text("")
    result = cli("report", "last", "-o", "file/report.html")
    assert result.code == 2
    assert "Traceback" not in result.err


def test_config_shows_each_value_and_where_it_came_from(
    cli: Cli, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "pyproject.toml").write_text(
        "[tool.evalkit]\nrepeat = 3\n\n[tool.evalkit.gates]\ntest_math = ['accuracy >= 0.5']\n"
    )
    monkeypatch.setenv("EVALKIT_SEED", "7")
    shown = {line.split()[0]: line for line in cli("config", "--store", "mine.db").out.splitlines()}
    assert shown["repeat"].split() == ["repeat", "3", "pyproject.toml:2"]
    assert shown["seed"].split() == ["seed", "7", "$EVALKIT_SEED"]
    assert shown["sample"].split() == ["sample", "–", "default"]
    assert shown["gates.test_math"].split() == ["gates.test_math", "accuracy", ">=", "0.5", "pyproject.toml:4"]
    found = cli("config", "--store", "mine.db", "--json").json()
    values = {setting["name"]: (setting["value"], setting["from"]) for setting in found["settings"]}
    assert values["store"] == (str(project / "mine.db"), "--evalkit-store")
    assert values["repeat"] == (3, "pyproject.toml:2")


def test_config_lists_the_tables_that_have_entries(cli: Cli, project: Path) -> None:
    (project / "pyproject.toml").write_text(
        '[tool.evalkit.prices]\n"house-*" = {input = 1}\n\n[tool.evalkit.signing]\nkey = {env = "SIGNING"}\n'
        "\n[tool.evalkit.policies.production]\nmin_approvals = 1\n"
    )
    shown = {line.split()[0]: line for line in cli("config").out.splitlines()}
    assert shown["prices"].split() == ["prices", "house-*", "pyproject.toml:1"]
    assert shown["policies"].split() == ["policies", "production", "pyproject.toml:7"]
    found = cli("config", "--json").json()["tables"]
    assert [one["entries"] for one in found] == [["production"], ["house-*"], ["env:SIGNING"]]


def test_no_command_shows_a_password(cli: Cli) -> None:
    url = "postgresql+psycopg://me:hunter2@localhost:1/db"
    for command in (["config"], ["config", "--json"], ["db", "path"], ["runs"], ["db", "check"]):
        result = cli(*command, "--store", url)
        assert "hunter2" not in result.out + result.err


def test_a_wrong_setting_stops_every_command(cli: Cli, make_run: MakeRun, project: Path) -> None:
    make_run()
    (project / "pyproject.toml").write_text("[tool.evalkit]\nsotre = 'x'\n")
    for command in (["runs"], ["config"], ["show", "last"], ["db", "path"]):
        result = cli(*command)
        assert (result.code, result.out) == (2, "")
        assert 'pyproject.toml:2: There is no setting "sotre". Did you mean "store"?' in result.err


def test_the_store_is_checked_backed_up_and_restored(cli: Cli, make_run: MakeRun, project: Path) -> None:
    run = make_run()
    assert cli("db", "path").out.strip() == str(project / ".evalkit" / "evalkit.db")
    checked = cli("db", "check", "--json")
    assert checked.code == 0
    assert checked.json()["rows"]["trials"] == 20
    assert "Nothing is wrong." in cli("db", "check").out
    made = cli("db", "backup", "saved.db", "--json").json()
    assert Path(made["backup"]).is_file()
    assert made["runs"] == 1
    make_run()
    assert len(cli("runs", "--json").json()) == 2
    restored = cli("db", "restore", "saved.db")
    assert restored.code == 0
    assert "The store as it was:" in restored.out
    assert [found["id"] for found in cli("runs", "--json").json()] == [run.id]
    assert "already" in cli("db", "upgrade").out


def test_a_damaged_store_is_found_out(cli: Cli, make_run: MakeRun, project: Path) -> None:
    make_run()
    store = project / ".evalkit" / "evalkit.db"
    connection = sqlite3.connect(store)
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("DELETE FROM suites")
    connection.commit()
    connection.close()
    result = cli("db", "check")
    assert result.code == 1
    assert "problem:" in result.out


def test_a_file_that_is_no_store_is_an_error(cli: Cli, project: Path) -> None:
    (project / "junk.db").write_bytes(b"not a database, but long enough to be taken for one" * 50)
    for command in (["runs"], ["db", "check"], ["show", "last"]):
        result = cli(*command, "--store", "junk.db")
        assert result.code == 2
        assert "not a database" in result.err


def test_a_spool_is_taken_in(cli: Cli, make_run: MakeRun, project: Path) -> None:
    run = make_run()
    store = project / ".evalkit" / "evalkit.db"
    with open_store(store) as opened:
        whole = opened.load(run.id)
    suite = whole.suites[0]
    spool = Spool(project / "spool.jsonl")
    other = "01900000-0000-7000-8000-000000000000"
    spool.start_run(other, started_at=whole.started_at, provenance=whole.provenance, seed=0)
    import evalkit

    spool.add_suite(other, suite.info, evalkit.Dataset.of(suite.cases, name=suite.info.dataset.name), suite.cases)
    spool.append(other, "sums", suite.trials)
    result = cli("ingest", "spool.jsonl")
    assert result.code == 0, result.err
    assert "20 trials from spool.jsonl" in result.out
    assert cli("ingest", "spool.jsonl").code == 0
    assert len(cli("show", other, "--json").json()["cases"]) == 0
    assert cli("ingest", "nothing.jsonl").code == 2


@pytest.fixture
def demo(cli: Cli, project: Path) -> Any:
    result = cli("demo")
    assert result.code == 0, result.err
    return result


def test_demo_shows_every_verdict_and_leaves_its_files_in_one_folder(cli: Cli, demo: Any, project: Path) -> None:
    for word in ("PASS", "FAIL", "INCONCLUSIVE"):
        assert word in demo.out
    assert (project / "evalkit-demo" / "report.html").stat().st_size > 10_000
    assert not (project / ".evalkit").exists()
    hints = [line.split(maxsplit=1)[1] for line in demo.out.splitlines() if line.startswith("  evalkit ")]
    assert [hint.split()[0] for hint in hints] == ["show", "compare", "prompts", "traces", "gate"]
    import shlex

    for hint in hints:
        assert cli(*shlex.split(hint)).code == 0, hint


def test_demo_compares_two_versions_of_a_prompt_through_the_real_client(cli: Cli, demo: Any, project: Path) -> None:
    store = str(project / "evalkit-demo" / "evalkit.db")
    with open_store(store, read_only=True) as opened:
        first, second = (opened.load(opened.resolve(name)) for name in ("last~1", "last"))
    used = [[version.title.split(" (")[0] for version in run.suites[0].versions] for run in (first, second)]
    assert used == [["prompt intent v1", "model toy v1"], ["prompt intent v2", "model toy v1"]]
    right = [sum(trial.outcome == "passed" for trial in run.suites[0].trials) for run in (first, second)]
    assert right == [44, 51]
    assert "44 of 61" in demo.out
    assert "122 calls" in demo.out
    for run in (first, second):
        for trial in run.suites[0].trials:
            assert trial.trace is not None
            assert [span.kind for span in trial.trace.spans].count("llm") == 1
            assert trial.output.usage is not None
            assert trial.output.usage.cost
    assert "chat scripted-toy" in demo.out


def test_demo_says_that_no_model_answered(demo: Any) -> None:
    told = " ".join(demo.out.split())
    assert "Its answers are a script" in told
    assert "no model's" in told


def test_demo_leaves_the_environment_as_it_was(demo: Any) -> None:
    assert "DEMO_PROVIDER_URL" not in os.environ


def test_the_demo_has_no_case_twice() -> None:
    from evalkit.cli.demo_suite import INTENTS, cases

    made = cases()
    assert len({case.input["message"] for case in made}) == len(made) >= 60
    assert {case.expected for case in made} == set(INTENTS)


def test_version(cli: Cli) -> None:
    assert cli("--version").out == f"evalkit {__version__}\n"


def test_a_store_in_a_read_only_folder_can_still_be_looked_at(cli: Cli, make_run: MakeRun, project: Path) -> None:
    make_run()
    copy = project / "copy"
    shutil.copytree(project / ".evalkit", copy)
    (copy / "evalkit.db").chmod(0o444)
    copy.chmod(0o555)
    try:
        assert len(cli("runs", "--store", "copy/evalkit.db", "--json").json()) == 1
    finally:
        copy.chmod(0o755)


def test_json_is_json_whatever_the_data_say(cli: Cli, project: Path) -> None:
    import evalkit

    def length(output: str) -> float:
        return len(output)

    @evalkit.suite(dataset=[{"id": "ü\u202e", "input": "\x1b[31m\u2028 </script> \ud83d\ude00"}], scorers=[length])
    def odd(case: Case) -> str:
        raise ValueError("\x1b[2J\x00\ud800")

    evalkit.run(odd, progress=False)
    shown = cli("show", "last", "--failed", "--json")
    assert shown.code == 0
    assert json.loads(shown.out)["cases"][0]["error"]["type"] == "ValueError"
    plain = cli("show", "last", "--failed")
    assert plain.code == 0
    assert "\x1b" not in plain.out
    assert "\u202e" not in plain.out
