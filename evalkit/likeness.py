"""Whether two records of a suite are of one and the same thing, so that results of both may stand in one run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from evalkit.runs import SAME_OUTPUT, STOP, Provenance, SuiteInfo
from evalkit.shards import SHARD
from evalkit.versions import Version

_OUTCOMES = frozenset((STOP, SAME_OUTPUT, SHARD))


def differences(one: SuiteInfo, other: SuiteInfo) -> Iterator[str]:
    """In what two declarations of a suite differ, a clause each; nothing where their results belong together.

    What a suite selected and where it stopped is not looked at.
    """
    if one.dataset.digest != other.dataset.digest:
        yield f"the dataset ({one.dataset.digest[:12]} and {other.dataset.digest[:12]})"
    yield from _scorers(one, other)
    if one.gates != other.gates:
        yield f"the gates ({_listed(one.gates)} and {_listed(other.gates)})"
    if one.repeat != other.repeat:
        yield f"the repeats ({one.repeat} and {other.repeat})"
    if one.seed != other.seed:
        yield f"the seed ({one.seed} and {other.seed})"
    yield from _versions(one.versions, other.versions)
    if _declared(one.metadata) != _declared(other.metadata):
        yield "the metadata of the suite"


def of_machines(one: Provenance, other: Provenance) -> Iterator[str]:
    """In what the code behind two runs differs, a clause each: the commit, evalkit, the versions of packages.

    Which packages a process has loaded differs from one to the next; only those that both had are compared.
    """
    if one.commit != other.commit:
        yield f"the commit ({(one.commit or 'none')[:12]} and {(other.commit or 'none')[:12]})"
    if one.evalkit != other.evalkit:
        yield f"evalkit ({one.evalkit} and {other.evalkit})"
    for name in sorted(one.packages.keys() & other.packages.keys()):
        if one.packages[name] != other.packages[name]:
            yield f"the package {name} ({one.packages[name]} and {other.packages[name]})"


def _scorers(one: SuiteInfo, other: SuiteInfo) -> Iterator[str]:
    mine, theirs = ({scorer.name: scorer for scorer in info.scorers} for info in (one, other))
    for name in [*mine, *(name for name in theirs if name not in mine)]:
        if name not in mine or name not in theirs:
            yield f"the scorer {name}, which only one of them has"
            continue
        first, second = mine[name], theirs[name]
        if first.version != second.version:
            yield f"the scorer {name} (version {first.version[:12]} and {second.version[:12]})"
        elif (first.pass_mark, first.config) != (second.pass_mark, second.config):
            yield f"how the scorer {name} is set up"


def _versions(mine: tuple[Version, ...], theirs: tuple[Version, ...]) -> Iterator[str]:
    first = {(version.kind, version.name): version.digest for version in mine}
    second = {(version.kind, version.name): version.digest for version in theirs}
    for kind, name in [*first, *(key for key in second if key not in first)]:
        digests = [found.get((kind, name), "none")[:12] for found in (first, second)]
        if digests[0] != digests[1]:
            yield f"the {kind} {name} ({digests[0]} and {digests[1]})"


def _declared(metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in metadata.items() if key not in _OUTCOMES}


def _listed(gates: tuple[str, ...]) -> str:
    return ", ".join(gates) or "none"
