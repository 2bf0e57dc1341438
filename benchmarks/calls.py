"""`python -m benchmarks.calls`: many calls to a model at once, through faults, and what becomes of them.

The model is the scripted server of `evalkit.testing` in a process of its own. 2,000 cases of 200 ms with 64 at once;
3% of the calls are turned away (429) and 1% of the connections are reset. Every case has to be answered once, with a
whole trace, in no more than 1.3 times what the waiting alone would take: `cases / at_once × latency`, in which nothing
is counted for the calls that fail and are made again.

Beside it the same calls are made by `openai`'s own client alone, with a semaphore in the place of the suite: as it
comes, and through aiohttp, as evalkit's models use it. That is what is left for evalkit to save.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import json
import math
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
SUITE = "suite"
BARE = ("httpx", "aiohttp")
"""What is measured beside the suite: openai's client by itself, and what it speaks through."""


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
def provider(plan: Plan, *, faults: bool = True, spent: list[float] | None = None) -> Iterator[str]:
    """The server in a process of its own; its URL. The seconds of CPU it took are added to `spent`, where known."""
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
            if spent is not None:
                spent.extend(_cpu_of(server.pid))
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

    # Importing the client takes a second of CPU, once in a process; it is measured elsewhere.
    warm = ek.suite(dataset=cases[:1], scorers=[same])(_named("warm", asks))
    ek.run(warm, progress=False)
    began, cpu = time.perf_counter(), _cpu()
    run = ek.run(asks, progress=False)
    wall, cpu = time.perf_counter() - began, _cpu() - cpu
    return {"wall": wall, "cpu": cpu, **_looked_at(plan, run)}


def run_bare(plan: Plan, url: str, way: str) -> dict[str, Any]:
    """The same calls by `openai`'s client, through `httpx` or `aiohttp`, with its own retries. In a process of its own."""
    import openai

    async def everything() -> dict[str, Any]:
        transport = openai.DefaultAioHttpClient() if way == "aiohttp" else openai.DefaultAsyncHttpxClient()
        async with openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=8, http_client=transport) as client:
            turn = asyncio.Semaphore(plan.at_once)

            async def ask(text: str) -> bool:
                async with turn:
                    said = await client.chat.completions.create(
                        model="scripted-1", messages=[{"role": "user", "content": text}]
                    )
                return said.choices[0].message.content == text

            await ask("warm")
            began, cpu = time.perf_counter(), _cpu()
            right = await asyncio.gather(*[ask(f"n{number}") for number in range(plan.cases)])
            return {"wall": time.perf_counter() - began, "cpu": _cpu() - cpu, "answered": sum(right)}

    return asyncio.run(everything())


def _named(name: str, function: Any) -> Any:
    async def other(case: Any) -> Any:
        return await function(case)

    other.__name__ = other.__qualname__ = name
    return other


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


def _cpu_of(pid: int) -> list[float]:
    with contextlib.suppress(OSError, ValueError):  # only Linux says it of another process
        told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return [(int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")]
    return []


def measure(plan: Plan, *, faults: bool, way: str = SUITE) -> dict[str, Any]:
    """One run in a new process, and for a suite in a new store."""
    spent: list[float] = []
    with provider(plan, faults=faults, spent=spent) as url, tempfile.TemporaryDirectory() as folder:
        place = folder if way == SUITE else way
        words = [sys.executable, "-m", "benchmarks.calls", "--inner", url, place, json.dumps(dataclasses.asdict(plan))]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    more = {"ratio": found["wall"] / plan.ideal, "server_cpu": spent[0] if spent else None, "load": os.getloadavg()[0]}
    return {"what": way, "faults": faults, **found, **more}


def told(plan: Plan, found: dict[str, Any]) -> str:
    """One measured run in a line."""
    said = (
        f"{found['what']}, {'with' if found['faults'] else 'without'} faults: {found['wall']:.2f} s, "
        f"{found['ratio']:.2f} × ideal ({plan.ideal:.2f} s), CPU {found['cpu'] / plan.cases * 1e3:.2f} ms a case, "
        f"the server's {found['server_cpu'] or math.nan:.1f} s, {found['answered']}/{plan.cases} answered"
    )
    if found["what"] != SUITE:
        return said
    right = found["answered"] == found["cases"] == plan.cases and not found["doubled"] and not found["broken_traces"]
    return (
        f"{said}, {found['doubled']} doubled, {found['broken_traces']} broken traces, attempts {found['attempts']}: "
        f"{'met' if right and found['ratio'] <= TARGET else 'MISSED'}"
    )


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calls", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cases", type=int, default=Plan.__dataclass_fields__["cases"].default)
    parser.add_argument("--write", action="store_true", help=f"keep the figures in {FILE.name}")
    parser.add_argument("--inner", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.inner:
        url, place, given = options.inner
        inner = Plan(**json.loads(given))
        print(json.dumps(run_bare(inner, url, place) if place in BARE else run_suite(inner, url, Path(place))))
        return 0
    plan = Plan(cases=options.cases)
    runs = []
    for _ in range(options.rounds):
        for faults in (True, False):
            for way in (SUITE, *BARE):
                runs.append(measure(plan, faults=faults, way=way))
                print(told(plan, runs[-1]), f"(load {runs[-1]['load']:.1f})", flush=True)
    if options.write:
        body = {"plan": dataclasses.asdict(plan), "ideal": plan.ideal, "machine": describe(), "runs": runs}
        FILE.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
