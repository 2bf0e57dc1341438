"""evalkit: evals as pytest tests, tracked runs, and gates with honest statistics.

Importing this package is cheap and has no effects; each name is loaded when it is first used.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalkit.contents import contents
from evalkit.version import __version__

if TYPE_CHECKING:
    from evalkit.case import Case, Dataset
    from evalkit.errors import EvalkitError
    from evalkit.loaders import load
    from evalkit.models import AsyncModel, Model, Reply, callable_model
    from evalkit.prompts import Prompt
    from evalkit.registry import load_model, load_prompt
    from evalkit.runs import Metric, Run, Verdict
    from evalkit.score import Score, Scorer, scorer
    from evalkit.session import run
    from evalkit.suites import Suite, suite
    from evalkit.tracing import span, trace
    from evalkit.trial import Output, Trial
    from evalkit.usage import Usage

_HOMES = {
    "AsyncModel": "models",
    "Case": "case",
    "Dataset": "case",
    "EvalkitError": "errors",
    "Metric": "runs",
    "Model": "models",
    "Output": "trial",
    "Prompt": "prompts",
    "Reply": "models",
    "Run": "runs",
    "Score": "score",
    "Scorer": "score",
    "Suite": "suites",
    "Trial": "trial",
    "Usage": "usage",
    "Verdict": "runs",
    "callable_model": "models",
    "load": "loaders",
    "load_model": "registry",
    "load_prompt": "registry",
    "run": "session",
    "scorer": "score",
    "span": "tracing",
    "suite": "suites",
    "trace": "tracing",
}

__all__ = [
    "AsyncModel",
    "Case",
    "Dataset",
    "EvalkitError",
    "Metric",
    "Model",
    "Output",
    "Prompt",
    "Reply",
    "Run",
    "Score",
    "Scorer",
    "Suite",
    "Trial",
    "Usage",
    "Verdict",
    "__version__",
    "callable_model",
    "load",
    "load_model",
    "load_prompt",
    "run",
    "scorer",
    "span",
    "suite",
    "trace",
]

__getattr__, __dir__ = contents(__name__, _HOMES)
