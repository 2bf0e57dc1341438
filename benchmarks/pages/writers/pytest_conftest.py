"""Hands the extras of a test to pytest-html; copied to `conftest.py`."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Generator[None, Any, None]:
    outcome = yield
    report = outcome.get_result()
    key = getattr(item.module, "KEY", None)  # type: ignore[attr-defined] # a Function has one
    if report.when == "call" and key is not None and key in item.stash:
        report.extras = item.stash[key]
