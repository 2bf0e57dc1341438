"""Scorers for answers that are one of a few: the letter of an option, or a label."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from typing import Any

from evalkit.errors import ScorerError
from evalkit.score import Score, Scorer, factory, scorer
from evalkit_scorers.folding import after_last, folding
from evalkit_scorers.options import text, texts
from evalkit_scorers.wording import NO_EXPECTED, NO_OUTPUT, listed, miss, shown, text_of, unscored

LONGEST_LABEL = 200
"""Characters beyond which an output is no label but a text."""


@factory
def multiple_choice(*, options: str = "ABCDE", after: str | None = None) -> Scorer:
    r"""Whether the output chose the expected option: an assertion whose label is the letter that was chosen.

    The first of these rules that finds a letter of `options` decides (`after` looks only at what follows the
    last such marker):

    1. The whole output is the letter, alone or in brackets or asterisks, with a full stop or colon: `b`, `(B)`,
       `**B.**`. Lower case counts here only.
    2. The output begins with the letter as an option is written, and no other line does: `B) Paris`, `(B) Paris`,
       `B. Paris`, `B: Paris`.
    3. The last phrase such as "answer is (B)", "Answer: B", "correct option is B", "choose B", or `\boxed{B}`.
    4. The last letter in brackets: "so it has to be (B)".
    5. The only option letter that stands alone anywhere. "A" and "I" before a lower-case word are words.

    `expected` is a letter, written in any way rule 1 or 2 reads, or the option's number counted from 0.
    Edge cases: no output and no letter are `False`, with no label; several letters that no rule settles count
    as no letter; without an expected value the case is unscored; an `expected` outside `options` raises
    `ValueError`. The rules are ours; benchmarks differ in theirs, so say `after` where the prompt asks for one.
    """
    text("multiple_choice", "options", options)
    letters = options.upper()
    if len(set(letters)) != len(letters) or not letters.isalnum() or len(letters) < 2:
        raise ScorerError(
            f"multiple_choice(options={options!r}) has to be at least two different letters.",
            hint='Write them in one text: options="ABCD".',
        )
    if after is not None:
        text("multiple_choice", "after", after)
    reader = _Reader(letters)

    @scorer(
        name="multiple_choice",
        version="1",
        config={"options": letters, "after": after},
        requires_expected=True,
        blocking=False,
    )
    def score(output: Any, expected: Any) -> Score:
        if expected is None:
            return unscored(NO_EXPECTED)
        wanted = _wanted(expected, letters, reader)
        said = text_of(output, "multiple_choice")
        if said is None:
            return miss(NO_OUTPUT)
        part = after_last(said, after)
        if part is None:
            return miss(f"{shown(after)} is not in the output")
        found = reader.letter_in(part)
        if found is None:
            return miss(f"no option could be read from {shown(said)}")
        return _labelled(found, wanted, f"expected {wanted}, found {found}")

    return score


@factory
def label_match(*, labels: Sequence[str] | None = None, ignore_case: bool = False, strip: bool = True) -> Scorer:
    """Whether the output is the expected label: an assertion whose label is the one that was given.

    For classifiers: beside the share of right answers it gives a gate what F1, Matthews' correlation and κ need,
    `label_match.f1 >= 0.8`. With `labels` any other output is a wrong answer without a label; without them every
    output is a label of its own. `ignore_case` folds case (Unicode `casefold`), `strip` takes white space off both
    ends; a label is then written as `labels` or `expected` write it. Booleans are the labels `true` and `false`,
    numbers are as `str` prints them.

    Edge cases: no output and one of more than 200 characters are `False`, with no label; without an expected value
    the case is unscored; an `expected` that is none of `labels` raises `ValueError`, so the score is an error.
    """
    known = None if labels is None else texts("label_match", "labels", labels)
    fold = folding("label_match", ignore_case=ignore_case, strip=strip, normalise=None)

    @scorer(
        name="label_match",
        version="1",
        config={"labels": known, "ignore_case": ignore_case, "strip": strip},
        requires_expected=True,
        blocking=False,
    )
    def score(output: Any, expected: Any) -> Score:
        wanted, found = (_label_text(value) for value in (expected, output))
        if wanted is None:
            return unscored(NO_EXPECTED)
        spelt = {fold(label): label for label in (known or [wanted])}
        if fold(wanted) not in spelt:
            raise ValueError(f"the expected label {shown(wanted)} is none of {listed(known or [])}")
        wanted = spelt[fold(wanted)]
        if found is None:
            return miss(NO_OUTPUT)
        if known is not None and fold(found) not in spelt:
            return miss(f"{shown(found)} is none of {listed(known)}")
        if len(found) > LONGEST_LABEL:
            return miss(f"{shown(found)} is too long for a label")
        given = spelt.get(fold(found), fold(found))
        return _labelled(given, wanted, f"expected {shown(wanted)}, found {shown(found)}")

    return score


def _label_text(value: Any) -> str | None:
    return str(value).lower() if isinstance(value, bool) else text_of(value, "label_match")


def _labelled(found: str, wanted: str, difference: str) -> Score:
    """The score of a label: whether it is the one that was wanted, which stands beside it as the true one."""
    right = found == wanted
    return Score(value=right, label=found, explanation=None if right else difference, metadata={"expected": wanted})


class _Reader:
    """The rules of `multiple_choice`, compiled for one set of letters."""

    def __init__(self, letters: str) -> None:
        some = f"[{re.escape(letters)}]"
        loose = f"[{re.escape(letters + letters.lower())}]"
        self._whole = re.compile(rf"[\s*_(\[{{]*({loose})[\s*_)\]}}.:,]*", re.ASCII)
        self._opening = re.compile(rf"[ \t*_]{{0,9}}(?:\(({some})\)|\[({some})\]|({some})[).:])(?!\w)", re.MULTILINE)
        self._phrase = re.compile(
            r"(?i:\b(?:answer|option|choice|choose|select|pick)(?:\s+is|\s*:|\s+would\s+be|\s+must\s+be)?"
            r"(?:\s+(?:option|choice|answer|letter))?[\s:*_]{0,9})"
            rf"[(\[]?({some})(?![\w'’-])|\\boxed\{{\s?(?:\\text\{{)?\(?({some})\)?\}}"
        )
        self._bracketed = re.compile(rf"\(({some})\)|\[({some})\]")
        self._alone = re.compile(rf"(?<![\w'’-])({some})(?![\w'’-])")

    def letter_in(self, answer: str) -> str | None:
        """The option that `answer` chose, upper case, or `None` where the rules find none."""
        whole = self._whole.fullmatch(answer)
        if whole:
            return whole[1].upper()
        opening = {_letter(match) for match in self._opening.finditer(answer) if _begins_line(match)}
        if len(opening) == 1 and self._opening.match(answer.lstrip()):
            return opening.pop()
        for rule in (self._phrase, self._bracketed):
            last = deque(rule.finditer(answer), maxlen=1)
            if last:
                return _letter(last[0])
        alone = {match[1] for match in self._alone.finditer(answer) if not _is_word(match)}
        return alone.pop() if len(alone) == 1 else None


def _letter(match: re.Match[str]) -> str:
    return next(group for group in match.groups() if group is not None)


def _begins_line(match: re.Match[str]) -> bool:
    return match.start() == 0 or match.string[match.start() - 1] == "\n"


def _is_word(match: re.Match[str]) -> bool:
    behind = match.string[match.end() : match.end() + 2]
    return match[1] in "AI" and len(behind) == 2 and behind[0] == " " and behind[1].islower()


def _wanted(expected: Any, letters: str, reader: _Reader) -> str:
    if isinstance(expected, int) and not isinstance(expected, bool) and 0 <= expected < len(letters):
        return letters[expected]
    found = reader.letter_in(expected) if isinstance(expected, str) else None
    if found is None:
        raise ValueError(f"the expected value {shown(expected)} is none of the options {letters}")
    return found
