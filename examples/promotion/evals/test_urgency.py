"""Whether a message has to be answered today: with the prompt in `prompts/` and the model in `models/`."""

import evalkit as ek
from evalkit_scorers import exact_match


@ek.suite(
    dataset="messages.jsonl",
    scorers=[exact_match(ignore_case=True)],
    prompt="urgency",
    model="urgency",
    max_concurrency=8,
    gates=["exact_match >= 0.75 @ 95%"],
)
async def test_urgency(case, prompt, model):
    return await model.chat(prompt.render(message=case.input["message"]))
