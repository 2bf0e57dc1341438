"""`python -m benchmarks.simulation`: compute the tables, and write them into docs/statistics.md."""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.simulation import comparisons
from benchmarks.simulation.comparisons import ALARM_METHODS, METHODS, REPEAT_METHODS, Errors, Repeats, Scenario

PAGE = Path(__file__).resolve().parents[2] / "docs" / "statistics.md"
BEGIN, END = "<!-- simulation of comparisons: written by python -m benchmarks.simulation -->", "<!-- end -->"
DRAWS, SEED = 2_000, 3


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulation", description=__doc__)
    parser.add_argument("--draws", type=int, default=DRAWS, help="for what is drawn (default: %(default)s)")
    parser.add_argument("--print", dest="only_print", action="store_true", help="write no page")
    options = parser.parse_args(argv)
    begun = time.perf_counter()
    exact = {scenario: comparisons.enumerate_errors(scenario) for scenario in comparisons.scenarios()}
    drawn = {
        scenario: comparisons.draw_errors(scenario, draws=options.draws, seed=SEED)
        for scenario in comparisons.repeat_scenarios()
    }
    alarms = [
        comparisons.enumerate_alarms(n, discordance)
        for n in comparisons.SIZES
        for discordance in comparisons.DISCORDANCES
    ]
    text = render(exact, alarms, drawn, options.draws)
    print(text)
    print(f"{time.perf_counter() - begun:.0f} s", file=sys.stderr)
    if not options.only_print:
        page = PAGE.read_text(encoding="utf-8")
        block = re.compile(re.escape(BEGIN) + r".*?" + re.escape(END), re.S)
        PAGE.write_text(block.sub(lambda _: f"{BEGIN}\n\n{text}\n{END}", page), encoding="utf-8")
    return 0


def render(
    exact: Mapping[Scenario, Mapping[str, Errors]],
    alarms: Sequence[Mapping[str, float]],
    drawn: Mapping[Repeats, Mapping[str, Errors]],
    draws: int,
) -> str:
    """The tables as Markdown."""
    lines = [
        'Share of runs that pass "not worse by δ @ 95%" although the candidate is worse by exactly δ; 0.025 is allowed.',
        "",
        "| n, δ, share of cases that change | " + " | ".join(METHODS) + " |",
        "|---|" + "---|" * len(METHODS),
    ]
    for n, margin, extra in comparisons.SHOWN:
        scenario = Scenario(n=n, margin=margin, discordance=margin + extra)
        cells = [f"{exact[scenario][name].false_pass:.4f}" for name in METHODS]
        lines.append(f"| {n}, {margin:.2f}, {margin + extra:.2f} | " + " | ".join(cells) + " |")
    for title, field in (("highest false PASS", "false_pass"), ("highest false FAIL", "false_fail")):
        cells = [f"**{max(getattr(found[name], field) for found in exact.values()):.4f}**" for name in METHODS]
        lines.append(f"| {title} of {len(exact)} | " + " | ".join(cells) + " |")
    sizes, shares = (", ".join(map(str, values)) for values in (comparisons.SIZES, comparisons.DISCORDANCES))
    grid = f"({len(alarms)} scenarios: {sizes} cases, of which a share of {shares} changes)"
    lines += [
        "",
        f'Share of runs in which "no regression" fails although as many cases rise as fall by chance; 0.025 is allowed {grid}.',
        "",
        "| | " + " | ".join(ALARM_METHODS) + " |",
        "|---|" + "---|" * len(ALARM_METHODS),
        "| mean | " + " | ".join(f"{sum(a[name] for a in alarms) / len(alarms):.4f}" for name in ALARM_METHODS) + " |",
        "| highest | " + " | ".join(f"{max(a[name] for a in alarms):.4f}" for name in ALARM_METHODS) + " |",
        "",
        f'"not worse by δ" with repeats of each case ({len(drawn)} scenarios, {draws:,} draws each, seed {SEED}):',
        "",
        "| | " + " | ".join(REPEAT_METHODS) + " |",
        "|---|" + "---|" * len(REPEAT_METHODS),
    ]
    for title, field in (("false PASS", "false_pass"), ("false FAIL", "false_fail")):
        for word, reduce in (("mean", lambda values: sum(values) / len(values)), ("highest", max)):
            cells = [
                f"{reduce([getattr(found[name], field) for found in drawn.values()]):.3f}" for name in REPEAT_METHODS
            ]
            lines.append(f"| {word} {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
