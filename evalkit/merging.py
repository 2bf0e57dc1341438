"""The bundles of all shards made one run, which is stored and judged as if it had never been in parts."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from evalkit.case import Case
from evalkit.config import Settings
from evalkit.errors import ConfigError
from evalkit.figures import count
from evalkit.gates import parse
from evalkit.likeness import differences, of_machines
from evalkit.recorder import Recorder
from evalkit.runs import Provenance, Run, SuiteInfo
from evalkit.session import sampled
from evalkit.shardfile import Bundle, Part, read_bundle
from evalkit.shards import Shard
from evalkit.trial import Trial

SHARDS = "EVALKIT_SHARDS"
"""Where the provenance of a merged run, in `ci`, keeps the ids of the runs it was made of."""

_LOT = 500


def merge(
    paths: Sequence[Path],
    *,
    settings: Settings,
    inconclusive: Literal["fail", "warn"] | None = None,
    allow_missing: bool = False,
) -> Run:
    """One run of the bundles in `paths`, stored where `settings` say, and judged by its gates.

    Its id follows from those of the shards, so that the same bundles make the same run however often they are merged.
    It has the trials of all, and its suites are what they would have been without shards. `inconclusive` is what a
    gate without a decision does, `None` for what the shards were told; `allow_missing` takes shards that are not there
    or broke off as missing: the run is then `interrupted`, and its gates are judged with what is missing as missing.

    Raises `StoreCorrupt` for a bundle that is damaged, `NotFound` for one that is not there, and `ConfigError` where
    shards are missing, are there twice, or are not of one and the same run.
    """
    bundles = sorted((read_bundle(path) for path in paths), key=lambda bundle: bundle.shard.index)
    gaps = list(_gaps(bundles))
    _check_alike(bundles)
    if gaps and not allow_missing:
        raise ConfigError(
            gaps[0],
            why="What is missing may be what would have failed.",
            hint="Run it again and merge then, or take it as missing: --allow-missing.",
        )
    first = bundles[0]
    recorder = Recorder(
        store=settings.store,
        seed=first.seed,
        provenance=_provenance(bundles),
        baseline=settings.baseline,
        redact=settings.redact,
        prices=settings.prices,
        run_id=run_id(bundles),
    )
    recorder.started_at = min(bundle.started_at for bundle in bundles)
    recorder.baselines.before = recorder.started_at  # it may have been merged before, and its parts may be there
    trials: dict[str, list[Trial]] = {}
    for name in dict.fromkeys(name for bundle in bundles for name in bundle.parts):
        info, cases, trials[name] = _whole(name, bundles, missing=bool(gaps))
        recorder.declare(
            info,
            _part(name, bundles).dataset,
            cases,
            gates=[parse(text, where=info.location) for text in info.gates],
            on_inconclusive=_policy(name, first, inconclusive),
        )
    recorder.open()
    for name, every in trials.items():
        for start in range(0, len(every), _LOT):
            recorder.record(name, every[start : start + _LOT])
        recorder.judge(name)
    ended = max(bundle.finished_at for bundle in bundles)
    return recorder.finish("interrupted" if gaps else "complete", finished_at=ended)


def run_id(bundles: Sequence[Bundle]) -> str:
    """The id of the run that bundles make: a UUID of version 7 at the time of the earliest, the rest of it a digest."""
    ids = sorted(bundle.run for bundle in bundles)
    began = min(bundle.started_at for bundle in bundles)
    milliseconds = (began - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(milliseconds=1)
    digest = int.from_bytes(hashlib.sha256("\n".join(ids).encode()).digest()[:10], "big")
    value = (milliseconds & 0xFFFFFFFFFFFF) << 80 | digest
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))


def _gaps(bundles: Sequence[Bundle]) -> Iterator[str]:
    """What is missing, a sentence each. Raises `ConfigError` for shards that do not belong to one whole."""
    if not bundles:
        raise ConfigError("There are no bundles to merge.", hint="Name the files that the shards wrote.")
    of = bundles[0].shard.of
    for bundle in bundles:
        if bundle.shard.of != of:
            raise ConfigError(
                f"{bundles[0].path} is shard {bundles[0].shard}, and {bundle.path} is shard {bundle.shard}.",
                why="They are parts of different wholes.",
            )
    by_index = Counter(bundle.shard.index for bundle in bundles)
    for index, times in by_index.items():
        if times > 1:
            paths = [str(bundle.path) for bundle in bundles if bundle.shard.index == index]
            raise ConfigError(
                f"Shard {index}/{of} is there {'twice' if times == 2 else f'{times} times'}: {', '.join(paths)}.",
                why="Its cases would be counted more than once, and which of them to take is not for us to choose.",
                hint="Name one of them.",
            )
    absent = [f"{index}/{of}" for index in range(1, of + 1) if index not in by_index]
    if absent:
        said = ("Shard", "is") if len(absent) == 1 else ("Shards", "are")
        yield f"{said[0]} {', '.join(absent)} {said[1]} missing."
    for bundle in bundles:
        if bundle.status != "complete":
            done = sum(len(part.trials) for part in bundle.parts.values())
            planned = sum(part.info.planned for part in bundle.parts.values())
            were = f"{done:,} of {count(planned, 'trial')} were done"
            yield f"Shard {bundle.shard} is {bundle.status}: {were} ({bundle.path})."
    for name in dict.fromkeys(name for bundle in bundles for name in bundle.parts):
        expected = _cases(name, bundles)
        for bundle in bundles:
            if name not in bundle.parts and bundle.shard.part(expected) and _selection(name, bundles) is None:
                yield f"Shard {bundle.shard} lacks the suite {name} ({bundle.path})."


def _check_alike(bundles: Sequence[Bundle]) -> None:
    first = bundles[0]
    for bundle in bundles[1:]:
        found = [*of_machines(first.provenance, bundle.provenance)]
        if first.seed != bundle.seed:
            found.append(f"the seed ({first.seed} and {bundle.seed})")
        if first.sample != bundle.sample:
            found.append(f"the sample ({first.sample or 'all cases'} and {bundle.sample or 'all cases'})")
        for name, part in bundle.parts.items():
            other = _part(name, bundles)
            found.extend(f"in {name}, {text}" for text in differences(other.info, part.info))
            if _chosen(other.info) != _chosen(part.info):
                both = f"{_chosen(other.info) or 'all'} and {_chosen(part.info) or 'all'}"
                found.append(f"in {name}, what was selected ({both})")
        if found:
            raise ConfigError(
                f"Shards {first.shard} and {bundle.shard} are not of one run: {'; '.join(found)}.",
                where=str(bundle.path),
                why="A run with results of both would be the result of neither.",
                hint="Run all shards on the same code and cases.",
            )
    for name in dict.fromkeys(name for bundle in bundles for name in bundle.parts):
        seen: dict[str, Bundle] = {}
        for bundle in bundles:
            for case_id in bundle.parts[name].selected if name in bundle.parts else ():
                if case_id in seen:
                    raise ConfigError(
                        f'The case "{case_id}" of {name} is in the shards {seen[case_id].shard} and {bundle.shard}.',
                        where=str(bundle.path),
                        hint="Run all shards on the same cases.",
                    )
                seen[case_id] = bundle


def _whole(name: str, bundles: Sequence[Bundle], *, missing: bool) -> tuple[SuiteInfo, list[Case], list[Trial]]:
    """The suite as it would have been declared without shards, its cases, and all trials in their order."""
    first, chosen = _part(name, bundles), _selection(name, bundles)
    parts = [bundle.parts[name] for bundle in bundles if name in bundle.parts]
    ids = frozenset(case_id for part in parts for case_id in part.selected)
    cases = [case for case in first.dataset.cases if case.id in ids]
    planned = sum(part.info.planned for part in parts)
    if missing and (chosen is None or bundles[0].sample is not None):
        cases = _cases(name, bundles)
        planned = len(cases) * first.info.repeat
    info = dataclasses.replace(
        first.info, planned=planned, selection=chosen, metadata=Shard.without(first.info.metadata)
    )
    places = {case.id: place for place, case in enumerate(cases)}
    trials = [trial for part in parts for trial in part.trials]
    trials.sort(key=lambda trial: (places[trial.case_id], trial.number, trial.attempt))
    return info, cases, trials


def _cases(name: str, bundles: Sequence[Bundle]) -> list[Case]:
    """The cases of the whole suite, before they were parted."""
    part = _part(name, bundles)
    return list(sampled(part.dataset, bundles[0].sample, part.info.seed))


def _part(name: str, bundles: Sequence[Bundle]) -> Part:
    return next(bundle.parts[name] for bundle in bundles if name in bundle.parts)


def _chosen(info: SuiteInfo) -> str | None:
    """What a shard selected beside being a shard."""
    texts = [text for text in (info.selection or "").split("; ") if not text.startswith("shard ")]
    return "; ".join(filter(None, texts)) or None


def _selection(name: str, bundles: Sequence[Bundle]) -> str | None:
    return _chosen(_part(name, bundles).info)


def _policy(name: str, first: Bundle, asked: str | None) -> Literal["fail", "warn", "pass"]:
    said = asked or first.policies.get(name, "fail")
    return "warn" if said == "warn" else "pass" if said == "pass" else "fail"


def _provenance(bundles: Sequence[Bundle]) -> Provenance:
    first = bundles[0].provenance
    return dataclasses.replace(first, ci={**first.ci, SHARDS: ",".join(bundle.run for bundle in bundles)})
