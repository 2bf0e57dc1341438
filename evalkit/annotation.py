"""An annotation: what a person said of one output."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Literal

Chosen = Literal["random", "all", "given"]
"""How the case came to be labelled: drawn at random, as one of all, or picked by somebody. Only labels of cases that
were not picked stand for the whole run.
"""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """One label by one person for one trial.

    `name` is what was labelled: the name of the judge's metric that the label can be held against. `at` is in UTC.
    `seed` drew the cases, `None` where none did; `note` is the annotator's own words.
    """

    id: str
    run_id: str
    suite: str
    case_id: str
    trial: int
    name: str
    label: str
    annotator: str
    at: dt.datetime
    chosen: Chosen
    seed: int | None = None
    note: str | None = None
