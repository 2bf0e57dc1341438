"""The metrics of a run as OpenMetrics text, which GitLab compares with the target branch's on a merge request."""

from __future__ import annotations

import re
from collections.abc import Iterator

from evalkit.asides import shown
from evalkit.plaintext import clean
from evalkit.runs import Run

_UNITS = {"s": "seconds", "$": "dollars", "USD": "dollars", "tokens": "tokens"}


def render_openmetrics(run: Run) -> str:
    """One gauge for each metric and statistic, labelled by suite, ending with `# EOF`.

    Values only, in full: GitLab compares them as text. Beside each, how many trials are missing from it. A metric
    without a value is left out, which GitLab shows as removed.
    """
    families: dict[str, list[str]] = {}
    for name, labels, value in _samples(run):
        families.setdefault(name, []).append(f"{name}{{{labels}}} {value}")
    lines = [line for name, samples in families.items() for line in (f"# TYPE {name} gauge", *samples)]
    return "\n".join([*lines, "# EOF"]) + "\n"


def _samples(run: Run) -> Iterator[tuple[str, str, str]]:
    for suite in run.suites:
        name = f'suite="{_label(suite.info.name)}"'
        for metric in shown([one for one in run.metrics if one.suite == suite.info.name]):
            if metric.value is None:
                continue
            labels = f'{name},metric="{_label(metric.name)}",statistic="{_label(metric.statistic)}"'
            unit = _UNITS.get(metric.unit)
            yield "evalkit_metric" + (f"_{unit}" if unit else ""), labels, f"{metric.value:.6g}"
            yield "evalkit_missing", f'{name},metric="{_label(metric.name)}"', str(metric.unscored + metric.errored)
        for verdict in run.verdicts:
            if verdict.suite == suite.info.name:
                labels = f'{name},gate="{_label(verdict.gate)}",verdict="{verdict.decision}"'
                yield "evalkit_gate", labels, "1"


def _label(text: str) -> str:
    """A label's value: one line, without what GitLab's reader would take for the end of the labels."""
    return re.sub(r"[{}]", "_", clean(text)).replace("\\", "\\\\").replace('"', '\\"')
