"""Reading one line as a gate, and saying kindly what is wrong with a line that is none.

The grammar, in the order in which it is tried:

    gate       = ["each case:"] subject (comparison | claim) ["@" level]
    subject    = statistic "(" metric ")" | "judge(" metric ")." word | metric ["." statistic] [".ci_low" | ".ci_high"]
    metric     = (word | "text in quotes") ["[" tag "]" | "[" key "=" value "]"]
    comparison = (">=" | ">" | "<=" | "<") number [unit]
    claim      = ("not worse" | "better") "than" baseline ["by" number ["%"]] | "no regression vs" baseline
    baseline   = "baseline" [run id or name | "text in quotes"]
"""

from __future__ import annotations

import dataclasses
import json
import re
from decimal import Decimal
from typing import NoReturn, cast

from evalkit.errors import GateError, did_you_mean
from evalkit.gates.gate import (
    CASE_STATISTICS,
    CORRECTED,
    JUDGE_STATISTICS,
    LABEL_STATISTICS,
    PLAIN_NAME,
    REPEAT_STATISTICS,
    STATISTICS,
    Baseline,
    Claim,
    Gate,
    Operator,
)
from evalkit.gates.meaning import mistake
from evalkit.stats.slices import TAG, Slice

EXAMPLES = (
    "accuracy >= 0.9",
    "accuracy >= 0.9 @ 95%",
    "p95(latency) <= 3s",
    "accuracy[lang=de] >= 0.85",
    "errors <= 1%",
)

_NUMBER = re.compile(r"[+-]?(?:\d(?:_?\d)*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,2})?")
_UNIT = re.compile(r"%|[^\W\d]+|\$")
_UNITS = {"%": "%", "$": "$", "usd": "$", "s": "s", "ms": "ms", "tokens": "tokens", "token": "tokens"}
_QUANTILE = re.compile(r"p(\d{1,2}(?:\.\d+)?)")
_REPEATS = re.compile(r"pass[\^@][1-9]\d*")
_OPERATORS = {">=": ">=", "<=": "<=", ">": ">", "<": "<", "≥": ">=", "≤": "<="}
_NEARLY = {"=>": ">=", "=<": "<=", "==": ">=", "=": ">=", "!=": ">="}
_LOW, _HIGH = "ci_low", "ci_high"


def parse(text: str, *, where: str | None = None) -> Gate:
    """The gate that a line says; `where` is the place it was written, for the message.

    Raises `GateError` with what was seen, a caret under the place, near matches and examples.
    """
    if not isinstance(text, str):
        raise GateError(
            f"A gate is a line of text, not {type(text).__name__}.", where=where, hint=f'For example "{EXAMPLES[0]}".'
        )
    return _Reader(text, where).gate()


