"""Running suites without pytest: in a script, a notebook, or the demo."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import logging
import random
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from evalkit.case import Case, Dataset
from evalkit.config import Settings, find_root, load_settings
from evalkit.errors import ConfigError, SuiteError
from evalkit.launches import Launches, declared_stop, in_order
from evalkit.loaders import read_dataset
from evalkit.outgoing import Outgoing
from evalkit.provenance import collect
from evalkit.recorder import Recorder, check_plan, parse_gates
from evalkit.registry import selection as registry
from evalkit.runner import Engine, Finished, Job, Notes, run_tries
from evalkit.runs import DatasetInfo, Run, RunStatus, ScorerInfo, SuiteInfo
from evalkit.score import Scorer, is_async_callable
from evalkit.suites import StopChoice, Suite, suite_of
from evalkit.tracing import Session
from evalkit.versions import Version

if TYPE_CHECKING:
    from evalkit.gates import Gate

_NEVER: Mapping[str, Any] = MappingProxyType({})

_log = logging.getLogger("evalkit")
Progress = Callable[[int, int], None]
"""Called with how many trials are done and how many there are."""


def run(
    *functions: Callable[..., Any],
    store: str | Path | None = None,
    repeat: int | None = None,
    max_concurrency: int | None = None,
    gates: Sequence[str] = (),
    baseline: str | Run | None = None,
    sample: int | None = None,
    seed: int | None = None,
    timeout: float | None = None,
    stop: StopChoice | None = None,
    max_cost: Decimal | float | None = None,
    cache: str | None = None,
    resume: str | Run | None = None,
    retry_errors: int | None = None,
    arguments: Mapping[str, Any] | None = None,
    progress: Progress | bool | None = None,
) -> Run:
    """Run the suites that `functions` declare, and return the `Run`, stored and judged, without payload.

    The options are those of the suite and of the command line, and win over both; the settings of the
    `pyproject.toml` in or above the current folder hold where nothing is given. `arguments` are passed to
    every function beside `case`, in the place of pytest's fixtures. `baseline` is a stored run to compare with, or
    the name of one, as `evalkit show` takes it. `stop` is when a suite may stop before its last case, `max_cost` the
    most that the run may cost in US dollars; a run that stopped early is partial. `cache` is what is done with recorded
    answers: `off`, `read-write`, `replay` or `refresh`. `resume` is a stored run that broke off, or the name of one:
    what is missing of it or errored is run, and nothing else. `retry_errors` is how often a trial is attempted again
    that failed for the network or the provider. `progress` is a function of how many are done and how many
    there are, `False` for silence; left out, a bar is drawn where stderr is a terminal. Works in a notebook, where an
    event loop is running already.

    Raises `EvalkitError` for a mistake in a declaration, before anything runs. Ctrl-C ends the run as
    `interrupted`, with what is done stored, and is raised again.
    """
    root = find_root(Path.cwd())
    given = {
        "store": None if store is None else str(store),
        "repeat": repeat,
        "max_concurrency": max_concurrency,
        "baseline": baseline.id if isinstance(baseline, Run) else baseline,
        "sample": sample,
        "seed": seed,
        "timeout": timeout,
        "stop": stop,
        "max_cost": max_cost,
        "cache": cache,
        "resume": resume.id if isinstance(resume, Run) else resume,
        "retry_errors": retry_errors,
    }
    settings = load_settings(root, flags={name: value for name, value in given.items() if value is not None})
    if settings.estimate:
        raise ConfigError(
            "What a run would cost is said by pytest only, and the setting `estimate` asks for nothing else.",
            where=settings.sources.get("estimate"),
            hint="Run: pytest --evalkit-estimate. Or leave the setting out.",
        )
    if settings.shard is not None:
        raise ConfigError(
            "Parts of a run are run by pytest only.",
            where=settings.sources.get("shard"),
            hint="Run: pytest --evalkit-shard=…. Or leave the setting out.",
        )
    work = functools.partial(
        _run, functions, settings=settings, gates=gates, arguments=arguments or {}, progress=progress
    )
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return work()
    return _in_thread(work)


def _in_thread(work: Callable[[], Run]) -> Run:
    results: list[Run] = []
    errors: list[BaseException] = []

    def target() -> None:
        try:
            results.append(work())
        except BaseException as error:  # raised again in the caller's thread, below
            errors.append(error)

    thread = threading.Thread(target=target, name="evalkit-run")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def _run(
    functions: Sequence[Callable[..., Any]],
    *,
    settings: Settings,
    gates: Sequence[str],
    arguments: Mapping[str, Any],
    progress: Progress | bool | None,
) -> Run:
    resumed = None
    if settings.resume is not None:
        from evalkit.resuming import resumable

        resumed = resumable(settings.store, settings.resume)
    recorder = Recorder(
        store=settings.store,
        seed=settings.seed,
        baseline=settings.baseline,
        max_cost=settings.max_cost,
        redact=settings.redact,
        prices=settings.prices,
        resumed=resumed,
    )
    outgoing = Outgoing(settings, to_store=recorder.exchanges)
    outgoing.check()
    selection = registry.Selection(settings)
    selection.check_picks()
    plans = [_plan(function, settings, gates, arguments, recorder, selection) for function in functions]
    if not plans:
        raise SuiteError("There is no suite to run.", hint="Write: evalkit.run(test_something).")
    recorder.provenance = collect()
    recorder.open()
    total = sum(info.planned for info in recorder.suites)
    status: RunStatus = "failed"
    engine = Engine(max_threads=max(limit for _, limit, _ in plans) + 4)
    tracing = Session(run_id=recorder.id, capture=settings.capture)
    try:
        with shown_progress(progress, total) as show, tracing, outgoing, selection:
            done = sum(len(recorder.taken(info.name)) for info in recorder.suites)
            for name, limit, jobs in plans:
                stood = recorder.taken(name)
                waiting = (job for job in jobs if (job.case.id, job.number) not in stood)
                retries = settings.retry_errors
                for finished in _flights(engine, name, waiting, limit, recorder.launches, retries):
                    recorder.record(name, [trial for one in finished for trial in (*one.earlier, one.trial)])
                    outgoing.keep(outgoing.take())
                    done += len(finished)
                    show(done, total)
                recorder.judge(name)
        status = "complete"
    except BaseException as error:
        status = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
        raise
    finally:
        engine.close()
        outgoing.flush()
        result = recorder.finish(status)
        for note in (*tracing.notes, *outgoing.notes, *recorder.launches.notes, *recorder.notes, *selection.notes):
            _log.warning(recorder.redact(note))
        if resumed is not None:
            _log.info(resumed.note())
    return result


def _plan(
    function: Callable[..., Any],
    settings: Settings,
    extra: Sequence[str],
    arguments: Mapping[str, Any],
    recorder: Recorder,
    selection: registry.Selection,
) -> tuple[str, int, Iterator[Job]]:
    suite = suite_of(function)
    if suite is None:
        raise SuiteError(
            f"{getattr(function, '__name__', function)!r} is not a suite.",
            hint="Decorate it with @evalkit.suite(dataset=…, scorers=[…]).",
        )
    dataset = read_dataset(suite.dataset, folder=suite.folder, name=suite.name)
    seed = suite.seed if suite.seed is not None else settings.seed
    cases = sampled(dataset, settings.sample, seed)
    repeat = settings.repeat or suite.repeat or 1
    gates = parse_gates(suite, [*settings.gates_for(suite.name), *extra])
    chosen = selection.choose(suite, is_async=is_async_callable(suite.function))
    chosen.check(replay=settings.cache == "replay")
    info = suite_info(
        suite,
        dataset,
        settings,
        name=suite.name,
        nodeid=f"{suite.file}::{suite.name}",
        location=suite.location,
        gates=tuple(str(gate) for gate in gates),
        repeat=repeat,
        planned=len(cases) * repeat,
        selection=None if settings.sample is None else f"sample {settings.sample}",
        versions=chosen.versions,
        stop=stop_of(suite, gates, settings, cases=len(cases)),
    )
    check_plan(suite, gates, info, cases, recorder.baselines)
    wanted = _wanted(suite, {**arguments, **chosen.arguments})
    on_inconclusive = suite.on_inconclusive or settings.inconclusive
    recorder.declare(info, dataset, cases, gates=gates, on_inconclusive=on_inconclusive)
    limit = suite.max_concurrency or settings.max_concurrency
    timeout = suite.timeout if suite.timeout is not None else settings.timeout
    return suite.name, limit, _jobs(suite, in_order(cases, info), repeat, wanted, timeout)


def stop_of(suite: Suite, gates: Sequence[Gate], settings: Settings, *, cases: int, kept: str = "") -> dict[str, Any]:
    """What the metadata of a suite say of how it may stop; `kept` is why no suite of the session may."""
    if settings.baseline is not None:
        kept = kept or "the run is compared with a baseline, and such a run never stops early"
    seed = suite.seed if suite.seed is not None else settings.seed
    return declared_stop(settings.stop or suite.stop or "never", gates, seed=seed, cases=cases, kept=kept)


def sampled(dataset: Dataset, size: int | None, seed: int) -> Sequence[Case]:
    """`size` cases of the dataset, chosen by `seed`, in the dataset's order; all of them for `None`."""
    if size is None or size >= len(dataset):
        return dataset.cases
    chosen = random.Random(seed).sample(range(len(dataset)), size)  # noqa: S311 - a sample, not a secret
    return [dataset.cases[index] for index in sorted(chosen)]


