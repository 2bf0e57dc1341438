"""Stored outputs scored again, by other scorers or by the same ones once more; the model under test is not called."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import logging
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from evalkit.case import Dataset
from evalkit.config import Settings
from evalkit.errors import SuiteError, did_you_mean
from evalkit.figures import count
from evalkit.gates import check, parse, with_defaults
from evalkit.outgoing import Outgoing
from evalkit.provenance import collect
from evalkit.recorder import Recorder
from evalkit.runner import Engine, Finished, Job, run_job
from evalkit.runs import OUTPUTS_ENDED, Run, RunStatus, SuiteRun
from evalkit.score import Scorer, constants_of
from evalkit.session import Progress, scorer_info, shown_progress
from evalkit.store import open_store
from evalkit.tracing import Session
from evalkit.trial import Output, Trial, redacted

FROM = "rescored_from"
"""The key of a suite's metadata that names the run whose outputs were scored again."""

_LOT = 64
_log = logging.getLogger("evalkit")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """How far one scorer disagrees with itself on the same outputs, beside how far the outputs of one case differ.

    `judge` is the variance of the scorer's values on one output, from `outputs` that were scored twice; `app` that of
    its values between the trials of one case, which has the judge's in it, and is `None` without repeats. `changed`
    counts the outputs whose score is another one.
    """

    suite: str
    scorer: str
    outputs: int
    changed: int
    judge: float
    app: float | None


def rescore(
    run: Run,
    scorers: Sequence[Scorer],
    *,
    settings: Settings,
    suite: str | None = None,
    gates: Sequence[str] = (),
    progress: Progress | bool | None = None,
) -> Run:
    """A new run with the outputs of `run`, scored by `scorers` and judged by `gates`.

    `run` has its payload. The new run is stored, has the same datasets, cases, trials and errors, the same prompts and
    models, and in each suite's metadata the run it was made from and when that had ended, for as evidence it is as old.
    It is dirty where that was. `suite` takes one suite only. An output that was an
    error stays one. `progress` is as in `evalkit.run`.

    Raises `SuiteError` where there is nothing to score or no such suite, and `GateError` for a gate that names nothing.
    """
    chosen = [one for one in run.suites if suite in (None, one.info.name)]
    if not chosen:
        names = [one.info.name for one in run.suites]
        raise SuiteError(f'The run {run.id} has no suite "{suite}".' + did_you_mean(str(suite), names))
    if not any(one.trials for one in chosen):
        raise SuiteError(f"The run {run.id} has no trials to score.")
    gone = sum(redacted(trial.output.value) is not None for one in chosen for trial in one.trials)
    if gone:
        raise SuiteError(
            f"Of the run {run.id}, {count(gone, 'output')} cannot be scored again: redacted, with only a digest left.",
            why="Scoring the rest would compare a part of the run with the whole of it.",
        )
    recorder = Recorder(
        store=settings.store, seed=run.seed, baseline=settings.baseline, redact=settings.redact, prices=settings.prices
    )
    outgoing = Outgoing(settings, to_store=recorder.exchanges)
    outgoing.check()
    with open_store(settings.store) as store:
        for one in chosen:
            _declare(recorder, run, one, store.dataset(one.info.dataset.digest), scorers, gates, settings)
    recorder.provenance = here = collect()
    if run.provenance.dirty:  # the outputs are what it was, wherever they are scored
        recorder.provenance = dataclasses.replace(here, dirty=True)
    recorder.open()
    status: RunStatus = "failed"
    limit = settings.max_concurrency
    engine = Engine(max_threads=limit + 4)
    tracing = Session(run_id=recorder.id, capture=settings.capture)
    total, done = sum(len(one.trials) for one in chosen), 0
    try:
        with shown_progress(progress, total) as show, tracing, outgoing:
            for one in chosen:
                olds = {(trial.case_id, trial.number): trial for trial in one.trials}
                for finished in _lots(engine, _jobs(one, scorers, settings.timeout), limit):
                    recorder.record(one.info.name, [_kept(each.trial, olds) for each in finished])
                    outgoing.keep(outgoing.take())
                    done += len(finished)
                    show(done, total)
                recorder.judge(one.info.name)
        status = "complete"
    except BaseException as error:
        status = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
        raise
    finally:
        engine.close()
        outgoing.flush()
        result = recorder.finish(status)
        for note in (*tracing.notes, *outgoing.notes):
            _log.warning(recorder.redact(note))
    return result


