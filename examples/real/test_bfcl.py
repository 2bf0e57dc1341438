"""BFCL: 1,240 questions, five categories, the tool calls of three models (Berkeley Function Calling Leaderboard).

No model is called: the suite replays the recorded calls, with the latency and the tokens that were measured then.

`recorded_verdict` is the leaderboard's own verdict, read from the recording and not computed here: it is what was
published. `calls_match` is a second opinion that compares the calls with the allowed answers. The two differ in
21 of 3,720 rows, for reasons that docs/real-data.md has.
"""

import json
import os
import re
from pathlib import Path

import pytest

import evalkit

DATA = Path(os.environ.get("EVALKIT_DATA") or Path(__file__).parents[3] / "shared/data", "bfcl")
if not DATA.is_dir():
    pytest.skip(f"no recorded outputs in {DATA}: name their folder in EVALKIT_DATA", allow_module_level=True)

MODELS = ["gpt-3.5-turbo-0125-FC", "gpt-4o-2024-05-13-FC", "claude-3-5-sonnet-20240620-FC"]


def recorded_verdict(trace: evalkit.Output) -> bool:
    return trace.metadata["recorded_valid"]


def calls_match(output, expected, case) -> bool:
    """Whether the calls are the wanted ones, in any order, each argument one of those allowed."""
    if expected is None:  # none of the functions fits the question, so that no call is right
        return not output
    offered = {plain_name(function["name"]) for function in case.input["functions"]}
    wanted = [(wanted_name(name, offered), arguments) for name, arguments in expected.items()]
    for call in output:
        fits = (want for want in wanted if want[0] == call["name"] and arguments_fit(call["arguments"], want[1]))
        found = next(fits, None)
        if found is None:
            return False
        wanted.remove(found)
    return not wanted


def plain_name(name: str) -> str:
    """Providers take no dots in names."""
    return name.replace(".", "_")


def wanted_name(name: str, offered: set[str]) -> str:
    """The second call of a function is written `name 2` or `name_2`."""
    name = plain_name(name)
    return name if name in offered else re.sub(r"[ _]\d+$", "", name)


def arguments_fit(arguments, allowed) -> bool:
    """Each argument is one of those allowed, and only those are left out that may be, which `""` says."""
    if not isinstance(arguments, dict) or not arguments.keys() <= allowed.keys():
        return False
    return all(
        value_fits(arguments[name], options) if name in arguments else "" in options
        for name, options in allowed.items()
    )


def value_fits(value, options) -> bool:
    if isinstance(value, dict):
        return any(isinstance(option, dict) and arguments_fit(value, option) for option in options)
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        lists = [option for option in options if isinstance(option, list) and len(option) == len(value)]
        return any(all(map(arguments_fit, value, option)) for option in lists)
    return any(folded(value) == folded(option) and (value is True) == (option is True) for option in options)


def folded(value):
    """Texts without case, spaces and punctuation, in which the leaderboard sees no difference."""
    if isinstance(value, str):
        return re.sub(r"[ ,./\-_*^]", "", value).lower().replace("'", '"')
    return [folded(item) for item in value] if isinstance(value, list) else value


def calls_of(row) -> list[dict]:
    """The recorded calls as name and arguments; arguments that are no JSON stay the text they are."""
    calls = []
    for call in row["tool_calls"] or []:
        for name, arguments in call.items():
            try:
                calls.append({"name": name, "arguments": json.loads(arguments)})
            except ValueError:
                calls.append({"name": name, "arguments": arguments})
    return calls


@pytest.mark.parametrize("model", MODELS)
@evalkit.suite(
    dataset=evalkit.load(DATA / "cases.jsonl", input=["question", "functions"], expected="possible_answer", id="id"),
    scorers=[recorded_verdict, calls_match],
    gates=["recorded_verdict >= 0.5 @ 95%", "recorded_verdict[category=simple] >= 0.85", "p95(latency) <= 10s"],
)
async def test_bfcl(case, model, recorded):
    row = recorded(DATA, model, case)
    return evalkit.Output(
        value=calls_of(row),
        latency=row["latency_s"],
        usage=evalkit.Usage(input_tokens=row["input_tokens"], output_tokens=row["output_tokens"]),
        metadata={"recorded_valid": row["valid"], "recorded_error": row["error_type"]},
    )
