"""How often the same suite was run before on the same code, prompt, model and cases."""

from __future__ import annotations

from evalkit.store.cells import text_of
from evalkit.store.database import Database

_EARLIER = """
SELECT s.name, COUNT(*) FROM suites AS s
JOIN runs AS r ON r.id = s.run_id
JOIN suites AS o ON o.name = s.name AND o.dataset = s.dataset
JOIN runs AS b ON b.id = o.run_id
WHERE s.run_id = ? AND b.id <> r.id AND b.started_at < r.started_at AND b.status = 'complete'
AND b.git_commit = r.git_commit AND COALESCE(b.git_dirty, 0) = COALESCE(r.git_dirty, 0)
AND o.planned = o.declared AND s.planned = s.declared
AND (o.selection IS NULL OR o.selection LIKE ? OR o.selection LIKE ?)
AND (s.selection IS NULL OR s.selection LIKE ? OR s.selection LIKE ?)
AND NOT EXISTS (
    SELECT 1 FROM suite_versions AS v WHERE v.suite_id = s.id AND v.how = 'declared' AND NOT EXISTS (
        SELECT 1 FROM suite_versions AS w WHERE w.suite_id = o.id AND w.how = 'declared'
        AND w.kind = v.kind AND w.name = v.name AND w.digest = v.digest
    )
)
GROUP BY s.name
"""

_SETTLED = ("stopped at %(decided)", "stopped at %(anytime)")
"""How the selection of a suite reads that stopped because it was decided; as values, since some drivers take `%` for a
mark."""


def earlier_runs(database: Database, run_id: str) -> dict[str, int]:
    """For each suite of a run how many earlier ones came to a verdict on it; see `Store.earlier_runs`."""
    with database.reading() as session:
        return {text_of(name): number for name, number in session.execute(_EARLIER, [run_id, *_SETTLED, *_SETTLED])}
