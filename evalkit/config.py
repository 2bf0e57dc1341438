"""Settings: one table, from which pyproject keys, environment variables, flags and their documentation are made.

`[tool.evalkit]` in pyproject.toml, then `EVALKIT_<NAME>`, then the flag: the later wins. Importing this module
reads nothing.
"""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from evalkit.errors import ConfigError, did_you_mean
from evalkit.pricelist import prices_of
from evalkit.root import find_root as find_root
from evalkit.root import text_of
from evalkit.setting import Setting, checked, read_value
from evalkit.settings import DEFAULT_STORE as DEFAULT_STORE
from evalkit.settings import SETTINGS as SETTINGS

EVERY_SUITE = "*"
"""The key of `[tool.evalkit.gates]` for all suites: TOML has no room for both a list and a table of one name."""

OTHER_VARIABLES = frozenset(
    {"EVALKIT_ALLOW_CODE_EXECUTION", "EVALKIT_CHROMIUM", "EVALKIT_DATA", "EVALKIT_TOKEN", "EVALKIT_TOKEN_FILE"}
)
"""Variables that are no settings and still ours; besides these, everything that begins with `EVALKIT_TEST_`."""

_BY_NAME = {setting.name: setting for setting in SETTINGS}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings in force. `sources` says for each where it came from: `default`, a place in pyproject.toml,
    `$EVALKIT_…` or the flag.

    `store` is a database URL or an absolute path. `repeat`, `baseline`, `report`, `markdown`, `sample`,
    `changed` and `timeout` (seconds) are `None` where they are not set. `gates` are for every suite, `suite_gates` for
    one by its
    name. `max_cost` is in US dollars. `prices` are those of `[tool.evalkit.prices]`, by model: `input`, `output`
    and `cached`, in US dollars per million tokens. `signing_key` says where the private key is that promotions and the
    audit log are signed with: `env:NAME` or a path, `None` where nothing is signed. `policies` are the tables of
    `[tool.evalkit.policies]` as they are written, or the path of the file that has them instead, `webhooks`
    those of `[tool.evalkit.webhooks]`.
    """

    root: Path
    store: str = DEFAULT_STORE
    repeat: int | None = None
    max_concurrency: int = 16
    gates: tuple[str, ...] = ()
    baseline: str | None = None
    report: str | None = None
    markdown: str | None = None
    annotations: Literal["auto", "off"] = "auto"
    inconclusive: Literal["fail", "warn"] = "fail"
    sample: int | None = None
    seed: int = 0
    timeout: float | None = None
    stop: Literal["never", "decided", "anytime"] | None = None
    prompts: str = "prompts"
    models: str = "models"
    use_prompts: tuple[str, ...] = ()
    use_models: tuple[str, ...] = ()
    cache: Literal["off", "read-write", "replay", "refresh"] = "off"
    cassettes: str | None = None
    max_cost: Decimal | None = None
    estimate: bool = False
    capture: Literal["content", "metadata", "off"] = "content"
    redact: tuple[str, ...] = ()
    changed: str | None = None
    shard: str | None = None
    bundle: str | None = None
    resume: str | None = None
    retry_errors: int = 0
    off: bool = False
    suite_gates: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    prices: Mapping[str, Mapping[str, Decimal]] = dataclasses.field(default_factory=dict)
    policies: Mapping[str, Any] | str = dataclasses.field(default_factory=dict)
    webhooks: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    signing_key: str | None = None
    sources: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def gates_for(self, suite: str) -> tuple[str, ...]:
        """The gates that the settings add to a suite of that name, those for every suite first."""
        return (*self.gates, *self.suite_gates.get(suite, ()))


def load_settings(
    root: Path, *, flags: Mapping[str, Any] | None = None, environ: Mapping[str, str] = os.environ
) -> Settings:
    """The settings in force for the project at `root`.

    `flags` are those given on a command line, by setting name; `None` stands for one that was not given. Raises
    `ConfigError` for a key, variable or flag that is unknown, with the nearest known one, and for a value of the
    wrong type.
    """
    values: dict[str, Any] = {setting.name: setting.default for setting in SETTINGS}
    sources = dict.fromkeys(values, "default")
    file = root / "pyproject.toml"
    table, text = _table(file)
    suite_gates: dict[str, tuple[str, ...]] = {}
    prices: dict[str, Mapping[str, Decimal]] = {}
    policies: Mapping[str, Any] | str = MappingProxyType({})
    webhooks: Mapping[str, Any] = MappingProxyType({})
    signing_key: str | None = None
    for key, value in table.items():
        where = f"{file.name}:{_line_of(text, key)}"
        if key == "prices":
            prices, sources[key] = prices_of(value, where=where), where
            continue
        if key == "signing":
            signing_key, sources["signing_key"] = _signing_key(value, root, where=where), where
            continue
        if key == "policies":
            policies, sources[key] = _policies(value, where), where
            continue
        if key == "webhooks":
            webhooks, sources[key] = _webhooks(value, where), where
            continue
        if key == "gates" and isinstance(value, dict):
            suite_gates = {name: checked(_BY_NAME["gates"], lines, where) for name, lines in value.items()}
            sources["suite_gates"] = where
            if EVERY_SUITE in suite_gates:
                values[key], sources[key] = suite_gates.pop(EVERY_SUITE), where
            continue
        values[key] = checked(_setting(key, where), value, where)
        sources[key] = where
    own = OTHER_VARIABLES | _named_in(signing_key, webhooks)
    for variable, raw in environ.items():
        if variable.startswith("EVALKIT_") and variable not in own and raw != "":
            if variable.startswith("EVALKIT_TEST_"):
                continue
            setting = _from_variable(variable)
            values[setting.name] = read_value(setting, raw, f"${variable}")
            sources[setting.name] = f"${variable}"
    for key, value in (flags or {}).items():
        setting = _setting(key, "flag")
        if value is None or (setting.kind == "lines" and not value) or (setting.kind == "switch" and not value):
            continue
        read = read_value if isinstance(value, str) else checked
        values[key] = read(setting, value, setting.flag)
        sources[key] = setting.flag
    from_flag = sources["store"] == _BY_NAME["store"].flag
    values["store"] = _absolute(values["store"], Path.cwd() if from_flag else root)
    return Settings(
        root=root,
        suite_gates=MappingProxyType(suite_gates),
        prices=MappingProxyType(prices),
        policies=policies,
        webhooks=webhooks,
        signing_key=signing_key,
        sources=MappingProxyType(sources),
        **values,
    )


def _signing_key(value: Any, root: Path, *, where: str) -> str:
    """Where `[tool.evalkit.signing]` says that the key is. The key itself is refused without being shown."""
    hint = 'Write key = { env = "NAME" } or key = { file = "PATH" }.'
    if not isinstance(value, dict) or set(value) != {"key"}:
        near = "".join(did_you_mean(key, {"key"}) for key in value if key != "key") if isinstance(value, dict) else ""
        raise ConfigError("`signing` is a table with one entry, `key`." + near, where=where, hint=hint)
    reference = value["key"]
    if isinstance(reference, dict) and len(reference) == 1:
        (kind, place), *_ = reference.items()
        if isinstance(place, str) and place.strip() and "-----BEGIN" not in place:
            if kind == "env":
                return f"env:{place}"
            if kind == "file":
                return str(root / Path(place).expanduser())
    raise ConfigError("`signing.key` says where the key is, and is not the key.", where=where, hint=hint)


def _table(file: Path) -> tuple[Mapping[str, Any], str]:
    """`[tool.evalkit]` of a pyproject.toml, empty where there is none, and the whole text."""
    if not file.is_file():
        return {}, ""
    import tomllib

    text = text_of(file)
    if "evalkit" not in text:
        return {}, text
    try:
        tool = tomllib.loads(text).get("tool", {})
    except ValueError as error:  # tomllib's own, or a date that is none, or a number of too many digits
        raise ConfigError(f"This is not TOML: {error}.", where=str(file)) from None
    except RecursionError:
        raise ConfigError("It is nested too deeply to be read.", where=str(file)) from None
    table = tool.get("evalkit", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise ConfigError(f"tool.evalkit is {table!r:.40}, not a table.", where=str(file))
    return table, text


def _policies(value: Any, where: str) -> Mapping[str, Any] | str:
    if isinstance(value, dict) or (isinstance(value, str) and value.strip()):
        return MappingProxyType(value) if isinstance(value, dict) else value
    raise ConfigError(
        f"`policies` is {value!r:.60}.",
        where=where,
        hint="Write a table for each alias, such as [tool.evalkit.policies.production], or the path of a YAML file.",
    )


def _named_in(signing_key: str | None, webhooks: Mapping[str, Any]) -> frozenset[str]:
    """The variables that the settings themselves name as the place of a secret."""
    secrets = [table.get("secret") for table in webhooks.values() if isinstance(table, dict)]
    names = [secret.get("env") for secret in secrets if isinstance(secret, dict)]
    key = (signing_key or "").partition("env:")[2]
    return frozenset(name for name in (key, *names) if isinstance(name, str) and name)


def _webhooks(value: Any, where: str) -> Mapping[str, Any]:
    if isinstance(value, dict):
        return MappingProxyType(value)
    raise ConfigError(
        f"`webhooks` is {value!r:.60}.",
        where=where,
        hint="Write a table for each, such as [tool.evalkit.webhooks.chat] with a url, a secret and events.",
    )


def _line_of(text: str, key: str) -> int:
    """The line on which the key stands, by a look at the text: tomllib does not say. 1 where it is not found."""
    inside = False
    for number, line in enumerate(text.splitlines(), start=1):
        heading = re.match(r"\s*\[+\s*([^\]]+?)\s*\]", line)
        if heading:
            inside = heading[1].replace('"', "") == "tool.evalkit"
            if heading[1].replace('"', "").startswith(f"tool.evalkit.{key}"):
                return number
        elif inside and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[=.]", line):
            return number
    return 1


def _setting(key: str, where: str) -> Setting:
    if key in _BY_NAME:
        return _BY_NAME[key]
    near = did_you_mean(key.replace("-", "_"), {*_BY_NAME, "prices", "policies", "signing", "webhooks"})
    raise ConfigError(
        f'There is no setting "{key}".' + near,
        where=where,
        hint="The settings are " + ", ".join(_BY_NAME) + ".",
    )


def _from_variable(variable: str) -> Setting:
    for setting in SETTINGS:
        if setting.env == variable:
            return setting
    known = {setting.env for setting in SETTINGS} | OTHER_VARIABLES
    raise ConfigError(
        f"The environment variable {variable} is none of evalkit's." + did_you_mean(variable, known),
        why="A misspelled setting that is silently ignored would give a run that nobody asked for.",
        hint="Unset it, or choose one of " + ", ".join(sorted(setting.env for setting in SETTINGS)) + ".",
    )


def _absolute(store: str, folder: Path) -> str:
    return store if "://" in store else str(folder / Path(store).expanduser())