def suite_info(
    suite: Suite,
    dataset: Dataset,
    settings: Settings,
    *,
    name: str,
    nodeid: str,
    location: str,
    gates: tuple[str, ...],
    repeat: int,
    planned: int,
    selection: str | None,
    versions: tuple[Version, ...] = (),
    stop: Mapping[str, Any] = _NEVER,
) -> SuiteInfo:
    """The record of a declaration, as it is in one run; `planned` trials of it were selected.

    `versions` are its prompt and its model. `stop` is what `stop_of` gives.
    """
    return SuiteInfo(
        name=name,
        nodeid=nodeid,
        location=location,
        dataset=DatasetInfo(name=dataset.name, digest=dataset.digest, size=len(dataset), source=dataset.source),
        scorers=tuple(scorer_info(scorer) for scorer in suite.scorers),
        gates=gates,
        repeat=repeat,
        declared=len(dataset) * repeat,
        planned=planned,
        selection=selection,
        seed=suite.seed if suite.seed is not None else settings.seed,
        versions=versions,
        metadata={**suite.metadata, **stop},
    )


def scorer_info(scorer: Scorer) -> ScorerInfo:
    """The record of a scorer."""
    mark = None if scorer.pass_mark is None else f"{scorer.pass_mark[0]} {scorer.pass_mark[1]:g}"
    return ScorerInfo(name=scorer.name, version=scorer.version, pass_mark=mark, config=scorer.config)


