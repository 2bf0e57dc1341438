"""`evalkit history` and the filters of `evalkit runs`: what moved, what broke, and which runs are meant."""

from __future__ import annotations

import datetime as dt
import json

import pytest

import evalkit
from evalkit.case import Case
from evalkit.cli.choosing import moment_of
from evalkit.plaintext import cells


def near(output, expected):
    return 1 - abs(output - expected) / 100


def run_of_sums(wrong=(), *, size=20, prompt="Add {{ n }}.", scorer=None, project=None, gates=("right >= 0.8 @ 95%",)):
    """A stored run of `sums` with the prompt as it stands in the project now."""

    def right(output, expected):
        return output == expected

    (project / "prompts").mkdir(exist_ok=True)
    (project / "prompts" / "add.md").write_text(prompt)

    @evalkit.suite(
        name="sums",
        dataset=[Case(id=f"c{n}", input={"n": n}, expected=n, metadata={"odd": bool(n % 2)}) for n in range(size)],
        scorers=[scorer or right, near],
        gates=gates,
        prompt="add",
    )
    def suite(case, prompt):
        return -1 if case.input["n"] in wrong else case.input["n"]

    return evalkit.run(suite, progress=False)


@pytest.fixture
def sums(project):
    def make(wrong=(), **options):
        return run_of_sums(wrong, project=project, **options)

    return make


def test_json_has_every_run_oldest_first_with_what_changed(cli, sums):
    first, second = sums(range(3)), sums(range(6), prompt="Sum up {{ n }}.")
    third = sums(range(2), size=24, prompt="Sum up {{ n }}.")
    told = cli("history", "sums", "--json").json()
    assert (told["schema"], told["suite"], told["metric"], told["statistic"]) == (
        "evalkit.history/1", "sums", "right", "rate",
    )  # fmt: skip
    assert [one["run"] for one in told["runs"]] == [first.id, second.id, third.id]
    assert [one["value"] for one in told["runs"]] == pytest.approx([0.85, 0.7, 22 / 24])
    assert [one["changed"] for one in told["runs"]] == [[], ["prompt add v1 → v2"], []]
    assert [one["comparable"] for one in told["runs"]] == [True, True, False]
    assert told["runs"][2]["broken"][0].startswith("other cases: ")
    metric = next(one for one in first.metrics if one.name == "right" and not one.slice)
    assert told["runs"][0]["interval"] == [metric.low, metric.high]
    assert told["runs"][0]["gates"][0] == {"text": "right >= 0.8 @ 95%", "verdict": "inconclusive"}


def test_runs_of_other_cases_are_parted_by_a_line_and_in_the_little_bars(cli, sums):
    sums(range(3))
    sums(range(6))
    sums(range(2), size=24)
    out = cli("history", "sums").out
    lines = out.splitlines()
    (broken,) = [number for number, line in enumerate(lines) if "not comparable: other cases" in line]
    assert ["0.850" in line or "0.700" in line for line in lines[3:broken]] == [True, True]
    assert "0.917" in lines[broken + 1]
    assert lines[1] == "▆▁┊█"
    assert "are no trend" in out


def test_another_version_of_the_scorer_breaks_its_metric_alone(cli, sums):
    def right(output, expected):
        return bool(output == expected)

    sums(range(3))
    sums(range(3), scorer=right)
    told = cli("history", "sums", "--json").json()["runs"]
    assert told[1]["broken"][0].startswith("another scorer: right ")
    for metric in ("near", "latency"):
        told = cli("history", "sums", "--metric", metric, "--json").json()["runs"]
        assert [one["comparable"] for one in told] == [True, True]


def test_a_part_of_the_suite_is_no_point_of_the_trend(cli, sums, project):
    from evalkit.store import open_store

    sums(range(3))
    run = sums(range(3))
    with open_store(run.store) as store:
        store.settle_suite(run.id, run.suites[0].info.__class__(**_with(run.suites[0].info, selection="-k odd")))
    told = cli("history", "sums", "--json").json()["runs"]
    assert told[1]["partial"]
    assert told[1]["broken"] == ["only a part of the cases was run"]
    assert "◌" in cli("history", "sums").out


def _with(info, **changes):
    import dataclasses

    return {field.name: getattr(info, field.name) for field in dataclasses.fields(info)} | changes


def test_the_bound_of_the_gate_and_the_interval_are_drawn(cli, sums):
    sums(range(3))
    (line,) = [line for line in cli("history", "sums").out.splitlines() if "0.850" in line]
    assert "├" in line
    assert "●" in line
    assert line.index("├") < line.index("│") < line.index("●") < line.index("┤"), "0.621–0.968, bound 0.8, value 0.85"
    assert line.endswith("INCONCLUSIVE")


@pytest.mark.parametrize("columns", ["40", "80", "160"])
@pytest.mark.parametrize("plain", [True, False])
def test_it_fits_the_terminal(cli, sums, monkeypatch, columns, plain):
    sums(range(3))
    sums(range(6), size=24, prompt="Sum up {{ n }}, and say nothing of how you came to it, nor why.")
    monkeypatch.setenv("COLUMNS", columns)
    done = cli("history", "sums", *(["--ascii"] if plain else []))
    assert done.code == 0
    widest = max(map(cells, done.out.splitlines()))
    assert widest <= int(columns)
    assert done.out.isascii() == plain
    assert "\x1b" not in done.out


