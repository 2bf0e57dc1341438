import evalkit
from evalkit_scorers import exact_match
from scorers import polite


@evalkit.suite(dataset="greetings.jsonl", scorers=[polite, exact_match()], gates=["polite >= 1", "exact_match >= 0.6"])
async def test_greetings(case):
    return f"{case.input.lower()}, and thank you"
