"""The inner pytest of `tests/plugin`, for the rows that are about a session."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

_PLACE = Path(__file__).resolve().parents[1] / "plugin" / "conftest.py"
_SPEC = importlib.util.spec_from_file_location("inner_sessions", _PLACE)
assert _SPEC is not None
assert _SPEC.loader is not None
_module = sys.modules[_SPEC.name] = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_module)

run_evals = _module.run_evals
stored_run = _module.stored_run
