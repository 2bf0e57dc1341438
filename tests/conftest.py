"""What every part's tests need."""

from __future__ import annotations

pytest_plugins = ["pytester"]