def noise(before: Run, after: Run) -> list[Noise]:
    """How far the scorers that both runs have disagree with themselves on the same outputs; see `Noise`."""
    found = []
    for new in after.suites:
        old = next((one for one in before.suites if one.info.name == new.info.name), None)
        if old is None:
            continue
        first, second = _values(old), _values(new)
        for name in sorted({scorer for scorer, *_ in second} & {scorer for scorer, *_ in first}):
            pairs = [(first[key], value) for key, value in second.items() if key[0] == name and key in first]
            if not pairs:
                continue
            by_case: dict[str, list[float]] = {}
            for (scorer, case, _), value in first.items():
                if scorer == name:
                    by_case.setdefault(case, []).append(value)
            found.append(
                Noise(
                    suite=new.info.name,
                    scorer=name,
                    outputs=len(pairs),
                    changed=sum(one != other for one, other in pairs),
                    judge=math.fsum((one - other) ** 2 for one, other in pairs) / 2 / len(pairs),
                    app=_within(by_case.values()),
                )
            )
    return found


def _declare(
    recorder: Recorder,
    run: Run,
    one: SuiteRun,
    dataset: Dataset,
    scorers: Sequence[Scorer],
    gates: Sequence[str],
    settings: Settings,
) -> None:
    parsed = with_defaults([parse(text, where="--gate") for text in gates]) if gates else ()
    ended = {} if run.finished_at is None else {OUTPUTS_ENDED: run.finished_at.isoformat()}
    info = dataclasses.replace(
        one.info,
        scorers=tuple(scorer_info(scorer) for scorer in scorers),
        gates=tuple(str(gate) for gate in parsed),
        metadata={**ended, **one.info.metadata, FROM: run.id},  # outputs that were scored twice are no younger
    )
    recorder.declare(info, dataset, one.cases, gates=parsed, on_inconclusive=settings.inconclusive)
    possible = frozenset[str]().union(*(constants_of(scorer.function) for scorer in scorers))
    check(parsed, info, one.cases, known={scorer.name for scorer in scorers}, possible=possible)


def _jobs(one: SuiteRun, scorers: Sequence[Scorer], timeout: float | None) -> Iterator[Job]:
    cases = {case.id: case for case in one.cases}
    for trial in one.trials:
        output = trial.output
        yield Job(
            case=cases[trial.case_id],
            number=trial.number,
            body=functools.partial(_given, output),
            is_async=False,
            scorers=tuple(scorers),
            timeout=timeout,
            nodeid=trial.nodeid,
            suite=one.info.name,
        )


def _given(output: Output) -> Output:
    return output


def _lots(engine: Engine, jobs: Iterable[Job], limit: int) -> Iterator[list[Finished]]:
    async def several(lot: Sequence[Job]) -> list[Finished]:
        free = asyncio.Semaphore(limit)

        async def alone(job: Job) -> Finished:
            async with free:
                return await run_job(job, engine.threads)

        return list(await asyncio.gather(*(alone(job) for job in lot)))

    waiting = list(jobs)
    for start in range(0, len(waiting), _LOT):
        yield engine.run(several(waiting[start : start + _LOT]))


def _kept(made: Trial, olds: Mapping[tuple[str, int], Trial]) -> Trial:
    """The new trial with what belongs to the old one: its output as it was, and what it used."""
    old = olds[made.case_id, made.number]
    return dataclasses.replace(made, output=old.output, versions=old.versions)


def _values(one: SuiteRun) -> Mapping[tuple[str, str, int], float]:
    return {
        (score.name, trial.case_id, trial.number): score.value
        for trial in one.trials
        for score in trial.scores
        if score.value is not None
    }


def _within(groups: Iterable[Sequence[float]]) -> float | None:
    """The mean square within groups; `None` where none has two."""
    squares, free = 0.0, 0
    for group in groups:
        mean = math.fsum(group) / len(group)
        squares += math.fsum((value - mean) ** 2 for value in group)
        free += len(group) - 1
    return squares / free if free else None
