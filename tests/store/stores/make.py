"""Writes a store with rows in every table, by the evalkit that is imported: `PYTHONPATH=CHECKOUT python make.py NAME`.

`revision-0002` and `revision-0003` were written so by the last commits with those schemas, from a checkout of each; the
file and its JSON (what `Store.load` gave there) are kept, so that every later evalkit has to bring them to its own schema.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import sqlite3
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

from evalkit.case import Case, Dataset
from evalkit.exchange import Exchange, exchange_key
from evalkit.runs import DatasetInfo, Metric, Provenance, ScorerInfo, SuiteInfo, Verdict
from evalkit.score import ErrorInfo, Score
from evalkit.spans import Span, Trace
from evalkit.store import open_store
from evalkit.store.plain import to_plain
from evalkit.trial import Output, Trial
from evalkit.usage import Usage
from evalkit.versions import Version

RUN = "019a2b3c-0000-7000-8000-000000000001"
AT = dt.datetime(2026, 11, 22, 9, 30, tzinfo=dt.UTC)
USED = Usage(input_tokens=120, output_tokens=30, cost=Decimal("0.00042"), calls=1, saved=Decimal("0.0001"))
LONG = "what was said before, at length; " * 260
PROMPT = Version(kind="prompt", name="greet", digest="a" * 64, body={"text": "Greet {{ name }}."}, source="greet.md")
OTHER = Version(kind="prompt", name="greet", digest="b" * 64, body={"text": "Hail {{ name }}." + LONG})
MODEL = Version(kind="model", name="solver", digest="c" * 64, body={"model": "scripted-small"})


def trace(number: int) -> Trace:
    """A root, a call with a conversation too long for its row, and a tool that failed."""
    name = f"{number:032x}"
    spans = (
        Span(trace_id=name, span_id="1" * 16, kind="case", name="case", start_ns=10, end_ns=90, status="ok"),
        Span(
            trace_id=name, span_id="2" * 16, parent_id="1" * 16, kind="llm", name="chat", start_ns=20, end_ns=50,
            model="scripted-small", provider="local", usage=USED, raw={"llm.model_name": "scripted-small"},
            attributes={"gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": LONG}]}]},
        ),
        Span(
            trace_id=name, span_id="3" * 16, parent_id="1" * 16, kind="tool", name="look up", start_ns=55, end_ns=80,
            status="error", error="no such page", tool_name="look_up", events=({"name": "retry", "time": 60},),
        ),
    )  # fmt: skip
    return Trace(trace_id=name, spans=spans, normaliser="1")


def trial(case: Case, index: int) -> Trial:
    """A trial that passed, missed, raised or was not scored, the last ones with traces."""
    error = ErrorInfo(type="TimeoutError", message="too slow", traceback="Traceback …\n" + LONG)
    scores = (
        Score(name="exact", value=index != 1, scorer="exact", scorer_version="1"),
        Score(name="grade", value=0.5, label="fair", explanation=LONG, scorer="judge", scorer_version="2", usage=USED),
        Score(name="tone", status="error", error=error, scorer="tone", scorer_version="1"),
    )
    traced = trace(index + 1) if index > 1 else None
    return Trial(
        case_id=case.id,
        output=Output(error=error)
        if index == 2
        else Output(value={"text": LONG}, latency=0.25, usage=USED, metadata={"place": index}),
        scores=() if index == 2 else scores,
        outcome=("passed", "missed", "errored", "unscored")[index % 4],  # type: ignore[arg-type]  # one of the four
        started_at=AT,
        duration=0.5,
        trace=traced,
        versions=(OTHER,) if index == 3 else (),
    )


def main(name: str) -> None:
    path = Path(name).with_suffix(".db")
    cases = [
        Case(id=f"case-{i}", input={"q": f"{i} + {i}", "context": LONG if i == 2 else ""}, expected=2 * i,
             metadata={"lang": "en"}, tags=("sum",)) for i in range(4)
    ]  # fmt: skip
    dataset = Dataset.of(cases, name="sums")
    info = SuiteInfo(
        name="sums",
        nodeid="evals/test_sums.py::sums",
        location="evals/test_sums.py:3",
        dataset=DatasetInfo(name="sums", digest=dataset.digest, size=len(cases)),
        scorers=(ScorerInfo(name="exact", version="1"),),
        gates=("exact >= 0.5 @ 95%",),
        declared=4,
        planned=4,
        versions=(PROMPT, MODEL),
    )
    key = exchange_key(method="POST", url="http://127.0.0.1:9/v1", request="{}", trial=1)
    numbers: dict[str, Any] = {"cases": 4, "trials": 4, "scored": 3, "unscored": 0, "errored": 1}
    with open_store(path) as store:
        for version in (PROMPT, OTHER, MODEL):
            store.register(version)
        store.set_alias("prompt", "greet", "production", PROMPT.digest, expected_generation=0, by="someone")
        store.start_run(RUN, started_at=AT, provenance=Provenance(commit="0" * 40, branch="main"), seed=7)
        store.add_suite(RUN, info, dataset, cases)
        trials = [trial(case, index) for index, case in enumerate(cases)]
        store.add_trials(RUN, "sums", trials)
        store.add_trials(RUN, "sums", [dataclasses.replace(trials[1], attempt=2, outcome="passed")])
        store.exchanges.put([Exchange(key=key, method="POST", url="http://127.0.0.1:9/v1", body=LONG, recorded_at=AT)])
        if hasattr(store, "annotate"):
            people(store)
        store.finish_run(
            RUN,
            status="complete",
            finished_at=AT + dt.timedelta(minutes=1),
            metrics=[
                Metric(
                    suite="sums",
                    name="exact",
                    statistic="rate",
                    value=0.75,
                    low=0.2,
                    high=0.99,
                    level=0.95,
                    method="exact",
                    **numbers,
                )
            ],
            verdicts=[
                Verdict(
                    suite="sums",
                    gate="exact >= 0.5 @ 95%",
                    decision="inconclusive",
                    observed=0.75,
                    reason="Too few.",
                    **numbers,
                )
            ],
            prices={"package": "example"},
        )
        said = to_plain(dataclasses.replace(store.load(RUN), store=None))
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("PRAGMA page_size = 1024")
    connection.execute("VACUUM")
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    empty = [name for name in names if not connection.execute(f"SELECT COUNT(*) FROM {name}").fetchone()[0]]
    connection.close()
    assert not empty, f"tables without a row: {empty}"
    path.with_suffix(".json").write_text(json.dumps(said, separators=(",", ":")) + "\n", encoding="utf-8")


def people(store: Any) -> None:
    from evalkit.annotation import Annotation
    from evalkit.store.calibrations import StoredCalibration

    words = {"run_id": RUN, "suite": "sums", "case_id": "case-0", "trial": 1, "name": "grade", "label": "fair"}
    store.annotate([Annotation(id="a1", annotator="ann", at=AT, chosen="random", seed=3, note="close", **words)])
    store.add_calibration(
        StoredCalibration(
            id="c1",
            judge="grade",
            scorer_version="2",
            made_at=AT,
            n=40,
            trust="trusted",
            source=RUN,
            body={"kappa": 0.8},
        )
    )


if __name__ == "__main__":
    main(sys.argv[1])
