"""`python evalkit_report.py CASES REPORT`: evalkit's report of the cases, from records in memory."""

from __future__ import annotations

import datetime as dt
import json
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

from evalkit.case import Case
from evalkit.runs import DatasetInfo, Provenance, Run, ScorerInfo, SuiteInfo, SuiteRun
from evalkit.score import Score
from evalkit.spans import Span, Trace
from evalkit.stats.summary import summarise
from evalkit.trial import Output, Trial, Usage, outcome_of
from evalkit_reports import write_html

START = dt.datetime(2026, 11, 20, 9, 30, tzinfo=dt.UTC)


def trial_of(row: dict[str, Any]) -> Trial:
    scores = tuple(
        Score(
            name=one["name"],
            value=bool(one["value"]) if one["name"] == "right" else one["value"],
            explanation=one["why"],
            scorer=one["name"],
            scorer_version="1",
        )
        for one in row["scores"]
    )
    usage = Usage(input_tokens=row["tokens"][0], output_tokens=row["tokens"][1], cost=Decimal("0.0012"))
    trace = trace_of(row, usage)
    output = Output(value=row["answer"], latency=row["seconds"], usage=usage, trace_id=trace.trace_id)
    outcome = outcome_of(output, scores)
    return Trial(
        case_id=row["id"], output=output, scores=scores, outcome=outcome, started_at=START, duration=row["seconds"],
        trace=trace,
    )  # fmt: skip


def trace_of(row: dict[str, Any], usage: Usage) -> Trace:
    trace_id = f"{int(row['id'][1:]):032x}"
    start, third = row["start_ns"], int(row["seconds"] * 1e9 / 3)
    asked = {"role": "user", "content": row["question"]}
    looked = {"role": "tool", "content": row["looked_up"]["found"]}
    said = {"role": "assistant", "content": row["answer"]}

    def span(number: int, kind: Any, name: str, begins: int, ends: int, **more: Any) -> Span:
        parent = None if number == 1 else f"{1:016x}"
        return Span(
            trace_id=trace_id, span_id=f"{number:016x}", parent_id=parent, kind=kind, name=name,
            start_ns=start + begins, end_ns=start + ends, status="ok", **more,
        )  # fmt: skip

    call = {"gen_ai.input.messages": [asked], "gen_ai.output.messages": [looked]}
    tool = {"gen_ai.tool.call.arguments": {"query": row["looked_up"]["query"]}, "gen_ai.tool.call.result": looked}
    answer = {"gen_ai.input.messages": [asked, looked], "gen_ai.output.messages": [said]}
    return Trace(
        trace_id=trace_id,
        spans=(
            span(1, "case", row["id"], 0, 3 * third),
            span(2, "llm", "chat m-1", 0, third, model="m-1", usage=usage, attributes=call),
            span(3, "tool", "look_up", third, 2 * third, tool_name="look_up", attributes=tool),
            span(4, "llm", "chat m-1", 2 * third, 3 * third, model="m-1", usage=usage, attributes=answer),
        ),
    )


def main() -> None:
    rows = [json.loads(line) for line in Path(sys.argv[1]).read_text("utf-8").splitlines()]
    cases = [Case(id=row["id"], input={"question": row["question"]}, expected=row["expected"]) for row in rows]
    trials = [trial_of(row) for row in rows]
    scorers = tuple(ScorerInfo(name=score["name"], version="1") for score in rows[0]["scores"])
    info = SuiteInfo(
        name="pages", nodeid="evals/test_pages.py::test_pages", location="evals/test_pages.py:1", scorers=scorers,
        dataset=DatasetInfo(name="pages", digest="0" * 64, size=len(cases)), declared=len(cases), planned=len(cases),
    )  # fmt: skip
    suite = SuiteRun(info=info, cases=tuple(cases), trials=tuple(trials))
    run = Run(
        id="pages", status="complete", started_at=START, finished_at=START, provenance=Provenance(), suites=(suite,),
        metrics=summarise(suite),
    )  # fmt: skip
    begun, used = time.perf_counter(), time.process_time()
    write_html(run, Path(sys.argv[2]))
    print(json.dumps({"wall": time.perf_counter() - begun, "cpu": time.process_time() - used}))


if __name__ == "__main__":
    main()