class _Reader:
    """A cursor over one line."""

    def __init__(self, text: str, where: str | None) -> None:
        self.text = text
        self.where = where
        self.at = 0

    def gate(self) -> Gate:
        if not self.text.strip():
            self.fail("a gate is missing: the line is empty")
        each = self.take(r"each\s+case\s*:") is not None
        gate, limit = self.subject()
        if limit is None and self.peek(r"not\b|no\b|better\b"):
            gate = dataclasses.replace(gate, baseline=self.claim())
        else:
            gate = self.comparison(gate)
        level = self.level()
        self.skip()
        if self.at < len(self.text):
            self.fail(f"after the gate there is {self.seen()}; only a level such as `@ 95%` may follow")
        if limit is not None:
            gate, level = self.by_limit(gate, limit, level)
        gate = dataclasses.replace(gate, level=level, each=each)
        wrong = mistake(gate)
        if wrong is not None:
            self.fail(wrong.what, at=self.start(), hint=wrong.hint, show_caret=False)
        return gate

    # what is compared

    def subject(self) -> tuple[Gate, str | None]:
        """The left-hand side as a gate without comparison, and which limit of the interval it names, if any."""
        self.skip()
        start = self.at
        wrapper = self.take(rf"(?:judge|{_QUANTILE.pattern}|{_REPEATS.pattern}|[^\W\d]\w*)\s*(?=\()")
        if wrapper is not None:
            return self.wrapped(wrapper.strip(), start)
        bare = self.take(rf"(?:{_REPEATS.pattern}|flake_rate\b)(?![\w.\[])")
        if bare is not None:
            return self.made("", bare), None
        name = self.name()
        chosen = self.slice()
        statistic, limit = self.statistics()
        return self.made(name, statistic, chosen), limit

    def wrapped(self, wrapper: str, start: int) -> tuple[Gate, str | None]:
        judge = wrapper == "judge"
        if not judge:
            self.known_statistic(wrapper, start)
        self.take(r"\(")
        name = self.name()
        chosen = self.slice()
        if self.take(r"\)") is None:
            self.fail(f"the bracket after {wrapper} is not closed")
        if not judge:
            _, limit = self.statistics(only_limit=True)
            return self.made(name, wrapper, chosen), limit
        at = self.at
        statistic = self.take(r"\.\s*\w+")
        word = "" if statistic is None else statistic[1:].strip()
        if word not in JUDGE_STATISTICS:
            self.fail(
                f'a judge has no "{word}".' + did_you_mean(word, JUDGE_STATISTICS),
                at=at,
                hint=f"Write judge({name}).kappa; it may also be {', '.join(JUDGE_STATISTICS[1:])}.",
            )
        return dataclasses.replace(self.made(name, word, chosen), judge=True), None

    def name(self) -> str:
        self.skip()
        if self.text[self.at : self.at + 1] == '"':
            start = self.at
            named = self.string()
            if not named:
                self.fail("the name of a metric is empty", at=start)
            return named
        word = self.take(PLAIN_NAME.pattern)
        if word is None:
            self.fail(
                f"expected the name of a metric, saw {self.seen()}",
                hint="A gate begins with the name of a scorer, or errors, latency, cost, input_tokens, output_tokens.",
            )
        return word

    def string(self) -> str:
        try:
            value, end = json.JSONDecoder().raw_decode(self.text, self.at)
        except ValueError:
            self.fail("the quotes are not closed, or hold what JSON does not allow")
        self.at = end
        return str(value)

    def slice(self) -> Slice | None:
        if self.take(r"\[") is None:
            return None
        key = self.slice_part(r"[^\]=\"\[]+")
        if self.take("=") is not None:
            value = self.slice_part(r"[^\]\"\[]+")
        else:
            key, value = TAG, key
        if self.take(r"\]") is None:
            self.fail(f"the slice is not closed: expected ], saw {self.seen()}")
        return key, value

    def slice_part(self, pattern: str) -> str:
        self.skip()
        if self.text[self.at : self.at + 1] == '"':
            return self.string()
        part = self.take(pattern)
        if part is None or not part.strip():
            self.fail(
                f"expected a tag, or a metadata key and its value, saw {self.seen()}",
                hint="Write accuracy[hard] for a tag, accuracy[lang=de] for a metadata value.",
            )
        return part.strip()

    def statistics(self, *, only_limit: bool = False) -> tuple[str | None, str | None]:
        statistic: str | None = None
        while True:
            start = self.at
            word = self.take(rf"\.\s*(?:{_QUANTILE.pattern}(?!\w)|{_REPEATS.pattern}|\w+)")
            if word is None:
                if self.peek(r"\."):
                    self.fail("expected a statistic after the dot")
                return statistic, None
            word = word[1:].strip()
            if word in (_LOW, _HIGH):
                return statistic, word
            if statistic is not None or only_limit:
                self.fail(f"a gate is on one statistic, and here is a second one, {word}", at=start)
            self.known_statistic(word, start)
            statistic = word

    def known_statistic(self, word: str, start: int) -> None:
        exact = _QUANTILE.fullmatch(word)
        if exact is not None and 0 < float(exact[1]) < 100:
            return
        known = (*STATISTICS, *REPEAT_STATISTICS, *CASE_STATISTICS, *LABEL_STATISTICS, CORRECTED, _LOW, _HIGH)
        if word in known or _REPEATS.fullmatch(word):
            return
        self.fail(
            f'there is no statistic "{word}".' + did_you_mean(word, [*known, "p50", "p95", "judge"]),
            at=start,
            hint=f"It may be {', '.join(STATISTICS)}, or a quantile such as p95. "
            "A name that has a dot in itself goes in quotes.",
        )

    # what it is compared with

    def comparison(self, gate: Gate) -> Gate:
        self.skip()
        start = self.at
        symbol = self.take(r"[<>=!≤≥]+")
        if symbol is None or symbol not in _OPERATORS:
            meant = f" Did you mean {_NEARLY[symbol]}?" if symbol in _NEARLY else ""
            hint = None
            if symbol is None and self.peek(r"\["):
                hint = "A slice comes right after the metric: intent[lang=de].mcc >= 0.5, p95(latency[lang=de]) <= 3s."
            elif symbol is None and self.peek("@"):
                hint = "The level comes last: accuracy >= 0.9 @ 95%."
            self.fail(f"expected >=, >, <= or <, saw {self.seen(start)}.{meant}", at=start, hint=hint)
        threshold, unit = self.quantity()
        return dataclasses.replace(gate, operator=cast(Operator, _OPERATORS[symbol]), threshold=threshold, unit=unit)

    def quantity(self) -> tuple[Decimal, str]:
        self.skip()
        start = self.at
        sign = self.take(r"-(?=\s*\$)") or ""
        dollar = self.take(r"\$") is not None
        number = self.number()
        if sign:
            number = -number
        if dollar:
            return number, "$"
        self.take(r"[ \t]+(?=[^\W\d%])")
        at = self.at
        written = self.take(_UNIT.pattern)
        if written is None:
            return number, ""
        unit = _UNITS.get(written.lower())
        if unit is None:
            self.fail(
                f'there is no unit "{written}".' + did_you_mean(written, _UNITS),
                at=at,
                hint=f"Write the number plain, or with %, s, ms, $ or tokens: {self.text[start:at].strip()}.",
            )
        return number, unit

    def number(self) -> Decimal:
        self.skip()
        written = self.take(_NUMBER.pattern)
        if written is None:
            self.fail(f"expected a number, saw {self.seen()}")
        if self.peek(r",\d"):
            self.fail("a number has no commas here", hint="Write 1000 or 1_000.")
        return Decimal(written.replace("_", "")) + 0

    def claim(self) -> Baseline:
        self.skip()
        start = self.at
        kind: Claim
        if self.take(r"no\s+regression\s+(?:vs\.?|versus|against)\b") is not None:
            kind = "no regression"
        elif self.take(r"not\s+worse\s+than\b") is not None:
            kind = "not worse"
        elif self.take(r"better\s+than\b") is not None:
            kind = "better"
        else:
            self.fail(
                f"a comparison with an earlier run is none of the three there are, at {self.seen(start)}",
                at=start,
                hint="Write `not worse than baseline by 0.02 @ 95%`, `better than baseline @ 95%` or "
                "`no regression vs baseline`.",
            )
        if self.take(r"baseline\b") is None:
            self.fail(f'expected the word "baseline", saw {self.seen()}')
        self.skip()
        run = ""
        if not self.peek(r"by\b|@") and self.at < len(self.text):
            run = self.run()
        margin, relative = None, False
        if self.take(r"by\b") is not None:
            margin = self.number()
            relative = self.take("%") is not None
        return Baseline(claim=kind, run=run, margin=margin, relative=relative)

    def run(self) -> str:
        """The name of a run: an id, `last`, `SUITE@last`, or anything in quotes."""
        if self.peek('"'):
            self.skip()
            return self.string()
        name = self.take(r"\w(?:[\w./-]|@(?=[^\W\d]))*")
        if name is None:
            self.fail(f"expected the name of a run, saw {self.seen()}", hint="`evalkit runs` lists them.")
        return name

    def level(self) -> Decimal | None:
        if self.take("@") is None:
            return None
        self.skip()
        start = self.at
        level = self.number()
        self.take("%")
        if 0 < level < 1:
            self.fail(
                "a level is in per cent", at=start, hint=f"Did you mean @ {format((level * 100).normalize(), 'f')}%?"
            )
        if not 50 < level < 100:
            self.fail("a level lies between 50% and 100%", at=start, hint="95% is what most gates use.")
        return level

    def by_limit(self, gate: Gate, limit: str, level: Decimal | None) -> tuple[Gate, Decimal]:
        """`accuracy.ci_low >= 0.85` says the same as `accuracy >= 0.85 @ 95%`."""
        if gate.wants_more != (limit == _LOW):
            self.fail(
                f"{limit} {gate.operator} is no claim the evidence can support",
                at=self.start(),
                hint="Use ci_low with >= (it is at least), ci_high with <= (it is at most).",
            )
        return gate, Decimal(95) if level is None else level

    # the cursor

    def made(self, metric: str, statistic: str | None, chosen: Slice | None = None) -> Gate:
        return Gate(metric=metric, statistic=statistic, slice=chosen, text=self.text, where=self.where)

    def skip(self) -> None:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1

    def peek(self, pattern: str) -> bool:
        self.skip()
        return re.compile(pattern).match(self.text, self.at) is not None

    def take(self, pattern: str) -> str | None:
        start = self.at
        self.skip()
        found = re.compile(pattern).match(self.text, self.at)
        if found is None:
            self.at = start
            return None
        self.at = found.end()
        return found[0]

    def start(self) -> int:
        return len(self.text) - len(self.text.lstrip())

    def seen(self, at: int | None = None) -> str:
        rest = self.text[self.at if at is None else at :].strip()
        return f'"{rest.split()[0]}"' if rest else "the end of the line"

    def fail(self, what: str, *, at: int | None = None, hint: str | None = None, show_caret: bool = True) -> NoReturn:
        if at is None:
            self.skip()
            at = self.at
        line = self.text.replace("\n", " ").replace("\t", " ")
        shown = f"    {line}\n    {' ' * at}^" if show_caret else None
        end = "" if what.endswith((".", "?")) else "."
        raise GateError(
            f'The gate "{line}" cannot be {"read" if show_caret else "used"}: {what}{end}',
            where=self.where,
            why=shown,
            hint=hint or "Gates look like: " + "  ·  ".join(EXAMPLES),
        )
