"""The policies of a project, read from pyproject.toml or a YAML file of their own."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evalkit.config import Settings
from evalkit.errors import ConfigError, NotFound
from evalkit.promoting.policyform import Where, read_policy
from evalkit.promotion.policy import Policy
from evalkit.versions import SubjectKind

LARGEST = 1_000_000
"""Bytes that a file of policies may have."""

_KEY = re.compile(r"(?:(?P<subject>[^@\s]+)@)?(?P<alias>[^@\s/]+)")
_SUBJECT = re.compile(r"(?:prompt|model|\*)(?:/.+)?")
DEFAULT = Policy()
"""The policy of an alias without one: the gates of the suites themselves must pass, and nobody is asked."""


class Policies:
    """Which policy is in force for what.

    A key is an alias (`production`), or a subject and an alias (`prompt/support-*@production`), either with `*` for
    any text. Of several that fit the one that names the subject and the alias most closely is in force: an alias by
    name before one with `*`, a subject by name before one with `*` before none.
    """

    def __init__(
        self, policies: Mapping[str, Policy] | None = None, *, places: Mapping[str, str] | None = None
    ) -> None:
        self._policies = dict(policies or {})
        self._places = dict(places or {})

    @classmethod
    def of(cls, settings: Settings) -> Policies:
        """The policies that `settings` have. Raises `ConfigError` and `GateError`, with file and line where they are
        known, and `NotFound` for a file that is not there.
        """
        given = settings.policies
        if isinstance(given, str):
            return cls.read(settings.root / given, shown=given)
        if not given:
            return cls()
        lines = _toml_lines(settings.root / "pyproject.toml")
        return cls._made(given, lambda *path: _toml_place(lines, path))

    @classmethod
    def read(cls, file: Path, *, shown: str | None = None) -> Policies:
        """The policies of a YAML file: a mapping from keys to policies."""
        from evalkit.loaders.plain_yaml import Reader
        from evalkit.loaders.text import read_text

        name = shown or str(file)
        if not file.is_file():
            raise NotFound(
                f"There is no file of policies {name}.",
                hint="It is what `policies` in [tool.evalkit] names, from the project's root.",
            )
        found = Reader(shown=name, kind="a file of policies", error=ConfigError).read(
            read_text(file, shown=name, cap=LARGEST)
        )
        if not isinstance(found.value, dict):
            raise ConfigError("A file of policies is a mapping from aliases to policies.", where=found.where())
        return cls._made(found.value, found.where)

    @classmethod
    def _made(cls, tables: Mapping[str, Any], where: Where) -> Policies:
        policies: dict[str, Policy] = {}
        for key, table in tables.items():
            _check_key(key, where(key))
            policies[key] = read_policy(key, table, lambda *path, key=key: where(key, *path))
        return cls(policies, places={key: where(key) for key in tables})

    @property
    def all(self) -> Mapping[str, Policy]:
        """Every policy by its key, as written."""
        return dict(self._policies)

    def place(self, key: str) -> str:
        """`file:line` of a policy, empty where it is not known."""
        return self._places.get(key, "")

    def find(self, kind: SubjectKind, name: str, alias: str) -> Policy:
        """The policy in force for an alias of a prompt or model; `DEFAULT` where none fits."""
        fitting = [key for key in self._policies if _fits(key, f"{kind}/{name}", alias)]
        return self._policies[max(fitting, key=_closeness)] if fitting else DEFAULT

    def is_protected(self, subject: str, alias: str) -> bool:
        """Whether any policy that a freeze of `subject` and `alias` (each may be `*`) could touch is protected."""
        if "*" not in (subject, alias):
            kind, _, name = subject.partition("/")
            return self.find("model" if kind == "model" else "prompt", name, alias).protected
        return any(
            policy.protected
            for key, policy in self._policies.items()
            if alias == "*" or fnmatch.fnmatchcase(alias, key.rpartition("@")[2])
        )


def _check_key(key: str, where: str) -> None:
    found = _KEY.fullmatch(key)
    if found is not None and (found["subject"] is None or _SUBJECT.fullmatch(found["subject"])):
        return
    raise ConfigError(
        f'"{key}" is no key of a policy.',
        where=where,
        hint='A key is an alias, such as production, or a subject and an alias: "prompt/support-*@production".',
    )


def _fits(key: str, subject: str, alias: str) -> bool:
    of, at, name = key.rpartition("@")
    return fnmatch.fnmatchcase(alias, name) and (not at or fnmatch.fnmatchcase(subject, of))


def _closeness(key: str) -> tuple[bool, bool, bool, int, str]:
    of, at, name = key.rpartition("@")
    return ("*" not in name, bool(at) and "*" not in of, bool(at), len(key), key)


def _toml_lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []


def _toml_place(lines: list[str], path: tuple[str | int, ...]) -> str:
    """`pyproject.toml:line` of a value, by a look at the text, since tomllib does not say; as near as can be told."""
    wanted = ["tool", "evalkit", "policies", *(part for part in path if isinstance(part, str))]
    best, length = 1, 0
    inside: list[str] = []
    for number, line in enumerate(lines, start=1):
        heading = re.match(r"\s*\[+\s*([^\]]+?)\s*\]+", line)
        if heading:
            inside = _parts(heading[1])
            at = inside
        else:
            assigned = re.match(r"\s*((?:[\w.-]|\"[^\"]*\"|'[^']*')+)\s*=", line)
            if not assigned:
                continue
            at = [*inside, *_parts(assigned[1])]
        if len(at) > length and at == wanted[: len(at)]:
            best, length = number, len(at)
    return f"pyproject.toml:{best}"


_PART = re.compile(r""""([^"]*)"|'([^']*)'|([^."'\s]+)""")


def _parts(dotted: str) -> list[str]:
    return [double or single or bare for double, single, bare in _PART.findall(dotted)]
