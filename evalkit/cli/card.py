"""A calibration card for the terminal: what a judge may be used for, why, and the figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalkit.figures import count
from evalkit.plaintext import Paint, cells, clean, padded, wrapped
from evalkit.trust import MEANINGS

if TYPE_CHECKING:
    from evalkit.stats.agreement import Kappa
    from evalkit.stats.calibration import Calibration, Share
    from evalkit.trust import Labelled

_COLOURS = {"uncalibrated": "31", "calibrated": "32", "interchangeable": "32"}


def card(labelled: Labelled, found: Calibration, *, width: int, paint: Paint) -> str:
    """The card as text of at most `width` columns."""
    name = f"{paint(clean(labelled.judge), '1')} {labelled.version[:8]}"
    lines = [
        f"{name}: {paint(found.trust.upper(), _COLOURS[found.trust])}",
        *wrapped(MEANINGS[found.trust].capitalize() + ".", width),
    ]
    if found.reasons:
        lines.append("What is missing:" if found.trust == "uncalibrated" else "What would take it further:")
        lines += _listed(found.reasons, width)
    lines += ["", *_table(found, width), "", *_figures(found), *_cautions(labelled, found, width)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _listed(texts: tuple[str, ...], width: int) -> list[str]:
    lines = []
    for text in texts:
        first, *more = wrapped(clean(text), width - 4)
        lines += [f"  - {first}", *(f"    {line}" for line in more)]
    return lines


def _table(found: Calibration, width: int) -> list[str]:
    labels = [clean(label)[:20] for label in found.labels]
    head = max([cells("people said"), *map(cells, labels)])
    columns = [max(cells(label), 5) for label in labels]
    if head + sum(columns) + 2 * len(columns) > width:
        return [f"{count(len(labels), 'label')}; the table is in --json."]
    lines = ["  ".join([padded("people said", head), "the judge said"]).rstrip()]
    lines.append(
        "  ".join([" " * head, *(padded(label, size, right=True) for label, size in zip(labels, columns, strict=True))])
    )
    for label, row in zip(labels, found.table, strict=True):
        figures = [padded(f"{number:,}", size, right=True) for number, size in zip(row, columns, strict=True)]
        lines.append("  ".join([padded(label, head), *figures]))
    return lines


def _figures(found: Calibration) -> list[str]:
    rows = [("agrees with people", _share(found.accuracy))]
    rows += [(f"finds {clean(label)}", _share(one)) for label, one in found.recall.items() if one is not None]
    if found.kappa is not None:
        rows.append(("κ (beyond chance)", _kappa(found.kappa)))
    if found.weighted_kappa is not None:
        rows.append(("κ, near misses count less", _kappa(found.weighted_kappa)))
    if found.mcc is not None:
        rows.append(("MCC", f"{found.mcc:.2f}"))
    rows += [
        (f"says {clean(label)}", f"{value:+.1%} ({interval.low:+.1%} to {interval.high:+.1%}) against people")
        for label, (value, interval) in found.bias.items()
    ]
    if found.humans is not None:
        rows.append(("people among themselves", f"α {found.humans:.2f}"))
    if found.alternative is not None:
        one_test = found.alternative
        rows.append(("beats annotators", f"{one_test.winning_rate:.0%} of them (ε {one_test.epsilon:g}); 50% would do"))
    if found.positions is not None:
        place = found.positions
        rows.append(("both orders agree", _share(place.consistent)))
        rows.append(
            ("likes a place", f"first {place.always_first:,}, second {place.always_second:,} (p = {place.p:.2g})")
        )
    size = max(cells(name) for name, _ in rows)
    return [f"{padded(name, size)}  {text}" for name, text in rows]


def _cautions(labelled: Labelled, found: Calibration, width: int) -> list[str]:
    said = []
    if found.unread:
        said.append(f"{count(found.unread, 'case')} had no verdict of the judge; they count as wrong.")
    if found.split:
        said.append(f"{count(found.split, 'case')} had no majority among people and were left out.")
    if labelled.picked is None:
        said.append("How the cases of the file were chosen is not known; only a random choice stands for a run.")
    elif labelled.picked:
        said.append(
            f"{count(labelled.picked, 'case')} were picked by somebody and not drawn: if that was done by looking at "
            "the judge, these figures flatter it or wrong it."
        )
    if labelled.repeats:
        said.append(f"Labels of {count(labelled.repeats, 'further trial')} of the same cases were left out.")
    said.append(f"{count(found.n, 'label')} from {labelled.source}. The limits are conventions; see docs/judges.md.")
    return ["", *(line for text in said for line in wrapped(clean(text), width))]


def _share(one: Share) -> str:
    return f"{one.value:.1%} of {one.n:,} ({one.interval.low:.1%}–{one.interval.high:.1%})"


def _kappa(one: Kappa) -> str:
    # Without any disagreement the formula gives no error at all, which twelve cases do not prove.
    interval = "no disagreement was seen" if one.low == one.high else f"{one.low:.2f}–{one.high:.2f}"
    return f"{one.value:.2f} ({interval})"
