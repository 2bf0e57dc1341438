"""How much is measured: the sizes of the tasks, and how often each is repeated."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Sizes and repetitions.

    `slow` says whether peers that take minutes are measured as well. `limiter` adds what takes many minutes more: MLflow
    with its default rate limiter, and the tools that wait for their cases one by one.
    """

    name: str
    trivial_cases: int = 1_000
    trivial_rounds: int = 4
    waiting_cases: int = 500
    waiting_delay: float = 0.1
    waiting_at_once: int = 50
    waiting_rounds: int = 3
    import_rounds: int = 5
    guest_rounds: int = 16
    memory_cases: int = 100_000
    memory_cases_of_peers: int = 3_000
    memory_rounds: int = 1
    report_cases: int = 10_000
    report_rounds: int = 1
    slow: bool = True
    limiter: bool = False

    @property
    def waiting_ideal(self) -> float:
        """Seconds on the clock when nothing but the waiting takes time."""
        batches = -(-self.waiting_cases // self.waiting_at_once)
        return batches * self.waiting_delay


FULL = Plan(name="full")
QUICK = Plan(
    name="quick",
    trivial_rounds=3,
    waiting_rounds=2,
    import_rounds=5,
    guest_rounds=12,
    memory_cases=10_000,
    memory_cases_of_peers=1_000,
    memory_rounds=1,
    report_rounds=1,
    slow=False,
)
