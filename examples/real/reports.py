"""Reports of the recorded outputs: one page each for GSM8K, BFCL, tau-bench and LLMBar, and GSM8K compared.

    python examples/real/reports.py OUT      write the pages into the folder OUT

No model is called. Four systems answer GSM8K, each in a run of its own, so that there is something to compare and a
trend; tau-bench has four trials of each task, with the steps of the agent as spans (their times are those of the
replay); LLMBar shows four judges beside the answers that people preferred, with a card for each.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import evalkit as ek
from evalkit.pages import write_stored
from evalkit.stats.calibration import Item
from evalkit.store import open_store
from evalkit.trust import Labelled, calibrated, kept
from evalkit_reports.versus import write_versus
from evalkit_scorers import numeric_match

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("EVALKIT_DATA") or ROOT.parent / "shared/data")
SYSTEMS = ("gpt3-6b_finetuning", "gpt3-175b_finetuning", "gpt3-6b_verification", "gpt3-175b_verification")
TOOL_MODELS = ("gpt-3.5-turbo-0125-FC", "gpt-4o-2024-05-13-FC")
JUDGES = ("GPT-4/Vanilla_NoRules", "GPT-4/CoT", "ChatGPT/Vanilla_NoRules", "LLaMA2/Vanilla_NoRules")


def rows(name: str) -> Iterator[dict[str, Any]]:
    with (DATA / name).open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def answers(name: str, model: str) -> Mapping[str, dict[str, Any]]:
    return {row["id"]: row for row in rows(name) if row["model"] == model}


def gsm8k(system: str) -> Callable[..., Any]:
    """1,319 questions, answered by one of the systems."""
    recorded = answers("gsm8k/outputs.jsonl", system)

    @ek.suite(
        name="gsm8k",
        dataset=ek.load(DATA / "gsm8k/cases.jsonl", input="question", expected="answer", id="id"),
        scorers=[numeric_match()],
        gates=["numeric_match >= 0.5 @ 95%", "errors <= 0"],
        model=ek.callable_model("solver", lambda case: recorded[case.id]["output"], version=system),
    )
    def suite(case: ek.Case, model: Any) -> str:
        return model(case)

    return suite


def bfcl(model: str) -> Callable[..., Any]:
    """1,240 calls of functions in five categories, with the latency and the tokens of then."""
    recorded = answers("bfcl/outputs.jsonl", model)

    def recorded_verdict(case: ek.Case) -> ek.Score:
        row = recorded[case.id]
        return ek.Score(value=bool(row["valid"]), explanation=str(row["error"]) if row["error"] else None)

    @ek.suite(
        name="bfcl",
        dataset=ek.load(
            DATA / "bfcl/cases.jsonl", input=["question", "functions"], expected="possible_answer", id="id"
        ),
        scorers=[recorded_verdict],
        gates=["recorded_verdict >= 0.8 @ 95%", "recorded_verdict[category=relevance] >= 0.8", "p95(latency) <= 5s"],
    )
    def suite(case: ek.Case) -> ek.Output:
        row = recorded[case.id]
        usage = ek.Usage(input_tokens=row["input_tokens"], output_tokens=row["output_tokens"])
        return ek.Output(value=row["tool_calls"] or row["text"], latency=row["latency_s"], usage=usage)

    return suite


def tau_bench() -> Callable[..., Any]:
    """50 tasks of customer service, each tried four times; what the agent did stands in the trace."""
    trajectories = {(row["id"], row["trial"]): row for row in rows("tau_bench_airline/trajectories.jsonl")}

    def solved(trace: ek.Output) -> bool:
        return bool(trace.metadata["reward"] == 1)

    @ek.suite(
        name="tau_bench_airline",
        dataset=ek.load(
            DATA / "tau_bench_airline/tasks.jsonl", input="instruction", expected="expected_actions", id="id"
        ),
        scorers=[solved],
        repeat=4,
        gates=["solved >= 0.42", "pass^4(solved) >= 0.2", "flake_rate(solved) <= 0.3", "solved >= 0.3 @ 95%"],
    )
    def suite(case: ek.Case, evalkit: Any) -> ek.Output:
        recorded = trajectories[case.id, evalkit.trial - 1]
        replay(recorded["messages"])
        return ek.Output(value=recorded["messages"], metadata={"reward": recorded["reward"]})

    return suite


def replay(messages: list[dict[str, Any]]) -> None:
    """One span for the agent, and below it one for each call of a tool, with its arguments and what came back."""
    results = {message.get("tool_call_id"): message["content"] for message in messages if message["role"] == "tool"}
    with ek.span("agent", kind="agent"):
        for message in messages:
            for call in message.get("tool_calls") or []:
                arguments = json.loads(call["function"]["arguments"])
                told = {"gen_ai.tool.call.arguments": arguments, "gen_ai.tool.call.result": results.get(call["id"])}
                with ek.span(call["function"]["name"], kind="tool", **told):
                    pass


def llmbar() -> Callable[..., Any]:
    """419 pairs of answers of which people preferred one; the judges are scorers, and give their verdict as a label."""
    pairs = {row["id"]: row for row in rows("llmbar/pairs.jsonl")}
    said = {(row["judge"], row["id"], row["swapped"]): row for row in rows("llmbar/judgments.jsonl")}
    cases = [
        ek.Case(
            id=name,
            input={"instruction": row["input"], "first": row["output_1"], "second": row["output_2"]},
            expected=str(row["gold"]),
            metadata={"subset": row["subset"]},
        )
        for name, row in pairs.items()
    ]

    def judge(name: str) -> ek.Scorer:
        def recorded(case: ek.Case) -> ek.Score | None:
            row = said[name, case.id, False]
            if row["verdict"] is None:
                return None
            return ek.Score(
                value=str(row["verdict"]) == case.expected, label=str(row["verdict"]), explanation=row["raw"]
            )

        return ek.scorer(name=name, version="recorded", config={"rubric_version": name.partition("/")[2]})(recorded)

    @ek.suite(name="llmbar", dataset=cases, scorers=[judge(name) for name in JUDGES])
    def suite(case: ek.Case) -> dict[str, str]:
        return {"first": case.input["first"], "second": case.input["second"]}

    return suite


def calibrate_judges(run: ek.Run, store: str) -> None:
    """Keep a card for each judge of LLMBar: how its verdicts go with what people preferred, in both orders."""
    gold = {row["id"]: str(row["gold"]) for row in rows("llmbar/pairs.jsonl")}
    said: dict[str, dict[str, dict[bool, str | None]]] = {}
    for row in rows("llmbar/judgments.jsonl"):
        verdict = None if row["verdict"] is None else str(row["verdict"])
        said.setdefault(row["judge"], {}).setdefault(row["id"], {})[row["swapped"]] = verdict
    versions = {scorer.name: scorer.version for scorer in run.suites[0].info.scorers}
    with open_store(store) as opened:
        for name in JUDGES:
            orders = [(named[False], named[True]) for named in said[name].values()]
            items = tuple(Item(humans=(gold[case],), judge=named[False]) for case, named in said[name].items())
            labelled = Labelled(
                judge=name, version=versions[name], source="llmbar/pairs.jsonl", items=items, orders=tuple(orders)
            )
            opened.add_calibration(kept(labelled, calibrated(labelled)))


def write_all(folder: Path) -> list[Path]:
    """All pages, in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    store = str(folder / "evalkit.db")
    solved = [ek.run(gsm8k(system), store=store, progress=False) for system in SYSTEMS]
    called = [ek.run(bfcl(model), store=store, progress=False) for model in TOOL_MODELS]
    served = ek.run(tau_bench(), store=store, progress=False)
    judged = ek.run(llmbar(), store=store, progress=False)
    calibrate_judges(judged, store)
    with open_store(store, read_only=True) as opened:
        pages = [
            write_stored(opened, solved[-1].id, folder / "gsm8k.html", baseline=solved[-2].id),
            write_stored(opened, called[-1].id, folder / "bfcl.html", baseline=called[0].id),
            write_stored(opened, served.id, folder / "tau-bench.html"),
            write_stored(opened, judged.id, folder / "llmbar.html"),
        ]
        base, *others = (opened.load(run.id, traces=False) for run in solved)
        return [*pages, write_versus(base, others, folder / "gsm8k-compared.html")]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="OUT")
    options = parser.parse_args()
    if not (DATA / "EXPECTED.json").is_file():
        raise SystemExit(f"There are no recorded outputs in {DATA}. Name their folder in EVALKIT_DATA.")
    for page in write_all(options.folder):
        print(f"{page} ({page.stat().st_size / 1_000_000:.1f} MB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
