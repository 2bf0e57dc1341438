"""Statistics as pure functions of records: metrics with their intervals, and how many cases a claim takes.

`summarise` is what most callers need. The gates build on the parts: `columns` reads the trials once, `means`,
`ranks` and `totals` are the sufficient statistics, `intervals` and `power` the formulas.
"""

from evalkit.stats.intervals import Interval, clopper_pearson, korn_graubard, student
from evalkit.stats.summary import summarise

__all__ = ["Interval", "clopper_pearson", "korn_graubard", "student", "summarise"]
