"""How many trials of a suite came to what."""

from __future__ import annotations

from collections.abc import Sequence

from evalkit.store.database import Session

OUTCOMES = ("passed", "missed", "errored", "unscored")


def count_outcomes(session: Session, suite_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """Per suite, how many trials had each outcome; of a trial that was attempted again, the last attempt counts."""
    counted: dict[int, dict[str, int]] = {}
    for suite_id in suite_ids:
        counts = counted[suite_id] = dict.fromkeys(OUTCOMES, 0)
        found = session.execute(
            "SELECT outcome, COUNT(*) FROM trials AS t WHERE suite_id = ? AND NOT EXISTS ("
            "SELECT 1 FROM trials AS later WHERE later.suite_id = t.suite_id AND later.case_id = t.case_id"
            " AND later.trial = t.trial AND later.attempt > t.attempt) GROUP BY outcome",
            [suite_id],
        )
        counts.update(dict(found))
    return counted
