"""How far a judge can be trusted, by what people said of the same cases: a calibration."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal

from evalkit.stats.agreement import Kappa, careful_kappa, cohen_kappa, confusion, matthews
from evalkit.stats.alternative import FEWEST_ANNOTATORS, FEWEST_ITEMS, Alternative, alternative_test
from evalkit.stats.intervals import Interval, clopper_pearson
from evalkit.stats.paired import mcnemar, tango
from evalkit.stats.raters import Scale, krippendorff_alpha

Trust = Literal["uncalibrated", "calibrated", "interchangeable"]
Label = str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """What it takes to be trusted. These are conventions, and a project may set its own.

    `labels` in all and `per_class` for each label; the lower 95% bounds of κ (`kappa`) and of the share of each
    label that the judge finds (`recall`); for pairs, the share of cases in which both orders agree (`consistency`);
    for standing in for people, the share of annotators it beats (`winning_rate`).
    """

    labels: int = 50
    per_class: int = 15
    kappa: float = 0.4
    recall: float = 0.7
    consistency: float = 0.8
    winning_rate: float = 0.5


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """`count` of `n`, as a value with its exact interval."""

    count: int
    n: int
    value: float
    interval: Interval


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Positions:
    """Judging pairs in both orders: how often both name the same one, and which place is liked where they do not.

    `p` is the exact two-sided test that a judge without a liking would be as lopsided.
    """

    consistent: Share
    always_first: int
    always_second: int
    p: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One case that people labelled: what each annotator said (`None` where one did not), and the judge.

    `judge` is `None` where it gave no verdict.
    """

    humans: tuple[Label | None, ...]
    judge: Label | None

    @property
    def majority(self) -> Label | None:
        """What most annotators said; `None` for a tie between labels, or no labels."""
        cast = Counter(label for label in self.humans if label is not None).most_common(2)
        if not cast or (len(cast) == 2 and cast[0][1] == cast[1][1]):
            return None
        return cast[0][0]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What is known of a judge. `trust` is what it may be used for, `reasons` why it is no more.

    `n` are the cases with a human verdict (a majority, where several annotated); `split` had none. `unread` of the `n`
    the judge gave no verdict on: they count as wrong in `accuracy`, and are left out of what compares labels.
    `table` counts (human, judge) by `labels`. `recall` is, for each label, the share of what people called so that
    the judge called so too: for yes and no, the true positive and the true negative rate. `bias` is by how much
    oftener the judge says a label than people do, with its interval. `humans` is Krippendorff's α of the annotators,
    `human_kappas` Cohen's κ of each two. `None` is what the data do not allow.
    """

    n: int
    split: int
    unread: int
    labels: tuple[Label, ...]
    table: tuple[tuple[int, ...], ...]
    accuracy: Share
    recall: Mapping[Label, Share | None]
    kappa: Kappa | None
    weighted_kappa: Kappa | None
    mcc: float | None
    bias: Mapping[Label, tuple[float, Interval]]
    humans: float | None
    human_kappas: Mapping[tuple[int, int], float | None]
    alternative: Alternative | None
    positions: Positions | None
    trust: Trust
    reasons: tuple[str, ...]


def calibrate(
    items: Sequence[Item],
    *,
    order: Sequence[Label] | None = None,
    orders: Sequence[tuple[Label | None, Label | None]] | None = None,
    thresholds: Thresholds | None = None,
    epsilon: float = 0.15,
    level: float = 0.95,
) -> Calibration:
    """The calibration of a judge on labelled cases.

    `order` names ordered labels, worst first, and adds the quadratically weighted κ. `orders` are, for a judge of
    pairs, the winners it named with either one first, in the same words. `epsilon` is what an annotator costs more
    than the judge in the alternative annotator test (see `evalkit.stats.alternative`).

    Raises `ValueError` where no case has a human verdict, or a label is none of `order`.
    """
    limits = thresholds or Thresholds()
    labelled = [(item.majority, item.judge) for item in items]
    decided = [(human, judge) for human, judge in labelled if human is not None]
    if not decided:
        raise ValueError("no case has a human verdict to hold the judge against")
    read = [(human, judge) for human, judge in decided if judge is not None]
    labels, table = _table(decided, order)
    n, right = len(decided), sum(human == judge for human, judge in decided)
    tested = _alternative(items, epsilon)
    count = max((len(item.humans) for item in items), default=0)
    made = Calibration(
        n=n,
        split=len(items) - n,
        unread=n - len(read),
        labels=labels,
        table=tuple(tuple(row) for row in table),
        accuracy=share(right, n, level=level),
        recall={label: _recall(decided, label, level) for label in labels},
        kappa=careful_kappa(table, level=level) if read else None,
        weighted_kappa=cohen_kappa(table, weights="quadratic", level=level) if read and order is not None else None,
        mcc=matthews(table) if read else None,
        bias={label: _bias(read, label, level) for label in labels} if read else {},
        humans=_humans(items, order) if count > 1 else None,
        human_kappas={
            (one + 1, other + 1): _kappa_of_two(items, one, other)
            for one, other in itertools.combinations(range(count), 2)
        },
        alternative=tested,
        positions=None if orders is None else positions(orders, level=level),
        trust="uncalibrated",
        reasons=(),
    )
    trust, reasons = _trust(made, decided, limits)
    return dataclasses.replace(made, trust=trust, reasons=reasons)


def winners(verdicts: Sequence[str]) -> tuple[Label, Label]:
    """The winners that a judge named, `a`, `b` or `tie`; `verdicts` are the places it said, with either one first."""
    there, back = verdicts
    return {"first": "a", "second": "b"}.get(there, "tie"), {"first": "b", "second": "a"}.get(back, "tie")


def positions(orders: Sequence[tuple[Label | None, Label | None]], *, level: float = 0.95) -> Positions:
    """What both orders say of a judge of pairs: the winner named with `a` first, and with `b` first.

    The winners are `a`, `b` or anything else for a tie; `None` is no verdict, which agrees with nothing but itself.
    Naming `a` and then `b` is naming the first place twice. Raises `ValueError` where there are none.
    """
    same = sum(one == other for one, other in orders)
    first = sum((one, other) == ("a", "b") for one, other in orders)
    second = sum((one, other) == ("b", "a") for one, other in orders)
    return Positions(
        consistent=share(same, len(orders), level=level),
        always_first=first,
        always_second=second,
        p=mcnemar(first, second),
    )


def share(count: int, n: int, *, level: float = 0.95) -> Share:
    """`count` of `n` with its Clopper–Pearson interval. Raises `ValueError` for `n` = 0."""
    if n < 1:
        raise ValueError("a share of nothing")
    return Share(count=count, n=n, value=count / n, interval=clopper_pearson(count, n, level=level))


def _table(
    decided: Sequence[tuple[Label, Label | None]], order: Sequence[Label] | None
) -> tuple[tuple[Label, ...], list[list[int]]]:
    read = [(human, judge) for human, judge in decided if judge is not None]
    found = {label for pair in decided for label in pair if label is not None}
    if order is None:
        labels = tuple(sorted(found))
    else:
        labels = tuple(order)
        strange = sorted(found - set(labels))
        if strange:
            raise ValueError(f"the label {strange[0]!r} is none of {', '.join(labels)}")
    place = {label: at for at, label in enumerate(labels)}
    table = [[0] * len(labels) for _ in labels]
    for human, judge in read:
        table[place[human]][place[judge]] += 1
    return labels, table


def _recall(decided: Sequence[tuple[Label, Label | None]], label: Label, level: float) -> Share | None:
    of_label = [judge for human, judge in decided if human == label]
    return share(sum(judge == label for judge in of_label), len(of_label), level=level) if of_label else None


def _bias(read: Sequence[tuple[Label, Label]], label: Label, level: float) -> tuple[float, Interval]:
    more = sum(judge == label and human != label for human, judge in read)
    fewer = sum(judge != label and human == label for human, judge in read)
    return (more - fewer) / len(read), tango(more, fewer, len(read), level=level)


def _humans(items: Sequence[Item], order: Sequence[Label] | None) -> float | None:
    if order is None:
        return krippendorff_alpha([item.humans for item in items])
    place = {label: at for at, label in enumerate(order)}
    scale: Scale = "ordinal"
    rows = [[None if label is None else place[label] for label in item.humans] for item in items]
    return krippendorff_alpha(rows, scale=scale)


def _kappa_of_two(items: Sequence[Item], one: int, other: int) -> float | None:
    pairs = [
        (first, second)
        for item in items
        if max(one, other) < len(item.humans)
        and (first := item.humans[one]) is not None
        and (second := item.humans[other]) is not None
    ]
    if not pairs:
        return None
    found = cohen_kappa(confusion(pairs)[1])
    return None if found is None else found.value


def _alternative(items: Sequence[Item], epsilon: float) -> Alternative | None:
    judged = [item for item in items if item.judge is not None]
    if not judged or min(len(item.humans) for item in judged) < FEWEST_ANNOTATORS or len(judged) < FEWEST_ITEMS:
        return None
    try:
        return alternative_test(
            [item.judge for item in judged if item.judge is not None],
            [item.humans for item in judged],
            epsilon=epsilon,
        )
    except ValueError:  # an annotator who shares too few items with others
        return None


def _trust(
    made: Calibration, decided: Sequence[tuple[Label, Label | None]], limits: Thresholds
) -> tuple[Trust, tuple[str, ...]]:
    """How far up the ladder, and what kept the judge from the next rung."""
    lacking = list(_lacking(made, Counter(human for human, _ in decided), limits))
    if lacking:
        return "uncalibrated", tuple(lacking)
    tested = made.alternative
    if tested is None:
        return "calibrated", (
            f"no alternative annotator test: it takes {FEWEST_ANNOTATORS} annotators and {FEWEST_ITEMS} cases of each",
        )
    if tested.winning_rate < limits.winning_rate:
        return "calibrated", (
            f"it beats {tested.winning_rate:.2f} of the annotators, and {limits.winning_rate:g} would do",
        )
    return "interchangeable", ()


def _lacking(made: Calibration, classes: Mapping[Label, int], limits: Thresholds) -> Sequence[str]:
    lacking = []
    if made.n < limits.labels:
        lacking.append(f"{made.n} labels, and {limits.labels} are needed")
    few = [f"{label} {count}" for label, count in sorted(classes.items()) if count < limits.per_class]
    if few:
        lacking.append(f"too few labels of one kind ({', '.join(few)}), and {limits.per_class} of each are needed")
    if len(classes) < 2:
        lacking.append("people gave one label only, so that agreement says nothing")
    low = -math.inf if made.kappa is None else made.kappa.low
    if low < limits.kappa:
        shown = "is not defined" if made.kappa is None else f"may be as low as {low:.2f}"
        lacking.append(f"κ {shown}, and {limits.kappa:g} is needed")
    for label, found in made.recall.items():
        if found is not None and found.interval.low < limits.recall:
            lacking.append(
                f"it may find as little as {found.interval.low:.0%} of what people call {label}, "
                f"and {limits.recall:.0%} is needed"
            )
    if made.positions is not None and made.positions.consistent.value < limits.consistency:
        lacking.append(
            f"its orders agree in {made.positions.consistent.value:.0%} of the pairs, and "
            f"{limits.consistency:.0%} is needed"
        )
    return lacking
