"""`python inspect_log.py CASES FOLDER`: the cases as a log of inspect-ai, with messages, events and scores."""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path
from typing import Any

from inspect_ai.event import ModelEvent, ScoreEvent, SpanBeginEvent, SpanEndEvent, ToolEvent
from inspect_ai.log import EvalConfig, EvalDataset, EvalLog, EvalSample, EvalSpec, write_eval_log
from inspect_ai.model import (
    ChatMessageAssistant,
    ChatMessageTool,
    ChatMessageUser,
    GenerateConfig,
    ModelOutput,
    ModelUsage,
)
from inspect_ai.scorer import Score
from inspect_ai.tool import ToolCall

NOW = dt.datetime(2026, 11, 20, 9, 30, tzinfo=dt.UTC)


def sample_of(row: dict[str, Any]) -> EvalSample:
    asked = ChatMessageUser(content=row["question"])
    call = ToolCall(id="1", function="look_up", arguments={"query": row["looked_up"]["query"]})
    wants = ChatMessageAssistant(content="", tool_calls=[call])
    looked = ChatMessageTool(content=row["looked_up"]["found"], tool_call_id="1", function="look_up")
    said = ChatMessageAssistant(content=row["answer"])
    usage = ModelUsage(input_tokens=row["tokens"][0], output_tokens=row["tokens"][1], total_tokens=sum(row["tokens"]))
    scores = {one["name"]: Score(value=one["value"], explanation=one["why"]) for one in row["scores"]}
    when: dict[str, Any] = {"timestamp": NOW, "working_start": 0.0}

    def model(given: list[Any], answer: ChatMessageAssistant) -> ModelEvent:
        output = ModelOutput.from_message(answer)
        output.usage = usage
        return ModelEvent(
            model="m-1", input=given, tools=[], tool_choice="auto", config=GenerateConfig(), output=output, **when
        )

    events = [
        SpanBeginEvent(id="s", name=row["id"], type="sample", **when),
        model([asked], wants),
        ToolEvent(id="1", function="look_up", arguments=call.arguments, result=row["looked_up"]["found"], **when),
        model([asked, wants, looked], said),
        *(ScoreEvent(score=score, **when) for score in scores.values()),
        SpanEndEvent(id="s", **when),
    ]
    return EvalSample(
        id=row["id"], epoch=1, input=row["question"], target=row["expected"], messages=[asked, wants, looked, said],
        output=ModelOutput.from_message(said), scores=scores, events=events, total_time=row["seconds"],
    )  # fmt: skip


def main() -> None:
    rows = [json.loads(line) for line in Path(sys.argv[1]).read_text("utf-8").splitlines()]
    spec = EvalSpec(
        created=NOW.isoformat(), task="pages", model="none/none", config=EvalConfig(),
        dataset=EvalDataset(name="pages", samples=len(rows), sample_ids=[row["id"] for row in rows]),
    )  # fmt: skip
    log = EvalLog(status="success", eval=spec, samples=[sample_of(row) for row in rows])
    folder = Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    write_eval_log(log, str(folder / "2026-11-20T09-30-00_pages_1.eval"), format="eval")


if __name__ == "__main__":
    main()
