"""The limiter of a session, used by threads and by event loops at once."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from evalkit.limits import Key, Limiter, Limits

KEY = Key("api.example.com", "m")


class Gauge:
    """Counts how many are inside, and the most there ever were."""

    def __init__(self):
        self.lock = threading.Lock()
        self.now = self.most = self.done = 0

    def __enter__(self):
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)

    def __exit__(self, *_):
        with self.lock:
            self.now -= 1
            self.done += 1


def test_threads_and_two_loops_share_one_limit():
    limiter, gauge, limits = Limiter(), Gauge(), Limits(concurrency=3)

    def in_thread():
        for _ in range(10):
            with limiter.acquire(KEY, limits=limits), gauge:
                time.sleep(0.002)

    async def one():
        for _ in range(5):
            async with limiter.acquire(KEY, limits=limits):
                with gauge:
                    await asyncio.sleep(0.002)

    async def several():
        await asyncio.gather(*[one() for _ in range(6)])

    workers = [threading.Thread(target=in_thread) for _ in range(4)]
    workers += [threading.Thread(target=lambda: asyncio.run(several())) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert gauge.done == 4 * 10 + 2 * 6 * 5
    assert gauge.most == 3
    assert limiter.in_flight(KEY) == 0


def test_models_and_hosts_do_not_wait_for_each_other():
    limiter, limits = Limiter(), Limits(concurrency=1)
    with (
        limiter.acquire(KEY, limits=limits),
        limiter.acquire(Key("api.example.com", "other"), limits=limits) as second,
        limiter.acquire(Key("localhost", "m"), limits=limits) as third,
    ):
        assert (second.waited, third.waited) == (0.0, 0.0)


def test_whoever_asked_first_goes_first():
    async def main():
        limiter, order = Limiter(), []

        async def one(number):
            async with limiter.acquire(KEY, limits=Limits(concurrency=1)):
                order.append(number)
                await asyncio.sleep(0)

        await asyncio.gather(*[one(number) for number in range(30)])
        return order

    assert asyncio.run(main()) == list(range(30))


@pytest.mark.parametrize("moment", ["waiting", "in flight", "just granted"])
def test_a_cancelled_call_gives_its_place_up(moment):
    async def main():
        limiter, limits = Limiter(), Limits(concurrency=1)

        async def hold():
            async with limiter.acquire(KEY, limits=limits):
                await asyncio.sleep(60)

        first = asyncio.create_task(hold())
        await asyncio.sleep(0)
        second = asyncio.create_task(hold())
        await asyncio.sleep(0.01)
        if moment == "waiting":
            second.cancel()
            await asyncio.gather(second, return_exceptions=True)
            first.cancel()
        elif moment == "in flight":
            first.cancel()
            await asyncio.sleep(0.01)
            second.cancel()
        else:
            first.cancel()
            second.cancel()  # granted by the first one's end, and cancelled before it hears of it
        await asyncio.gather(first, second, return_exceptions=True)
        assert limiter.in_flight(KEY) == 0
        async with asyncio.timeout(1), limiter.acquire(KEY, limits=limits):
            return True

    assert asyncio.run(main())


def test_a_loop_that_ends_with_calls_waiting_loses_no_place():
    limiter, limits = Limiter(), Limits(concurrency=1)

    async def main():
        holder = limiter.acquire(KEY, limits=limits)
        await holder.turn()
        waiting = asyncio.create_task(limiter.acquire(KEY, limits=limits).turn())
        await asyncio.sleep(0.01)
        assert not waiting.done()
        return holder

    holder = asyncio.run(main())  # which cancels what still waits
    holder.release()
    with limiter.acquire(KEY, limits=limits) as slot:
        assert slot.waited == 0.0


def test_requests_a_minute_are_spread_over_it():
    limiter, limits = Limiter(), Limits(rpm=1200)  # 20 a second, of which a burst of 120 may come at once

    async def main():
        started = time.monotonic()

        async def one():
            async with limiter.acquire(KEY, limits=limits):
                pass

        await asyncio.gather(*[one() for _ in range(130)])
        return time.monotonic() - started

    assert asyncio.run(main()) >= 10 / 20 * 0.95


def test_tokens_that_were_guessed_wrong_are_put_right():
    limiter, limits = Limiter(), Limits(tpm=60_000)  # 1,000 a second, 6,000 at once
    with limiter.acquire(KEY, tokens=10, limits=limits) as slot:
        slot.seen(status=200, tokens=6_100)
    with limiter.acquire(KEY, tokens=10, limits=limits) as slot:
        assert 0.05 < slot.waited < 2
        slot.seen(status=200, tokens=10)


def test_a_retry_after_that_most_calls_get_holds_up_the_rest():
    limiter = Limiter()
    for _ in range(4):
        with limiter.acquire(KEY) as slot:
            slot.seen(status=429, retry_after=0.2)
    with limiter.acquire(KEY) as slot:
        assert slot.waited > 0.1


def test_a_retry_after_that_one_call_of_many_gets_holds_up_nobody():
    limiter = Limiter()
    slots = [limiter.acquire(KEY) for _ in range(20)]
    for slot in slots:
        slot.wait()
    for number, slot in enumerate(slots):
        slot.seen(status=429 if number == 7 else 200, retry_after=5.0 if number == 7 else None)
        slot.release()
    with limiter.acquire(KEY) as slot:
        assert slot.waited == 0.0
        assert limiter.concurrency(KEY) > 15


def test_a_thread_interrupted_while_it_waits_gives_its_place_up(monkeypatch):
    limiter, limits = Limiter(), Limits(concurrency=1)
    with limiter.acquire(KEY, limits=limits):

        def interrupted(*_):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(threading.Event, "wait", interrupted)
            with pytest.raises(KeyboardInterrupt):
                limiter.acquire(KEY, limits=limits).wait()
    with limiter.acquire(KEY, limits=limits) as slot:
        assert slot.waited == 0.0
