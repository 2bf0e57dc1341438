"""Scorers that match regular expressions."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

from evalkit.errors import ScorerError
from evalkit.score import Score, Scorer, factory, scorer
from evalkit_scorers.options import choice, number, text
from evalkit_scorers.wording import NO_OUTPUT, miss, shown, text_of

_SEARCH = """
import re
_find = getattr(re.compile(_job["pattern"], _job["flags"]), _job["method"])
os.write(_answer, b"1" if _find(_job["text"]) else b"0")
"""
_METHODS = {"search": "search", "start": "match", "full": "fullmatch"}


@factory
def regex(
    pattern: str,
    *,
    match: Literal["search", "start", "full"] = "search",
    ignore_case: bool = False,
    multiline: bool = False,
    dotall: bool = False,
    engine: Literal["re2", "python"] = "re2",
    timeout: float = 2.0,
) -> Scorer:
    r"""Whether the output matches a regular expression: an assertion.

    `match="search"` looks for `pattern` anywhere, `"start"` at the beginning, `"full"` takes the whole output.
    `ignore_case` folds case, `multiline` lets ^ and $ match at every line, `dotall` lets a dot match the end of a
    line. The engine is RE2 (https://github.com/google/re2/wiki/Syntax), which reads any text in time proportional
    to its length; it has no look-around and no back-references. `engine="python"` has them (the syntax of
    Python's `re`), and runs each match in a process of its own that is killed after `timeout` seconds: slower,
    but safe against patterns that never come to an end. With RE2, `\b`, `\w` and `\d` know ASCII only.

    Edge cases: no output is `False`; the empty output is matched like any text; running out of time raises
    `TimeoutError`, so the score is an error. A pattern that is none raises `ScorerError`.
    """
    choice("regex", "match", match, tuple(_METHODS))
    choice("regex", "engine", engine, ("re2", "python"))
    number("regex", "timeout", timeout, least=0.01)
    text("regex", "pattern", pattern)
    flags = (re.I if ignore_case else 0) | (re.M if multiline else 0) | (re.S if dotall else 0)
    finds = _in_re2(pattern, flags, match) if engine == "re2" else _in_python(pattern, flags, match, timeout)

    @scorer(
        name="regex",
        version="1",
        config={"pattern": pattern, "match": match, "flags": int(flags), "engine": engine},
        blocking=engine == "python",
    )
    def score(output: Any) -> bool | Score:
        said = text_of(output, "regex")
        if said is None:
            return miss(NO_OUTPUT)
        return finds(said) or miss(f"{shown(said)} does not match {shown(pattern, 100)}")

    return score


def _in_re2(pattern: str, flags: int, match: str) -> Callable[[str], bool]:
    import re2

    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = not flags & re.I
    options.dot_nl = bool(flags & re.S)
    try:
        compiled = re2.compile(f"(?m){pattern}" if flags & re.M else pattern, options)
    except re2.error as error:
        raise _refused(pattern, flags, error) from None
    find = getattr(compiled, _METHODS[match])
    # A lone surrogate has no UTF-8; a question mark stands in for it.
    return lambda said: find(said if said.isascii() else said.encode("utf-8", "replace").decode("utf-8")) is not None


def _refused(pattern: str, flags: int, error: Exception) -> ScorerError:
    reason = error.args[0].decode("utf-8", "replace") if error.args and isinstance(error.args[0], bytes) else str(error)
    try:
        re.compile(pattern, flags)
    except re.error:
        return ScorerError(f'The pattern {shown(pattern, 100)} is no regular expression; RE2 says "{reason}".')
    return ScorerError(
        f'RE2 cannot match the pattern {shown(pattern, 100)}; it says "{reason}".',
        why="RE2 has no look-around and no back-references, so that no pattern can take for ever.",
        hint='Write it without them, or pass engine="python": each match then runs in a process with a time limit.',
    )


def _in_python(pattern: str, flags: int, match: str, timeout: float) -> Callable[[str], bool]:
    try:
        re.compile(pattern, flags)
    except (re.error, OverflowError) as error:
        raise ScorerError(f"The pattern {shown(pattern, 100)} is no regular expression: {error}.") from None
    from evalkit_scorers.isolation import run_isolated

    def find(said: str) -> bool:
        job = {"pattern": pattern, "flags": int(flags), "method": _METHODS[match], "text": said}
        finished = run_isolated(_SEARCH, job, timeout=timeout)
        if finished.timed_out:
            raise TimeoutError(f"the pattern {shown(pattern)} took longer than {timeout:g} s on {len(said)} characters")
        if finished.answer is None:
            raise RuntimeError(f"the process that matches ended without an answer: {finished.errors[-300:]}")
        return finished.answer == "1"

    return find