def _wanted(suite: Suite, arguments: Mapping[str, Any]) -> dict[str, Any]:
    parameters = inspect.signature(suite.function).parameters
    missing = [
        name
        for name, parameter in parameters.items()
        if name not in ("case", "evalkit", *arguments) and parameter.default is parameter.empty
    ]
    if missing:
        raise SuiteError(
            f"{suite.name} also takes {', '.join(missing)}, which only pytest could give it.",
            where=suite.location,
            hint=f"Pass arguments={{'{missing[0]}': …}}, or run it with pytest.",
        )
    return {name: value for name, value in arguments.items() if name in parameters}


def _jobs(
    suite: Suite, cases: Sequence[Case], repeat: int, arguments: dict[str, Any], timeout: float | None
) -> Iterator[Job]:
    takes_notes = "evalkit" in inspect.signature(suite.function).parameters
    for case in cases:
        for number in range(1, repeat + 1):
            notes = Notes(trial=number)
            given = {**arguments, "evalkit": notes} if takes_notes else arguments
            yield Job(
                case=case,
                number=number,
                body=functools.partial(suite.function, case=case, **given),
                is_async=is_async_callable(suite.function),
                scorers=suite.scorers,
                timeout=timeout,
                notes=notes,
                suite=suite.name,
            )


def _flights(
    engine: Engine, suite: str, jobs: Iterator[Job], limit: int, launches: Launches, retries: int = 0
) -> Iterator[list[Finished]]:
    # Up to `limit` jobs at once; what has finished is handed on in lots, so that it can be stored in lots. Once the
    # suite is not worth another trial, those in flight are finished: they are paid for, and belong to its order.
    running = 0
    finished: list[Finished] = []
    errors: list[BaseException] = []

    def landed(job: Job, task: asyncio.Task[Finished]) -> None:
        nonlocal running
        running -= 1
        error = None if task.cancelled() else task.exception()
        done = None if task.cancelled() or error is not None else task.result()
        trial, earlier = (None, ()) if done is None else (done.trial, done.earlier)
        launches.landed(suite, job.case.id, job.number, trial, earlier)
        if done is not None:
            finished.append(done)
        elif error is not None:
            errors.append(error)

    job = next(jobs, None)
    while job is not None or running:
        while running < limit and job is not None:
            answer = launches.ask(suite, job.case.id, job.number)
            if answer == "stop":
                job = None
            if answer != "go" or job is None:
                break
            running += 1
            engine.start(run_tries(job, engine.threads, retries=retries), functools.partial(landed, job))
            job = next(jobs, None)
        engine.pump()
        if errors:
            raise errors[0]
        if finished:
            yield finished
            finished = []


def _silent(done: int, total: int) -> None:
    pass


@contextlib.contextmanager
def shown_progress(progress: Progress | bool | None, total: int) -> Iterator[Progress]:
    """Something to call with how many are done: `progress` itself, or a bar, where it is not `False` and stderr is a
    terminal, or `True`.
    """
    if callable(progress):
        yield progress
        return
    if progress is False or (progress is None and not sys.stderr.isatty()):
        yield _silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("evals"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("evals", total=total)
        yield lambda done, total: bar.update(task, completed=done, total=total)