def test_a_slice_a_statistic_and_a_number_of_runs(cli, sums):
    for wrong in ((1,), (1, 3), (1, 3, 5)):
        sums(wrong)
    told = cli("history", "sums", "--slice", "odd=true", "--last", "2", "--json").json()
    assert told["slice"] == {"odd": "true"}
    assert [one["value"] for one in told["runs"]] == pytest.approx([0.8, 0.7])
    told = cli("history", "sums", "--metric", "latency", "--statistic", "p95", "--json").json()
    assert told["statistic"] == "p95"
    assert told["unit"] == "s"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sum"], 'Did you mean "sums"?'),
        (["sums", "--metric", "rigth"], 'Did you mean "right"?'),
        (["sums", "--metric", "right", "--statistic", "median"], "It has: rate."),
        (["sums", "--slice", "odd"], "give KEY=VALUE"),
        (["sums", "--since", "tomorow"], "is no time"),
        (["sums", "--commit", "xyz"], "is no commit"),
        ([], "Name the suite"),
    ],
)
def test_what_cannot_be_is_told_with_what_can(cli, sums, arguments, said):
    sums()
    done = cli("history", *arguments)
    assert done.code == 2
    assert said in done.err
    assert "Traceback" not in done.err


def test_a_slice_that_no_run_has_has_no_value(cli, sums):
    sums()
    assert "No run of it has this metric." in cli("history", "sums", "--slice", "odd=perhaps").out


def test_an_index_of_a_folder(cli, sums, project):
    sums()
    cli("report", "last", "-o", "reports/one.html")
    done = cli("history", "--index", "reports")
    assert done.out == "reports/index.html (1 page)\n"
    assert "./one.html" in (project / "reports/index.html").read_text("utf-8")


def test_runs_can_be_told_apart_by_what_they_came_to_and_used(cli, sums):
    good, bad = sums(gates=["right >= 0.5"]), sums(range(15), prompt="Sum up {{ n }}.", gates=["right >= 0.5"])

    def found(*options):
        return [one["id"] for one in cli("runs", "--json", *options).json()]

    assert found() == [bad.id, good.id]
    assert found("--decision", "pass") == [good.id]
    assert found("--decision", "fail", "--status", "complete") == [bad.id]
    assert found("--prompt", "add") == [bad.id, good.id]
    assert found("--prompt", "add=v1") == [good.id]
    assert found("--prompt", "add=latest", "--decision", "pass") == []
    assert found("--since", "1h") == [bad.id, good.id]
    assert found("--until", "2020-01-01") == []
    assert found("--limit", "1") == [bad.id]
    assert found("--status", "running") == []


def test_runs_of_a_branch_and_a_commit(cli, make_run, project, monkeypatch):
    import dataclasses

    from evalkit.store import open_store

    run = make_run()
    with open_store(run.store) as store:
        for number, (branch, commit) in enumerate([("main", "ab" * 20), ("try/x", "ac" * 20)]):
            made = dataclasses.replace(run.provenance, branch=branch, commit=commit)
            store.start_run(f"run-{number}", started_at=run.started_at, provenance=made, seed=0)
    assert [one["id"] for one in cli("runs", "--json", "--branch", "try/x").json()] == ["run-1"]
    assert [one["id"] for one in cli("runs", "--json", "--commit", "AB").json()] == ["run-0"]
    assert {one["id"] for one in cli("runs", "--json", "--commit", "a").json()} == {"run-0", "run-1"}


def test_a_prompt_that_is_not_there_is_told(cli, sums):
    sums()
    done = cli("runs", "--prompt", "ad")
    assert done.code == 2
    assert 'Did you mean "add"?' in done.err


def test_the_list_ends_with_how_each_suite_moved(cli, sums):
    sums(range(3))
    assert "last runs" not in cli("runs").out, "one run is no trend"
    sums(range(6))
    lines = cli("runs").out.splitlines()
    assert lines[-1].split() == ["sums", "right", "█▁", "0.700"]


def test_no_run_is_like_that(cli, sums):
    sums()
    assert "is like that" in cli("runs", "--branch", "nowhere").out
    assert "No run of sums is like that." in cli("history", "sums", "--branch", "nowhere").out


@pytest.mark.parametrize(
    ("text", "whole_day", "wanted"),
    [
        ("2026-11-20", False, "2026-11-20T00:00:00+00:00"),
        ("2026-11-20", True, "2026-11-21T00:00:00+00:00"),
        ("2026-11-20T09:30", True, "2026-11-20T09:30:00+00:00"),
        ("2026-11-20T09:30+02:00", False, "2026-11-20T07:30:00+00:00"),
    ],
)
def test_times_are_read(text, whole_day, wanted):
    assert moment_of(text, whole_day=whole_day) == dt.datetime.fromisoformat(wanted)


def test_json_of_a_history_is_plain_json(cli, sums):
    sums()
    assert json.loads(cli("history", "sums", "--json").out)["runs"][0]["status"] == "complete"
