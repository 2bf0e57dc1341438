"""SIGTERM, which a CI sends when a job is cancelled or out of time, ends a run as Ctrl-C does: what is done is kept."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType

import pytest


class Terminated(KeyboardInterrupt):
    """SIGTERM came. To pytest it is Ctrl-C: items are torn down, hooks for the end run, and it leaves with 2."""


def listen(config: pytest.Config) -> None:
    """From now to the end of the session, SIGTERM interrupts the session instead of killing the process.

    Only the first; the second kills at once. Nothing is done outside the main thread, or where somebody else listens
    already. A child that was forked while we listen dies of SIGTERM as it always would.
    """
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        return
    owner = os.getpid()

    def interrupt(number: int, _: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        if os.getpid() != owner:
            os.kill(os.getpid(), number)
        raise Terminated("SIGTERM")

    def forget() -> None:
        if signal.getsignal(signal.SIGTERM) is interrupt:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    signal.signal(signal.SIGTERM, interrupt)
    config.add_cleanup(forget)
