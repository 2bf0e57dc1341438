"""The queue before one model, whatever comes: its laws, on a clock that only the test moves."""

from __future__ import annotations

import math

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from evalkit.calling import Limits
from evalkit.limits import Lane, Ticket


class LaneMachine(RuleBasedStateMachine):
    """Asks, answers, ends and gives up in any order, and checks the lane after each step."""

    @initialize(
        concurrency=st.none() | st.integers(1, 6),
        rpm=st.none() | st.integers(1, 600),
        tpm=st.none() | st.integers(1, 9000),
    )
    def begin(self, concurrency, rpm, tpm):
        self.limits = Limits(concurrency=concurrency, rpm=rpm, tpm=tpm)
        self.lane = Lane(self.limits)
        self.now = 1000.0
        self.began = self.now
        self.queue: list[Ticket] = []
        self.flying: list[Ticket] = []
        self.order: list[int] = []
        self.asked = 0
        self.starts = 0

    def _settle(self):
        for ticket in [ticket for ticket in self.queue if ticket.granted_at is not None]:
            # first come, first served: whoever was granted stood first among those that still waited
            assert ticket is self.queue[0]
            self.queue.remove(ticket)
            self.flying.append(ticket)
            self.starts += 1

    @rule(tokens=st.integers(0, 3000))
    def ask(self, tokens):
        ticket = Ticket(tokens=tokens, now=self.now)
        self.queue.append(ticket)
        self.lane.ask(ticket, self.now)
        self._settle()

    @rule(seconds=st.floats(0.001, 30))
    def time_passes(self, seconds):
        self.now += seconds
        self.lane.advance(self.now)
        self._settle()

    @precondition(lambda self: self.flying)
    @rule(data=st.data(), status=st.sampled_from([200, 200, 429, 503, None]), after=st.none() | st.floats(0, 500))
    def answer_and_end(self, data, status, after):
        ticket = data.draw(st.sampled_from(self.flying))
        self.lane.seen(
            ticket, self.now, status=status, retry_after=after, tokens=data.draw(st.none() | st.integers(0, 5000))
        )
        self.flying.remove(ticket)
        self.lane.leave(ticket, self.now)
        self._settle()
        before = self.lane.in_flight
        self.lane.leave(ticket, self.now)  # a second time does nothing
        assert self.lane.in_flight == before

    @precondition(lambda self: self.queue)
    @rule(data=st.data())
    def give_up(self, data):
        ticket = data.draw(st.sampled_from(self.queue))
        self.queue.remove(ticket)
        self.lane.leave(ticket, self.now)
        self._settle()

    @invariant()
    def places_are_neither_lost_nor_doubled(self):
        assert self.lane.in_flight == len(self.flying)
        assert list(self.lane.waiting) == self.queue

    @invariant()
    def never_more_in_flight_than_was_said(self):
        if self.limits.concurrency is not None:
            assert len(self.flying) <= self.limits.concurrency

    @invariant()
    def never_more_requests_than_the_minute_has(self):
        if self.limits.rpm is not None:
            rate = self.limits.rpm / 60
            assert self.starts <= max(1.0, rate * 6) + rate * (self.now - self.began) + 1e-6

    @invariant()
    def the_window_stays_within_its_bounds(self):
        window = self.lane.window
        assert window.size >= 1
        assert window.size <= (math.inf if self.limits.concurrency is None else self.limits.concurrency)

    @invariant()
    def nobody_starves(self):
        # With everybody gone and time enough, whoever waits goes on, one after the other.
        if not self.queue or self.flying:
            return
        delay = self.lane.delay(self.now)
        assert delay is not None, "with nothing in flight, nobody waits for somebody to come back"
        assert delay < 60 + 6 + 60 * 5000 + 3000 * 60  # a pause, a bucket, a debt of tokens


LaneMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestLaws = LaneMachine.TestCase
