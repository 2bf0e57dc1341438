"""A policy as people write it, read strictly: what is unknown, misspelled or of the wrong kind is an error."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from evalkit.errors import ConfigError, did_you_mean
from evalkit.gates import parse
from evalkit.promotion.durations import seconds_of, span
from evalkit.promotion.policy import ANY_SUITE, OVERRIDABLE, OverrideRule, Policy
from evalkit.promotion.window import Window

Where = Callable[..., str]
"""Gives `file:line` of the value at a path of keys."""

KEYS: Mapping[str, str] = {
    "gates": "gate lines for every suite, or a table of them by suite, `*` for every suite",
    "own_gates": "whether the gates that a suite declares itself count too",
    "suites": "suites that must have run",
    "min_approvals": "how many people must approve",
    "approvers": "who may approve: names, and `role:approver` or `role:admin`; empty is everybody who may",
    "protected": "whether people and services must have proved who they are",
    "allow_self_approval": "whether who asked for it, or wrote the version, may approve; it is shown as such",
    "max_age": "how old the oldest run may be",
    "min_cases": "how many cases each suite must have a result of",
    "max_errors": "how many trials may have errored: a count, or a share such as `1%`",
    "judges": "how far judges must be trusted: `calibrated` or `interchangeable`",
    "others": "whether the prompts and models used beside the one that is promoted must be those in force: "
    "`current` or `any`",
    "allow_dirty": "whether runs of a checkout with uncommitted changes count",
    "wait": "how long to wait after the last approval before it can be applied",
    "freeze": "times in which nothing is applied: tables of `from`, `to`, `timezone` and `reason`",
    "override": "who may go on in spite of a verdict; without it nobody may",
    "pending_for": "how long it may wait for evidence and for people before it expires",
    "approved_for": "how long an approved one may wait to be applied before it expires",
}
"""The keys of a policy, and what each says; the defaults are those of `Policy`."""

OVERRIDE_KEYS: Mapping[str, str] = {
    "by": "who may override: names, and `role:admin`; empty is everybody with the role admin",
    "approvals": "how many others must approve what was overridden",
    "rules": "the rules that may be overridden: " + ", ".join(f"`{rule}`" for rule in OVERRIDABLE),
    "good_for": "how long an override holds",
}

WINDOW_KEYS: Mapping[str, str] = {
    "from": "when it begins: `22:00`, `fri 16:00`, or a date",
    "to": "when it ends, in the same form; a date is the end of that day",
    "timezone": "the time zone of both, `UTC` unless said",
    "reason": "why, for those who are kept waiting",
}

_ROLES = ("approver", "admin")
_SHARE = re.compile(r"(?:100|[0-9]{1,2}(?:\.[0-9]{1,6})?)%")


def read_policy(name: str, table: Any, where: Where) -> Policy:
    """The policy that a table of keys stands for. Raises `ConfigError` and `GateError`, with the place."""
    form = _Form(name, where)
    values = form.table(table, KEYS, "A policy")
    made: dict[str, Any] = {}
    for key, value in values.items():
        made[key] = _READERS[key](form, key, value)
    policy = Policy(name=name, **made)
    if policy.wait >= policy.approved_for:
        raise ConfigError(
            f"What the policy {name} approves expires before it can be applied.",
            where=where("wait"),
            why=f"It waits for {span(policy.wait)}, and expires {span(policy.approved_for)} after its approval.",
            hint="Make `wait` shorter, or `approved_for` longer.",
        )
    return policy


class _Form:
    def __init__(self, name: str, where: Where) -> None:
        self.name = name
        self.where = where

    def wrong(self, path: tuple[str | int, ...], value: Any, wants: str) -> NoReturn:
        key = ".".join(str(part) for part in path)
        raise ConfigError(
            f"`{key}` of the policy {self.name} is {wants}, not {value!r:.60}.",
            where=self.where(*path),
            hint="docs/promotion.md has all keys of a policy.",
        )

    def table(self, value: Any, known: Mapping[str, str], what: str, *path: str | int) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            raise ConfigError(f"{what} is {value!r:.60}, not a table.", where=self.where(*path))
        for key in value:
            if key not in known:
                raise ConfigError(
                    f'{what} has no key "{key}".' + did_you_mean(str(key), known),
                    where=self.where(*path, key),
                    why="A rule that is silently ignored would let pass what it was written to stop.",
                    hint="It may have " + ", ".join(known) + ".",
                )
        return value

    def flag(self, key: str, value: Any) -> bool:
        if not isinstance(value, bool):
            self.wrong((key,), value, "true or false")
        return value

    def whole(self, key: str, value: Any, *path: str, least: int = 0) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            self.wrong((*path, key), value, f"a whole number from {least} on")
        return value

    def seconds(self, key: str, value: Any, *path: str) -> int:
        found = seconds_of(value) if isinstance(value, str) else None
        if found is None:
            self.wrong((*path, key), value, "a span of time such as 7d, 72h or 30m")
        return found

    def words(self, key: str, value: Any, *path: str) -> tuple[str, ...]:
        lines = [value] if isinstance(value, str) else value
        if not isinstance(lines, list | tuple) or not all(isinstance(line, str) and line.strip() for line in lines):
            self.wrong((*path, key), value, "a list of texts")
        for number, line in enumerate(lines):
            if line in lines[:number]:
                self.wrong((*path, key), line, "a list of different texts")
        return tuple(lines)

    def people(self, key: str, value: Any, *path: str) -> tuple[str, ...]:
        found = self.words(key, value, *path)
        for entry in found:
            kind, colon, role = entry.partition(":")
            if colon and (kind != "role" or role not in _ROLES):
                self.wrong((*path, key), entry, "names of people, and role:approver or role:admin")
        return found

    def choice(self, key: str, value: Any, allowed: tuple[str, ...]) -> Any:
        if value not in allowed:
            near = did_you_mean(str(value), allowed)
            self.wrong((key,), value, " or ".join(f'"{one}"' for one in allowed) + near)
        return value

    def gates(self, key: str, value: Any) -> Mapping[str, tuple[str, ...]]:
        tables = value if isinstance(value, Mapping) else {ANY_SUITE: value}
        made: dict[str, tuple[str, ...]] = {}
        for suite, lines in tables.items():
            path = (key, suite) if isinstance(value, Mapping) else (key,)
            made[suite] = self.words(path[-1], lines, *path[:-1])
            for line in made[suite]:
                parse(line, where=self.where(*path))
        return made

    def errors(self, key: str, value: Any) -> str:
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return str(value)
        written = value.replace(" ", "") if isinstance(value, str) else ""
        if not _SHARE.fullmatch(written):
            self.wrong((key,), value, 'a count such as 3 or a share such as "1%"')
        return written

    def windows(self, key: str, value: Any) -> tuple[Window, ...]:
        tables = [value] if isinstance(value, Mapping) else value
        if not isinstance(tables, list | tuple):
            self.wrong((key,), value, "a list of tables of from, to, timezone and reason")
        return tuple(self._window(key, number, table) for number, table in enumerate(tables))

    def _window(self, key: str, number: int, value: Any) -> Window:
        table = self.table(value, WINDOW_KEYS, "A freeze window", key, number)
        said = {name: _as_text(text) for name, text in table.items()}
        for name in ("from", "to"):
            if name not in said:
                raise ConfigError(f"A freeze window says nothing of `{name}`.", where=self.where(key, number))
        for name, text in said.items():
            if not isinstance(text, str):
                self.wrong((key, number, name), text, "a text")
        try:
            return Window(
                start=said["from"],
                end=said["to"],
                timezone=said.get("timezone", "UTC"),
                reason=said.get("reason", ""),
            )
        except ValueError as error:
            raise ConfigError(
                f"A freeze window of the policy {self.name} cannot be read: {error}.",
                where=self.where(key, number),
            ) from None

    def override(self, key: str, value: Any) -> OverrideRule:
        table = self.table(value, OVERRIDE_KEYS, "`override`", key)
        made: dict[str, Any] = {}
        if "by" in table:
            made["by"] = self.people("by", table["by"], key)
        if "approvals" in table:
            made["approvals"] = self.whole("approvals", table["approvals"], key, least=1)
        if "good_for" in table:
            made["good_for"] = self.seconds("good_for", table["good_for"], key)
        if "rules" in table:
            made["rules"] = self.words("rules", table["rules"], key)
            for rule in made["rules"]:
                if rule not in OVERRIDABLE:
                    raise ConfigError(
                        f'The rule "{rule}" cannot be overridden.' + did_you_mean(rule, OVERRIDABLE),
                        where=self.where(key, "rules"),
                        why="An override is for a verdict that people judge otherwise, not for evidence of something "
                        "else, or of another time.",
                        hint="Those that can are " + ", ".join(OVERRIDABLE) + ".",
                    )
        return OverrideRule(**made)


def _as_text(value: Any) -> Any:
    """TOML has dates and times of its own."""
    if isinstance(value, dt.time):
        return value.strftime("%H:%M")
    return value.isoformat() if isinstance(value, dt.date) else value


_READERS: Mapping[str, Callable[[_Form, str, Any], Any]] = {
    "gates": _Form.gates,
    "own_gates": _Form.flag,
    "suites": lambda form, key, value: form.words(key, value),
    "min_approvals": lambda form, key, value: form.whole(key, value),
    "approvers": lambda form, key, value: form.people(key, value),
    "protected": _Form.flag,
    "allow_self_approval": _Form.flag,
    "max_age": lambda form, key, value: form.seconds(key, value),
    "min_cases": lambda form, key, value: form.whole(key, value),
    "max_errors": _Form.errors,
    "judges": lambda form, key, value: form.choice(key, value, ("calibrated", "interchangeable")),
    "others": lambda form, key, value: form.choice(key, value, ("current", "any")),
    "allow_dirty": _Form.flag,
    "wait": lambda form, key, value: form.seconds(key, value),
    "freeze": _Form.windows,
    "override": _Form.override,
    "pending_for": lambda form, key, value: form.seconds(key, value),
    "approved_for": lambda form, key, value: form.seconds(key, value),
}
