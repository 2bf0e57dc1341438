"""`python -m benchmarks`: measure everything side by side, keep the raw figures, write the page."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from dataclasses import replace
from pathlib import Path

from benchmarks import environments, page
from benchmarks.machine import describe
from benchmarks.measure import Failed
from benchmarks.plan import FULL, QUICK, Plan
from benchmarks.readings import Reading
from benchmarks.results import FILE, Results, read


def measure(plan: Plan, only: list[str]) -> Results:
    """Run the tasks of `plan`, all or those named in `only`."""
    begun = _now()
    readings: list[Reading] = []
    for name, task in page.TASKS.items():
        if not only or name in only:
            readings += task.run(plan, _say)
    return Results(
        begun=begun,
        ended=_now(),
        commit=environments.installed_commit(),
        plan=plan,
        machine=describe(),
        packages={name: env.packages() for name, env in environments.ENVIRONMENTS.items()},
        readings=tuple(readings),
    )


def _now() -> str:
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M UTC")


def _say(line: str) -> None:
    print(f"{dt.datetime.now(dt.UTC):%H:%M:%S}  {line}", file=sys.stderr, flush=True)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller, fewer, without the slow peers; writes no page")
    parser.add_argument("--limiter", action="store_true", help="also what takes many minutes: see Plan.limiter")
    parser.add_argument("--only", nargs="+", choices=list(page.TASKS), default=[], help="only these; writes no page")
    parser.add_argument("--output", type=Path, help="keep the raw figures here")
    parser.add_argument("--render", action="store_true", help="write the page again from the kept figures")
    parser.add_argument("--no-install", action="store_true", help="take the environments as they are")
    options = parser.parse_args(argv)
    if options.render:
        page.FILE.write_text(page.render(read(FILE)), encoding="utf-8")
        return 0
    if not options.no_install:
        environments.main([])
    try:
        plan = QUICK if options.quick else FULL
        results = measure(replace(plan, limiter=options.limiter), options.only)
    except Failed as failure:
        print(f"A measured command did not do its work: {failure}", file=sys.stderr)
        return 1
    whole = not options.quick and not options.only
    if options.output or whole:
        results.write(options.output or FILE)
    if whole:
        page.FILE.write_text(page.render(results), encoding="utf-8")
    else:
        for name in options.only or page.TASKS:
            print(page.TASKS[name].section(results.readings, results.plan))
    print(page.summary([target for target in page.targets(results) if target.obtained is not None]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
