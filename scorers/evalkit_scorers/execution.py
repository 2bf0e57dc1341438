"""Scorers that run the code which is the output."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from typing import Any

from evalkit.case import Case
from evalkit.errors import ScorerError
from evalkit.score import Score, Scorer, factory, scorer
from evalkit_scorers.isolation import Finished, new_token, run_isolated
from evalkit_scorers.options import identity, number, text
from evalkit_scorers.wording import NO_OUTPUT, shown, text_of

ALLOW = "EVALKIT_ALLOW_CODE_EXECUTION"

# The token is written only when the last line of the program was reached: a program that calls exit() early has
# not passed its tests. It runs as __main__ so that dataclasses and pickle find what it defines.
_PROGRAM = """
import types
_main = types.ModuleType("__main__")
sys.modules["__main__"] = _main
sys.argv = ["program.py"]
exec(compile(_job["program"], "program.py", "exec"), _main.__dict__)
os.write(_answer, _job["token"].encode())
"""
_SLOT = re.compile(r"\{\{\s*([A-Za-z_][\w.-]*)\s*\}\}")
_FENCE = re.compile(r"^```[ \t]*(?:python|py)?[ \t]*\n(.*?)^```", re.MULTILINE | re.DOTALL | re.IGNORECASE)


@factory
def code_execution(
    program: str | Callable[[Case, str], str],
    *,
    allow_execution: bool = False,
    timeout: float = 10.0,
    memory_mb: int = 1024,
    fenced: bool = False,
) -> Scorer:
    r"""Whether a Python program made from the output runs to its end: an assertion labelled with how it ended.

    `program` is a template or a function of `(case, output)` that gives the whole program, tests included; it
    passes when its last line is reached without an exception. In a template, `{{ output }}` is the output,
    `{{ expected }}`, `{{ id }}`, `{{ input.x }}` and `{{ metadata.x }}` parts of the case, and any other name is looked
    up in the input, then in the metadata. HumanEval (Chen et al. 2021, arXiv:2107.03374) is
    `"{{ prompt }}{{ output }}\n{{ test }}\ncheck({{ entry_point }})"`. With `fenced=True` the output is the
    first fenced code block in it, where it has one.

    **It runs code that a model wrote, and it is no sandbox.** It is off unless `allow_execution=True` or the
    environment says `EVALKIT_ALLOW_CODE_EXECUTION=1`. Each program runs in a fresh `python -I`, with an environment
    of `HOME` and `TMPDIR` only, in a temporary folder of its own, in a session of its own that is killed as a group, at
    most `timeout` seconds, `memory_mb` megabytes and files of 16 MB. It can still read your files and use your
    network: run it in a container or a virtual machine that has nothing to lose.

    The label is `passed`, `failed` (an exception), `left early` (`exit()` before the end), `timeout`, or
    `killed` (by a signal, such as SIGXCPU). Edge cases: no output is `False`; an empty output is run like any
    other; a name the template cannot find raises `ValueError`. Needs Linux or macOS.
    """
    _allowed(allow_execution)
    number("code_execution", "timeout", timeout, least=0.01)
    number("code_execution", "memory_mb", memory_mb, least=32, whole=True)
    if not callable(program):
        text("code_execution", "program", program)
        if "output" not in _SLOT.findall(program):
            raise ScorerError(
                "The program of code_execution never uses the output.",
                why="It would give every output the same score.",
                hint="Write {{ output }} where it belongs.",
            )
    said_program = identity(program) if callable(program) else program

    @scorer(
        name="code_execution",
        version="1",
        config={"program": said_program, "timeout": timeout, "memory_mb": memory_mb, "fenced": fenced},
    )
    def score(case: Case, output: Any) -> Score:
        code = text_of(output, "code_execution")
        if code is None:
            return Score(value=False, label="failed", explanation=NO_OUTPUT)
        if fenced:
            block = _FENCE.search(code)
            code = block[1] if block else code
        whole = program(case, code) if callable(program) else _filled(program, case, code)
        token = new_token()
        finished = run_isolated(_PROGRAM, {"program": whole, "token": token}, timeout=timeout, memory_mb=memory_mb)
        return _judged(finished, token, timeout)

    return score


def _allowed(allow_execution: bool) -> None:
    if not (allow_execution or os.environ.get(ALLOW) == "1"):
        raise ScorerError(
            "code_execution runs code that a model wrote, and nobody has allowed that.",
            why="It is no sandbox: such code can read your files and use your network.",
            hint=f"In a place with nothing to lose, pass allow_execution=True or set {ALLOW}=1.",
        )
    if os.name != "posix":
        raise ScorerError("code_execution needs Linux or macOS: it sets limits that this system does not have.")


def _judged(finished: Finished, token: str, timeout: float) -> Score:
    if finished.answer == token:
        return Score(value=True, label="passed")
    last = next((line for line in reversed(finished.errors.splitlines()) if line.strip()), "")
    details = {"stderr": finished.errors} if finished.errors else {}
    if finished.timed_out:
        label, reason = "timeout", f"stopped after {timeout:g} s"
    elif finished.signal:
        label, reason = "killed", f"ended by {finished.signal}"
    elif last:
        label, reason = "failed", last[:200]
    else:
        label, reason = "left early", "the program ended before its last line"
    return Score(value=False, label=label, explanation=reason, metadata=details)


def _filled(template: str, case: Case, output: str) -> str:
    """The template with its slots filled, in one pass: what is filled in is never read as a template again."""
    return _SLOT.sub(lambda slot: output if slot[1] == "output" else _value(slot[1], case), template)


def _value(name: str, case: Case) -> str:
    roots = {"expected": case.expected, "id": case.id, "input": case.input, "metadata": case.metadata}
    root, _, rest = name.partition(".")
    candidates = [(roots[root], rest)] if root in roots else [(case.input, name), (case.metadata, name)]
    for holder, path in candidates:
        value = holder
        for step in path.split(".") if path else ():
            value = value.get(step) if isinstance(value, Mapping) else None
        if value is not None:
            return value if isinstance(value, str) else json.dumps(value)
    known = [*(case.input if isinstance(case.input, Mapping) else ()), *case.metadata]
    raise ValueError(f"the program asks for {{{{ {name} }}}}, and the case {case.id} has only {shown(known, 200)}")
