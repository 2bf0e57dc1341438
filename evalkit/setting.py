"""One setting: how it is written in each place, and which values it takes."""

from __future__ import annotations

import dataclasses
import math
import re
from decimal import Decimal
from typing import Any, Literal

from evalkit.errors import ConfigError
from evalkit.shards import Shard

Kind = Literal["text", "whole", "seconds", "money", "switch", "lines", "choice", "shard"]
ONE_OF = {"gates": "gate", "use_prompts": "prompt", "use_models": "model"}
"""What the flag of a setting of several lines is called, which gives one of them."""
_LISTS = {
    "gates": 'gates, such as ["accuracy >= 0.9 @ 95%"]',
    "use_prompts": 'versions, such as ["support-reply=v2"]',
    "use_models": 'versions, such as ["solver=v2"]',
    "redact": 'patterns, such as ["acct-[0-9]+"]',
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting as it is written everywhere.

    `minimum` is the smallest number allowed, `choices` are the words that a `choice` may be. `metavar` is what the
    help shows for the value.
    """

    name: str
    kind: Kind
    default: Any
    doc: str
    metavar: str
    minimum: int | None = None
    choices: tuple[str, ...] = ()

    @property
    def flag(self) -> str:
        """The pytest flag, such as `--evalkit-max-concurrency`; a setting of several lines is given one at a time."""
        return "--evalkit-" + ONE_OF.get(self.name, self.name).replace("_", "-")

    @property
    def env(self) -> str:
        """The environment variable, such as `EVALKIT_MAX_CONCURRENCY`."""
        return "EVALKIT_" + self.name.upper()


def read_value(setting: Setting, raw: str, where: str) -> Any:
    """The value of a text from the environment or a flag."""
    value: Any = raw
    if setting.kind == "whole":
        value = int(raw) if re.fullmatch(r"[-+]?[0-9]{1,18}", raw.strip()) else raw
    elif setting.kind in ("seconds", "money"):
        value = float(raw) if re.fullmatch(r"[0-9]+(\.[0-9]+)?", raw.strip()) else raw
    elif setting.kind == "switch":
        value = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}.get(raw.lower(), raw)
    elif setting.kind == "lines":
        value = [line.strip() for line in raw.splitlines() if line.strip()]
    return checked(setting, value, where)


def checked(setting: Setting, value: Any, where: str) -> Any:
    """`value`, when it is what the setting takes; raises `ConfigError` otherwise."""
    kind = setting.kind
    if kind == "lines":
        lines = [value] if isinstance(value, str) else value
        if isinstance(lines, list | tuple) and all(isinstance(line, str) and line.strip() for line in lines):
            return tuple(lines)
        raise _wrong(setting, value, "a list of " + _LISTS.get(setting.name, "texts"), where)
    if kind == "switch" and isinstance(value, bool):
        return value
    if kind == "text" and isinstance(value, str) and value.strip():
        return value
    if kind == "choice" and value in setting.choices:
        return value
    if kind == "shard":
        return str(Shard.parse(str(value), where=where))
    number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    if kind == "whole" and number and isinstance(value, int) and value >= (setting.minimum or 0):
        return value
    if kind == "seconds" and number and math.isfinite(value) and value > 0:
        return float(value)
    if kind == "money" and number and math.isfinite(value) and value > 0:
        return Decimal(str(value))
    wants = {
        "switch": "true or false",
        "text": "a text that is not empty",
        "choice": " or ".join(f'"{choice}"' for choice in setting.choices),
        "whole": f"a whole number from {setting.minimum or 0} on",
        "seconds": "a number of seconds above 0",
        "money": "an amount of US dollars above 0",
    }
    raise _wrong(setting, value, wants[kind], where)


def _wrong(setting: Setting, value: Any, wants: str, where: str) -> ConfigError:
    return ConfigError(f"`{setting.name}` is {wants}, not {value!r:.60}.", where=where, hint=setting.doc)
