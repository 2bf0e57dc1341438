"""The bound a gate's text sets, so that a chart can draw it.

A gate is judged elsewhere and long before; here its line is only read, leniently, since a stored run may carry
gates of a newer grammar. What cannot be read is drawn without a bound.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping

_GATE = re.compile(
    r"""^\s*
    (?:(?P<call>[a-z]\w*(?:\.\d+)?)\(\s*(?P<inner>[^()]+?)\s*\)|(?P<plain>[^\s\[\]()<>=]+))
    (?:\[(?P<slice>[^\]]*)\])?(?:\.(?P<suffix>[a-z_]\w*))?
    \s*(?P<operator>>=|<=|>|<)\s*
    (?P<sign>\$)?(?P<number>-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*(?P<unit>%|ms|s|min|\$|usd)?
    \s*(?:@.*)?$""",
    re.VERBOSE | re.IGNORECASE,
)
_FACTORS = {"%": 0.01, "ms": 0.001, "min": 60.0}
_BOUND_OF_AN_INTERVAL = ("ci_low", "ci_high")
DEFAULT_STATISTICS = ("mean", "rate", "")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """`name` and `statistic` (`None`: the default one) must be `operator` `value`, in the metric's own unit."""

    name: str
    statistic: str | None
    slice: Mapping[str, str]
    operator: str
    value: float

    def is_for(self, name: str, statistic: str, where: Mapping[str, str]) -> bool:
        """Whether the metric of that name, statistic and slice is the one that is bounded."""
        if self.name != name or dict(self.slice) != dict(where):
            return False
        if self.statistic is not None:
            return self.statistic == statistic
        return statistic in DEFAULT_STATISTICS or (name == "cost" and statistic == "sum")


def read_bound(gate: str) -> Bound | None:
    """The bound in a gate such as `p95(latency) <= 3s`; `None` for a gate without one, or of another form."""
    found = _GATE.match(gate)
    if found is None:
        return None
    name, statistic = found["plain"] or found["inner"], found["call"]
    suffix = found["suffix"]
    if suffix is None and found["plain"] and "." in name and found["slice"] is None:
        name, suffix = name.rsplit(".", 1)
    if suffix and suffix not in _BOUND_OF_AN_INTERVAL:
        if statistic:
            return None
        statistic = suffix
    value = float(found["number"]) * _FACTORS.get((found["unit"] or "").lower(), 1.0)
    return Bound(
        name=name,
        statistic=statistic,
        slice=_slice(found["slice"]),
        operator=found["operator"],
        value=value,
    )


def _slice(text: str | None) -> dict[str, str]:
    if not text:
        return {}
    key, equals, value = text.partition("=")
    return {key.strip(): value.strip().strip("\"'")} if equals else {"tag": text.strip()}
