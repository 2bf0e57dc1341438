"""Published numbers come out exactly, from the suites under examples/real run by plain pytest."""

import importlib.util
import json
import os
import re
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("EVALKIT_DATA") or ROOT.parent / "shared/data")

pytestmark = [
    pytest.mark.data,
    pytest.mark.slow,
    pytest.mark.skipif(
        not (DATA / "EXPECTED.json").is_file(),
        reason=f"no recorded outputs in {DATA}: name their folder in EVALKIT_DATA",
    ),
]


@pytest.fixture(scope="module")
def table():
    """The module that makes the table of the documentation."""
    spec = importlib.util.spec_from_file_location("examples_real_table", ROOT / "examples/real/table.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up by name
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def expected():
    return json.loads((DATA / "EXPECTED.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def run(table, tmp_path_factory):
    return table.run_suites(tmp_path_factory.mktemp("real") / "evalkit.db")


@pytest.fixture(scope="module")
def rows(table, run, expected):
    return list(table.rows(run, expected))


def obtained(rows, section):
    return {row.name: row.obtained for row in rows if row.section == section}


def test_gsm8k_is_286_515_458_and_742_of_1319(rows):
    assert obtained(rows, "gsm8k") == {
        "gpt3-6b_finetuning": 286,
        "gpt3-6b_verification": 515,
        "gpt3-175b_finetuning": 458,
        "gpt3-175b_verification": 742,
    }
    assert {row.obtained_cases for row in rows if row.section == "gsm8k"} == {1319}


def test_gsm8k_agrees_flag_by_flag(run):
    recorded = {}
    with (DATA / "gsm8k/outputs.jsonl").open(encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            recorded[f"test_gsm8k[{row['model']}]", row["id"]] = row["is_correct"]
    scored = {
        (suite.info.name, trial.case_id): trial.scores[0].passed
        for suite in run.suites
        if suite.info.name.startswith("test_gsm8k")
        for trial in suite.trials
    }
    assert scored == recorded


def test_the_twenty_bbh_cells_are_those_published(rows, expected):
    cells = {name: value["correct"] for name, value in expected["bbh"]["values"].items()}
    assert len(cells) == 20
    assert obtained(rows, "bbh") == cells


def test_humaneval_programs_that_pass_are_134_42_93_and_150(rows):
    assert obtained(rows, "humaneval") == {
        "gpt-4": 134,
        "gpt-3.5-turbo": 42,
        "text-davinci-003": 93,
        "gpt-4-reflexion": 150,
    }


def test_bfcl_accuracy_by_category_is_that_published(rows, expected):
    cells = {
        f"{model} / {category}": value["correct"]
        for model, categories in expected["bfcl"]["values"].items()
        for category, value in categories.items()
        if "correct" in value
    }
    assert len(cells) == 15
    assert obtained(rows, "bfcl") == cells


def test_bfcl_latency_is_the_recorded_one_and_not_ours(run, expected):
    for model, categories in expected["bfcl"]["values"].items():
        latencies = [trial.output.latency for trial in run.suite(f"test_bfcl[{model}]").trials]
        assert len(latencies) == categories["latency_s"]["n"]
        assert sum(latencies) / len(latencies) == pytest.approx(categories["latency_s"]["mean"], abs=5e-7)
        assert max(latencies) == pytest.approx(categories["latency_s"]["max"], abs=5e-7)


def test_the_second_opinion_on_bfcl_differs_where_the_page_says(run):
    verdicts = Counter()
    for suite in run.suites:
        if suite.info.name.startswith("test_bfcl"):
            for trial in suite.trials:
                scores = {score.name: score.passed for score in trial.scores}
                verdicts[scores["recorded_verdict"], scores["calls_match"]] += 1
    assert verdicts[True, True] + verdicts[False, False] == 3699
    assert (verdicts[False, True], verdicts[True, False]) == (15, 6)


def test_no_figure_differs_and_the_page_shows_them_all(table, rows, expected):
    assert len(rows) == 4 + 20 + 4 + 15
    assert all(row.agrees for row in rows)
    page = (ROOT / "docs/real-data.md").read_text(encoding="utf-8")
    shown = re.search(r"<!-- table: .* -->\n(.*)<!-- end of table -->", page, re.S)[1]
    assert shown.strip() == table.markdown(rows).strip(), "bring it up to date: python examples/real/table.py --write"


def test_every_case_was_run_scored_and_stored(run):
    assert run.status == "complete"
    assert not run.is_partial
    sizes = {suite.info.name: len(suite.trials) for suite in run.suites}
    assert sum(sizes.values()) == 4 * 1319 + 2 * 2333 + 4 * 164 + 3 * 1240 + 4 * 50
    assert Counter(trial.outcome for suite in run.suites for trial in suite.trials).keys() == {"passed", "missed"}
