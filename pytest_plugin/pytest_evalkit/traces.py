"""What is traced under pytest: fixtures too, as far as they are a case's own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from typing import Any

import pytest

from evalkit.tracing import Scope, Session, attached, inherited
from pytest_evalkit.collect import EvalItem

SCOPE = pytest.StashKey[Scope]()
"""Where an item that records for itself keeps what happens in its name."""


class Traces:
    """A hand-written test is traced from its set-up to its teardown.

    The items of suites are the scheduler's. `suite_of` gives the suite of a hand-written item by its node id. It is
    registered only where there is such a test, as every hook costs something for every item.
    """

    def __init__(self, session: Session, suite_of: Callable[[str], str | None]) -> None:
        self._session = session
        self._suite_of = suite_of
        self._open = contextlib.ExitStack()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """From here on, what a hand-written item does is its own."""
        suite = None if isinstance(item, EvalItem) else self._suite_of(item.nodeid)
        if suite is not None:
            from pytest_evalkit.handwritten import case_id

            assert isinstance(item, pytest.Function), "only functions have fixtures"
            scope = item.stash[SCOPE] = self._session.scope(case_id=case_id(item), suite=suite)
            self._open.callback(scope.close)
            self._open.enter_context(attached(scope))
        return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Up to here."""
        try:
            return (yield)
        finally:
            if SCOPE in item.stash:
                self._open.close()


class Shared:
    """A fixture that several tests share is traced for none of them."""

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, Any, Any]:
        """A fixture wider than a function is not the doing of the case that happens to come first."""
        if fixturedef.scope == "function" or inherited() is None:
            return (yield)
        with attached(None):
            return (yield)
