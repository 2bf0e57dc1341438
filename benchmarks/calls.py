"""`python -m benchmarks.calls`: many calls to a model at once, through faults, and what becomes of them.

The model is the scripted server of `evalkit.testing` in a process of its own. 2,000 cases of 200 ms with 64 at once;
3% of the calls are turned away (429) and 1% of the connections are reset. Every case has to be answered once, with a
whole trace, in no more than 1.3 times what the waiting alone would take.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.machine import describe

FILE = Path(__file__).parent / "calls.json"
TARGET = 1.3


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is measured: times are in seconds, the shares are of all calls."""

    cases: int = 2000
    at_once: int = 64
    latency: float = 0.2
    limited: float = 0.03
    resets: float = 0.01
    seed: int = 1

    @property
    def ideal(self) -> float:
        """Seconds that the waiting alone takes, when nothing fails."""
        return -(-self.cases // self.at_once) * self.latency


@contextlib.contextmanager
def provider(plan: Plan, *, faults: bool = True) -> Iterator[str]:
    """The server in a process of its own; its URL."""
    words = ["--latency", str(plan.latency), "--seed", str(plan.seed)]
    if faults:
        words += ["--rate-limited", str(plan.limited), "--reset", str(plan.resets)]
    with subprocess.Popen(
        [sys.executable, "-m", "evalkit.testing", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.stdin.close()


def run_suite(plan: Plan, url: str, folder: Path) -> dict[str, Any]:
    """The suite itself, and the look at what was stored of it. Called in a process of its own."""
    import evalkit as ek

    os.chdir(folder)
    model = ek.AsyncModel("scripted-1", base_url=url, attempts=8)
    cases = [ek.Case(id=f"case-{number:04}", input=f"n{number}", expected=f"n{number}") for number in range(plan.cases)]

    @ek.scorer(blocking=False)
    def same(output: str, expected: str) -> bool:
        return output == expected

    @ek.suite(dataset=cases, scorers=[same], max_concurrency=plan.at_once)
    async def asks(case: ek.Case) -> str:
        return await model.chat(case.input)

    asyncio.run(_warm(url))
    began, cpu = time.perf_counter(), _cpu()
    run = ek.run(asks, progress=False)
    wall, cpu = time.perf_counter() - began, _cpu() - cpu
    return {"wall": wall, "cpu": cpu, **_looked_at(plan, run)}


async def _warm(url: str) -> None:
    # Importing the client takes a second of CPU, once in a process; it is measured elsewhere.
    import evalkit as ek

    await ek.AsyncModel("scripted-1", base_url=url, attempts=20).chat("warm")


def _looked_at(plan: Plan, run: Any) -> dict[str, Any]:
    from evalkit.store import open_store

    with open_store(run.store, read_only=True) as store:
        trials = store.load(run.id, payload=True).suites[0].trials
    seen = Counter(trial.case_id for trial in trials)
    attempts: Counter[int] = Counter()
    broken = 0
    for trial in trials:
        spans = trial.trace.spans if trial.trace is not None else ()
        ids = {span.span_id for span in spans}
        roots = [span for span in spans if span.parent_id is None]
        whole = (
            len(roots) == 1
            and all(span.parent_id in ids for span in spans if span.parent_id is not None)
            and {span.trace_id for span in spans} == {trial.output.trace_id}
            and sum(span.kind == "llm" and span.status != "error" for span in spans) == 1
        )
        broken += not whole
        attempts[sum(span.kind == "llm" for span in spans)] += 1
    return {
        "cases": len(seen),
        "doubled": sum(number > 1 for number in seen.values()),
        "answered": sum(trial.outcome == "passed" for trial in trials),
        "broken_traces": broken,
        "attempts": {str(number): attempts[number] for number in sorted(attempts)},
    }


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measure(plan: Plan, *, faults: bool) -> dict[str, Any]:
    """One run in a new process and a new store."""
    with provider(plan, faults=faults) as url, tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-m", "benchmarks.calls", "--inner", url, folder, json.dumps(dataclasses.asdict(plan))]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {"faults": faults, **found, "ratio": found["wall"] / plan.ideal}


def told(plan: Plan, found: dict[str, Any]) -> str:
    """One measured run in a line."""
    right = found["answered"] == found["cases"] == plan.cases and not found["doubled"] and not found["broken_traces"]
    met = "met" if right and found["ratio"] <= TARGET else "MISSED"
    return (
        f"{'with' if found['faults'] else 'without'} faults: {found['wall']:.2f} s, {found['ratio']:.2f} × ideal "
        f"({plan.ideal:.2f} s), CPU {found['cpu']:.2f} s, {found['answered']}/{plan.cases} answered, "
        f"{found['doubled']} doubled, {found['broken_traces']} broken traces, attempts {found['attempts']}: {met}"
    )


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calls", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cases", type=int, default=Plan.__dataclass_fields__["cases"].default)
    parser.add_argument("--write", action="store_true", help=f"keep the figures in {FILE.name}")
    parser.add_argument("--inner", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.inner:
        url, folder, plan = options.inner
        print(json.dumps(run_suite(Plan(**json.loads(plan)), url, Path(folder))))
        return 0
    plan = Plan(cases=options.cases)
    runs = []
    for _ in range(options.rounds):
        for faults in (True, False):
            runs.append(measure(plan, faults=faults))
            print(told(plan, runs[-1]), f"(load {os.getloadavg()[0]:.1f})", flush=True)
    if options.write:
        body = {"plan": dataclasses.asdict(plan), "ideal": plan.ideal, "machine": describe(), "runs": runs}
        FILE.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
