"""Every error evalkit raises on purpose, drawn as a tree.

    EvalkitError                    exit_code 2: what was asked for cannot be done
    ├── ConfigError  (ValueError)   a setting, flag or key that is unknown or has a wrong value
    ├── DatasetError (ValueError)   a dataset that is missing, broken, empty or ambiguous
    ├── SuiteError   (ValueError)   a suite declared in a way that cannot work
    ├── ScorerError  (ValueError)   a scorer declared or configured in a way that cannot work
    ├── GateError    (ValueError)   a gate that does not parse, names nothing, or can never pass
    ├── PromptError  (ValueError)   a prompt that is broken, or given the wrong variables
    ├── ModelError   (RuntimeError) a model gave no answer that can be used
    │   ├── ModelUnavailable        no whole answer came, however often it was tried
    │   ├── ModelRefused            the provider does not take the call: it is wrong, not allowed, or filtered
    │   └── AnswerInvalid           the answer does not have the form that was asked for
    ├── CacheError   (ValueError)   a cassette that cannot be read, or a cache used in a way that cannot work
    │   └── ReplayMiss              a call that was never recorded, while only recorded answers may be used
    ├── AttestationError (ValueError)  a key, an envelope or a bundle that is not what it has to be
    ├── NotFound     (LookupError)  no run, suite, case or plugin by that name
    ├── Refusal      (PermissionError) a rule of promotion does not allow what was asked; exit_code 1
    ├── MissingExtra (ImportError)  an optional dependency that is not installed
    └── StoreError   (OSError)      the store cannot be used as asked
        ├── StoreReadOnly           it can be read, not written
        ├── StoreLocked             another process holds it for too long
        ├── StoreAway               its server does not answer, or the connection broke
        ├── StoreFull               no space left where it lies
        ├── StoreTooNew             written by a newer evalkit
        └── StoreCorrupt            not a database, or a damaged one

Each says what was seen, where, why it matters and what to do next. None is meant to be read as a traceback:
the command line and the plugin print `str(error)` and leave with `error.exit_code`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class EvalkitError(Exception):
    """What was asked for cannot be done; `str()` is meant for the person who asked.

    `what` is one sentence; `where` is a place such as `evals/cases.jsonl:17`; `why` says why it matters;
    `hint` says what to do next.
    """

    exit_code = 2

    def __init__(self, what: str, *, where: str | None = None, why: str | None = None, hint: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.why = why
        self.hint = hint

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        return "\n".join(line for line in (head, self.why, self.hint) if line)


class ConfigError(EvalkitError, ValueError):
    """A setting, flag or key that is unknown or has a wrong value."""


class DatasetError(EvalkitError, ValueError):
    """A dataset that is missing, broken, empty or ambiguous."""


class SuiteError(EvalkitError, ValueError):
    """A suite declared in a way that cannot work."""


class ScorerError(EvalkitError, ValueError):
    """A scorer declared or configured in a way that cannot work."""


class GateError(EvalkitError, ValueError):
    """A gate that does not parse, names nothing that exists, or can never pass."""


class PromptError(EvalkitError, ValueError):
    """A prompt that is broken, or given the wrong variables."""


class ModelError(EvalkitError, RuntimeError):
    """A model gave no answer that can be used.

    `provider`, `model` and `attempts` say who was asked for what, and how often; `attempts` has a line for each try
    that failed.
    """

    def __init__(
        self,
        what: str,
        *,
        provider: str = "",
        model: str = "",
        attempts: tuple[str, ...] = (),
        where: str | None = None,
        why: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(what, where=where, why=why, hint=hint)
        self.provider = provider
        self.model = model
        self.attempts = attempts


class ModelUnavailable(ModelError):
    """No whole answer came, however often it was tried."""


class ModelRefused(ModelError):
    """The provider does not take the call: it is wrong, not allowed, or filtered. Trying again would not help."""


class AnswerInvalid(ModelError):
    """The answer does not have the form that was asked for."""


class CacheError(EvalkitError, ValueError):
    """A cassette that cannot be read, or a cache used in a way that cannot work."""


class ReplayMiss(CacheError):
    """A call that was never recorded, in a run that may use recorded answers only."""


class NotFound(EvalkitError, LookupError):
    """No run, suite, case or plugin by that name."""


class AttestationError(EvalkitError, ValueError):
    """A key, an envelope or a bundle that is not what it has to be."""


class Refusal(EvalkitError, PermissionError):
    """A rule of promotion does not allow what was asked; `rule` is its name, as in `docs/promotion.md`."""

    exit_code = 1

    def __init__(
        self, rule: str, what: str, *, where: str | None = None, why: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(what, where=where, why=why, hint=hint)
        self.rule = rule

    def __str__(self) -> str:
        """What, why and what next, with the name of the rule behind the first sentence."""
        head, *rest = super().__str__().split("\n", 1)
        return "\n".join([f"{head} [{self.rule}]", *rest])


class MissingExtra(EvalkitError, ImportError):
    """An optional dependency that is not installed; the hint has the `pip install` line."""

    def __init__(self, package: str, extra: str, *, needed_for: str) -> None:
        super().__init__(
            f"{needed_for} needs the package {package}, which is not installed.",
            hint=f"Install it with: pip install 'pytest-evalkit[{extra}]'",
        )


class StoreError(EvalkitError, OSError):
    """The store cannot be used as asked."""


class StoreReadOnly(StoreError):
    """The store can be read but not written."""


class StoreLocked(StoreError):
    """Another process held the store for longer than we wait."""


class StoreAway(StoreError):
    """The server of the store does not answer, or the connection to it broke; it may come back.

    `lasting` says that it was waited for, or that it never answered.
    """

    lasting = False


class StoreFull(StoreError):
    """No space is left where the store lies; nothing that was committed is lost."""


class StoreTooNew(StoreError):
    """The store was written by a newer evalkit than this one."""


class StoreCorrupt(StoreError):
    """The file is not a database, or a damaged one."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`' Did you mean "x"?'` for the nearest of `known`, or `''` where nothing is near.

    Starts with a space, so that it can be appended to a sentence.
    """
    options = sorted(set(known))
    lowered = {option.lower(): option for option in options}
    near = difflib.get_close_matches(word.lower(), lowered, n=3, cutoff=0.6)
    if not near:
        return ""
    names = [f'"{lowered[name]}"' for name in near]
    return f" Did you mean {' or '.join(names)}?"
