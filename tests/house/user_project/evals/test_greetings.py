import sys

import evalkit
from evalkit_scorers import exact_match
from scorers import polite


@evalkit.suite(dataset="greetings.jsonl", scorers=[polite, exact_match()], gates=["polite >= 1", "exact_match >= 0.6"])
async def test_greetings(case):
    return f"{case.input.lower()}, and thank you"


def test_pytest_took_the_modules_as_they_are():
    # From a wheel it would rewrite them all, which takes a third of a short session; see pytest_evalkit/plugin.py.
    assert {type(module.__loader__).__name__ for module in (evalkit, sys.modules["evalkit.suites"])} == {
        "SourceFileLoader"
    }
