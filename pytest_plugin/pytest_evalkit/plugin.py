"""The pytest plugin's entry point: options, and a look at each test function.

It imports nothing of evalkit until a suite is collected, or a test that uses the `evalkit` fixture: a session
without evals pays for a handful of small hooks and nothing else.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Generator, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from evalkit.runner import Notes
    from pytest_evalkit.evals import Evals

FLAGS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("store", {"metavar": "URL", "help": "where runs are kept (default: .evalkit/evalkit.db in the rootdir)"}),
    ("repeat", {"metavar": "N", "help": "how many trials of each case"}),
    ("max-concurrency", {"metavar": "N", "help": "how many bodies run at once"}),
    (
        "gate",
        {
            "metavar": "GATE",
            "action": "append",
            "dest": "evalkit_gates",
            "help": "one more gate for every suite; may be repeated",
        },
    ),
    ("baseline", {"metavar": "RUN", "help": "the stored run to compare with; `evalkit runs` lists them"}),
    ("report", {"metavar": "PATH", "help": "write an HTML report of the run"}),
    ("markdown", {"metavar": "PATH|github", "help": "write a Markdown summary of the run, for a pull request"}),
    ("annotations", {"metavar": "auto|off", "help": "lines in the log of GitHub Actions that point at the suite"}),
    ("inconclusive", {"metavar": "fail|warn", "help": "what an inconclusive gate does to the session"}),
    ("sample", {"metavar": "N", "help": "only N cases of each suite, chosen by the seed; the run is partial"}),
    ("seed", {"metavar": "N", "help": "the seed of everything random"}),
    ("timeout", {"metavar": "SECONDS", "help": "how long one trial may take"}),
    ("stop", {"metavar": "never|decided|anytime", "help": "when a suite may stop before its last case"}),
    (
        "prompt",
        {
            "metavar": "NAME=VERSION",
            "action": "append",
            "dest": "evalkit_use_prompts",
            "help": "run with this version of a prompt instead of its file; may be repeated",
        },
    ),
    (
        "model",
        {
            "metavar": "NAME=VERSION",
            "action": "append",
            "dest": "evalkit_use_models",
            "help": "run with this version of a model instead of its file; may be repeated",
        },
    ),
    ("prompts", {"metavar": "PATH", "help": "the folder of prompt files (default: prompts)"}),
    ("models", {"metavar": "PATH", "help": "the folder of model files (default: models)"}),
    ("cache", {"metavar": "MODE", "help": "recorded answers: off, read-write, replay or refresh"}),
    ("cassettes", {"metavar": "PATH", "help": "the folder where recorded answers are kept as files"}),
    ("max-cost", {"metavar": "USD", "help": "start nothing more once the next trial could cost more than this"}),
    ("estimate", {"action": "store_true", "default": None, "help": "say what the run would cost, and run nothing"}),
    ("capture", {"metavar": "content|metadata|off", "help": "what traces keep of model calls"}),
    (
        "redact",
        {"metavar": "PATTERN", "action": "append", "help": "a regular expression of what must not be stored"},
    ),
    ("changed", {"metavar": "REF", "help": "only suites that may come out differently since this branch left REF"}),
    ("shard", {"metavar": "I/N", "help": "run the I-th of N parts of the cases, to be merged by `evalkit merge`"}),
    ("bundle", {"metavar": "PATH", "help": "the file that a shard is written to (default: in .evalkit/shards)"}),
    ("resume", {"metavar": "RUN|last", "help": "run only what is missing of a stored run, or errored in it"}),
    (
        "retry-errors",
        {"metavar": "N", "help": "attempt trials again that failed for the network or the provider, up to N times"},
    ),
    ("off", {"action": "store_true", "default": None, "help": "do not collect suites"}),
)
"""The flags, without their prefix. They mirror `evalkit.config.SETTINGS`, which a test checks."""


class _OwnModules:
    """Finds evalkit's modules before pytest does, from now until `config` ends; a session inside another adds nothing.

    pytest rewrites the assertions of every package that brings a plugin: it reads and hashes the source of each module,
    every time. That took a third of a short session of evals, for modules that have no assertions to show.
    """

    _PACKAGES = frozenset(("evalkit", "evalkit_scorers", "evalkit_reports", "pytest_evalkit"))

    @classmethod
    def install(cls, config: pytest.Config) -> None:
        if cls not in sys.meta_path:
            sys.meta_path.insert(0, cls)
            config.add_cleanup(cls._remove)

    @classmethod
    def _remove(cls) -> None:
        if cls in sys.meta_path:
            sys.meta_path.remove(cls)

    @classmethod
    def find_spec(cls, name: str, path: Sequence[str] | None = None, target: Any = None) -> ModuleSpec | None:
        """What Python itself finds, or `None` for anyone else's modules."""
        return PathFinder.find_spec(name, path, target) if name.partition(".")[0] in cls._PACKAGES else None


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the `--evalkit-…` flags."""
    group = parser.getgroup("evalkit", "evals (evalkit)")
    for name, options in FLAGS:
        group.addoption(f"--evalkit-{name}", **{"dest": f"evalkit_{name.replace('-', '_')}", **options})


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config, args: list[str]) -> None:
    """Name the nearest flag where one of ours is misspelled; pytest itself would only say that it is unknown."""
    _OwnModules.install(early_config)
    known = {f"--evalkit-{name}" for name, _ in FLAGS}
    for argument in args:
        flag = argument.partition("=")[0]
        if flag.startswith("--evalkit-") and flag not in known:
            from evalkit.errors import did_you_mean

            raise pytest.UsageError(f"There is no flag {flag}.{did_you_mean(flag, known)}")


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: Any, name: str, obj: object) -> Any:
    """Collect a function that `@evalkit.suite` decorated, whatever its name, unless that begins with `_`."""
    if name.startswith("_") or not inspect.isfunction(obj) or "__evalkit_suite__" not in obj.__dict__:
        return None
    return _evals(collector.config).collect(collector, name, obj)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Any, Any]:
    """Turn a suite that is declared wrongly into a usage error, without the traceback of its import."""
    report = yield
    errors = sys.modules.get("evalkit.errors")
    info = getattr(getattr(report, "call", None), "excinfo", None)
    if errors is not None and info is not None and isinstance(info.value, errors.EvalkitError):
        _evals(collector.config).collection.errors.append(info.value)
        report.outcome, report.longrepr, report.result = "passed", None, []
    return report


def pytest_sessionstart(session: pytest.Session) -> None:
    """Listen to the workers, where there are some."""
    if session.config.pluginmanager.hasplugin("dsession"):
        from pytest_evalkit.xdist import Controller

        session.config.pluginmanager.register(Controller(session, _evals), "evalkit-controller")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Check what was collected before anything runs."""
    evals = session.config.pluginmanager.get_plugin("evalkit-evals")
    if evals is None and not any("evalkit" in getattr(item, "fixturenames", ()) for item in session.items):
        return
    _evals(session.config).collected(session)


@pytest.fixture(name="evalkit")
def evalkit_fixture(request: pytest.FixtureRequest) -> Notes:
    """Record this test's own output and scores: `evalkit.output(value)`, `evalkit.score("polite", 0.8)`.

    `evalkit.trial` is which repeat of the case this is, counted from 1.
    """
    from evalkit.runner import Notes
    from pytest_evalkit.schedule import NOTES

    notes = Notes(trial=getattr(request.node, "number", 1))
    request.node.stash[NOTES] = notes
    return notes


def _evals(config: pytest.Config) -> Evals:
    evals: Evals | None = config.pluginmanager.get_plugin("evalkit-evals")
    if evals is None:
        from pytest_evalkit.evals import Evals

        evals = Evals(config)
        config.pluginmanager.register(evals, "evalkit-evals")
    return evals
