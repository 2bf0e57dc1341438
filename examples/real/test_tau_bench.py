"""tau-bench, airline: 50 customer service tasks, each tried four times by an agent on gpt-4o.

No model is called: each trial replays one that was recorded, and `evalkit.trial` says which. pass^4 is the share of
tasks that were solved every time; it is less than half of what one trial makes believe.
"""

import functools
import json
import os
from pathlib import Path

import pytest

import evalkit as ek

DATA = Path(os.environ.get("EVALKIT_DATA") or Path(__file__).parents[3] / "shared/data", "tau_bench_airline")
if not DATA.is_dir():
    pytest.skip(f"no recorded outputs in {DATA}: name their folder in EVALKIT_DATA", allow_module_level=True)


@functools.cache
def trajectories():
    with (DATA / "trajectories.jsonl").open(encoding="utf-8") as lines:
        return {(row["id"], row["trial"]): row for row in map(json.loads, lines)}


@ek.suite(
    dataset=ek.load(DATA / "tasks.jsonl", input="instruction", id="id"),
    repeat=4,
    gates=[
        "solved >= 0.42",
        "pass^2(solved) >= 0.27",
        "pass^3(solved) >= 0.22",
        "pass^4(solved) >= 0.2",
        "pass@4(solved) >= 0.72",
        "flake_rate(solved) <= 0.3",
        "solved >= 0.3 @ 95%",
        "errors <= 0",
    ],
)
def test_tau_bench(case, evalkit):
    recorded = trajectories()[case.id, evalkit.trial - 1]
    evalkit.score("solved", recorded["reward"] == 1)
    return recorded["messages"][-1]["content"]
