"""The openai client against a server on loopback: each call is in its own case's trace, below the span it was made in."""

from __future__ import annotations

import asyncio
import threading

import openai

import evalkit
from evalkit.recorder import Recorder
from evalkit.testing import serve
from evalkit.trial import Trial


def test_twenty_cases_at_once_with_streams_threads_and_a_judge(tmp_path, monkeypatch):
    kept: list[Trial] = []
    record = Recorder.record

    def keep(self, suite, some):
        kept.extend(some)
        record(self, suite, some)

    monkeypatch.setattr(Recorder, "record", keep)
    monkeypatch.chdir(tmp_path)
    with serve(lambda call: call.text, latency=0.02) as server:
        plain = openai.OpenAI(base_url=server.url, api_key="none")

        async def stream(own, text):
            answer = await own.chat.completions.create(
                model="scripted-1",
                messages=[{"role": "user", "content": text}],
                stream=True,
                stream_options={"include_usage": True},
            )
            return "".join([part.choices[0].delta.content or "" async for part in answer if part.choices])

        def ask(text):
            messages = [{"role": "user", "content": text}]
            return plain.chat.completions.create(model="scripted-2", messages=messages).choices[0].message.content

        def judge(output):
            return ask(output) == output

        @evalkit.suite(dataset=[{"id": f"c{n}", "input": f"say {n}"} for n in range(20)], scorers=[judge])
        async def test_it(case):
            async with openai.AsyncOpenAI(base_url=server.url, api_key="none") as own:
                with evalkit.span("work"):
                    text, *_ = await asyncio.gather(
                        stream(own, case.input), asyncio.to_thread(ask, case.input), stream(own, case.input)
                    )
            thread = threading.Thread(target=ask, args=(case.input,))
            thread.start()
            while thread.is_alive():
                await asyncio.sleep(0.005)
            return text

        evalkit.run(test_it, store=tmp_path / "runs.db", progress=False)
        plain.close()

    assert len(kept) == 20
    for trial in kept:
        assert trial.outcome == "passed"
        by_id = {span.span_id: span.name for span in trial.trace.spans}
        calls = [(span.name, by_id[span.parent_id]) for span in trial.trace.spans if span.kind == "llm"]
        assert sorted(calls) == sorted(
            [
                ("chat scripted-1", "work"),
                ("chat scripted-1", "work"),
                ("chat scripted-2", "work"),
                ("chat scripted-2", trial.case_id),
                ("chat scripted-2", "judge"),
            ]
        )
        said = {
            message["parts"][0]["content"]
            for span in trial.trace.spans
            if span.kind == "llm"
            for name in ("gen_ai.input.messages", "gen_ai.output.messages")
            for message in span.attributes[name]
        }
        assert said == {trial.case_id.replace("c", "say ")}
        assert (trial.output.usage.calls, trial.output.usage.uncounted) == (4, 0)
        assert trial.scores[0].usage.calls == 1
        streamed = [span for span in trial.trace.spans if span.model == "scripted-1"]
        assert all(span.attributes["evalkit.time_to_first_chunk"] > 0 for span in streamed)
