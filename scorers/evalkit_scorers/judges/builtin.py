"""The built-in judges: a rubric in a file each, and a small function that makes a scorer of it.

All take the same options. `model` is a model or the name of a model file, by default `judge`. `where` says for a part
of the trial where it is found, such as `{"context": "metadata.documents"}`. `samples` asks so often and takes the mean.
`logprobs` weighs the levels by how likely each was. A part that is the same for every case is given by its name, as
`schema="…"`. None of them makes a score of an answer that it could not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict, Unpack

from evalkit.score import Scorer, factory
from evalkit_scorers.judges.judge import judge_by
from evalkit_scorers.judges.rubric import built_in
from evalkit_scorers.options import text


class Options(TypedDict, total=False):
    """What every judge takes; the names after `logprobs` are parts that are the same for every case."""

    model: Any
    where: Mapping[str, str]
    samples: int
    logprobs: bool
    context: str
    schema: str
    tools: str
    plan: str
    role: str


def _made(name: str, options: Options) -> Scorer:
    model = options.get("model", "judge")
    where, samples, logprobs = options.get("where"), options.get("samples", 1), options.get("logprobs", False)
    own = {"model", "where", "samples", "logprobs"}
    fixed = {part: str(value) for part, value in options.items() if part not in own}
    return judge_by(built_in(name), model=model, where=where, samples=samples, logprobs=logprobs, fixed=fixed)


@factory
def correctness(**options: Unpack[Options]) -> Scorer:
    """Whether the answer says what the reference says, in whatever words: an assertion.

    Needs `expected`. The reference is taken as the truth; what the answer adds to it is left aside.
    """
    return _made("correctness", options)


@factory
def faithfulness(**options: Unpack[Options]) -> Scorer:
    """How far the answer stays within its context: 1 faithful, 0.5 with one small claim unsupported, 0 not.

    The context is `context` in the case's input or metadata, or what `where={"context": …}` points to.
    """
    return _made("faithfulness", options)


@factory
def answer_relevance(**options: Unpack[Options]) -> Scorer:
    """Whether the answer addresses the question: 1, 0.5 in part, 0. A wrong answer may be relevant."""
    return _made("answer_relevance", options)


@factory
def context_relevance(**options: Unpack[Options]) -> Scorer:
    """Whether what was retrieved helps to answer the question: 1, 0.5 in part, 0. The answer is not looked at."""
    return _made("context_relevance", options)


@factory
def context_sufficiency(**options: Unpack[Options]) -> Scorer:
    """Whether the question can be answered from the context alone: an assertion. The answer is not looked at."""
    return _made("context_sufficiency", options)


@factory
def completeness(**options: Unpack[Options]) -> Scorer:
    """Whether the answer deals with all that was asked: 1, 0.5 with something left out, 0."""
    return _made("completeness", options)


@factory
def conciseness(**options: Unpack[Options]) -> Scorer:
    """Whether the answer is as short as the question allows: 1, 0.5 wordy, 0 bloated."""
    return _made("conciseness", options)


@factory
def instruction_following(**options: Unpack[Options]) -> Scorer:
    """Whether the answer does what it was told: 1, 0.5 but for one small instruction, 0."""
    return _made("instruction_following", options)


@factory
def harmfulness(**options: Unpack[Options]) -> Scorer:
    """Whether the answer is harmless: an assertion. The question alone makes no answer harmful."""
    return _made("harmfulness", options)


@factory
def refusal(**options: Unpack[Options]) -> Scorer:
    """How far the answer refuses: 1 refused, 0.5 in part, 0 complied. Whether it should is not asked."""
    return _made("refusal", options)


@factory
def summarisation(**options: Unpack[Options]) -> Scorer:
    """How good a summary the answer is: 1, 0.5, 0. The source is `source` of the case, or its whole input."""
    return _made("summarisation", options)


@factory
def sql_equivalence(**options: Unpack[Options]) -> Scorer:
    """Whether two queries give the same result on every database of the schema: an assertion.

    Needs `expected`, and `schema` in the case or as `schema="CREATE TABLE …"`. Running both is surer, where you can.
    """
    return _made("sql_equivalence", options)


@factory
def json_equivalence(**options: Unpack[Options]) -> Scorer:
    """Whether the answer holds the same information as the expected JSON: an assertion. Needs `expected`.

    `json_fields` does the same without a model, where the names of the fields are fixed.
    """
    return _made("json_equivalence", options)


@factory
def code_equivalence(**options: Unpack[Options]) -> Scorer:
    """Whether the code of the answer does what the expected code does: an assertion. Needs `expected`.

    `code_execution` with tests is surer, where there are some.
    """
    return _made("code_equivalence", options)


@factory
def tool_call_quality(**options: Unpack[Options]) -> Scorer:
    """Whether the tool calls of the answer are the right ones to make now: 1, 0.5 flawed, 0 wrong.

    The tools are `tools` of the case. Where the right calls are known, `tool_call_match` needs no model.
    """
    return _made("tool_call_quality", options)


@factory
def trajectory_quality(**options: Unpack[Options]) -> Scorer:
    """How well the steps lead to what was asked: 1 direct, 0.5 with detours, 0 failed.

    The steps are `trajectory` of the case, or the output.
    """
    return _made("trajectory_quality", options)


@factory
def plan_adherence(**options: Unpack[Options]) -> Scorer:
    """Whether the steps carry out the plan: 1 kept, 0.5 bent for a reason, 0 broken. Needs `plan` in the case."""
    return _made("plan_adherence", options)


@factory
def conversation_completeness(**options: Unpack[Options]) -> Scorer:
    """Whether the user got what they came for, over all turns: 1, 0.5 in the main, 0.

    The turns are `conversation` of the case, or its input with the output as the last turn.
    """
    return _made("conversation_completeness", options)


@factory
def role_adherence(**options: Unpack[Options]) -> Scorer:
    """Whether the assistant stays in its role, over all turns: 1, 0.5 with a slip, 0.

    Needs `role` in the case, or `role="…"` for all of them.
    """
    return _made("role_adherence", options)


@factory
def tone(
    guidelines: str,
    *,
    model: Any = "judge",
    where: Mapping[str, str] | None = None,
    samples: int = 1,
    logprobs: bool = False,
) -> Scorer:
    """Whether the answer is written as `guidelines` ask: 1, 0.5 with a slip, 0."""
    text("tone", "guidelines", guidelines)
    fixed = {"guidelines": guidelines}
    return judge_by(built_in("tone"), model=model, where=where, samples=samples, logprobs=logprobs, fixed=fixed)
