"""Which team should read a message: with the prompt in `prompts/` and the model in `models/`, as they are now."""

import evalkit as ek
from evalkit_scorers import exact_match


@ek.suite(
    dataset="messages.jsonl",
    scorers=[exact_match(ignore_case=True)],
    prompt="triage",
    model="triage",
    max_concurrency=8,
    gates=["exact_match >= 0.6", "cost <= 0.05"],
)
async def test_triage(case, prompt, model):
    return await model.chat(prompt.render(message=case.input["message"]))
