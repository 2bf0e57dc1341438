"""A store with versions and runs, and people to promote them.

With `EVALKIT_TEST_PG_URL` set, every test that asks for `any_desk` runs on a database of its own on PostgreSQL as well.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from evalkit import promoting
from evalkit.canonical import digest, new_id, utc_now
from evalkit.case import Case, Dataset
from evalkit.errors import Refusal
from evalkit.promoting import Policies
from evalkit.promotion import Actor, Promotion
from evalkit.promotion.policy import Policy
from evalkit.runs import DatasetInfo, Provenance, ScorerInfo, SuiteInfo
from evalkit.score import ErrorInfo, Score
from evalkit.store import Store, open_store
from evalkit.trial import Output, Trial
from evalkit.versions import SubjectKind, Version

SERVER = os.environ.get("EVALKIT_TEST_PG_URL", "")
ALL = ("*",)
Refused = Callable[[str], contextlib.AbstractContextManager[pytest.ExceptionInfo[Refusal]]]

ANNA = Actor(name="anna")
BEN = Actor(name="ben")
CARL = Actor(name="carl")
ROBOT = Actor(name="ci", is_service=True, authentication="api-token", roles={"runner": ALL}, token="t-ci")


def with_token(name: str, *roles: str, alias: str = "*") -> Actor:
    """A person with an API token."""
    return Actor(
        name=name,
        authentication="api-token",
        roles=dict.fromkeys(roles, (alias,)),  # type: ignore[misc]  # roles, as the tests spell them
        token=f"t-{name}",
    )


@dataclasses.dataclass
class Desk:
    """A store and its policies, and the commands on it in few words."""

    store: Store
    address: str
    policies: Policies = dataclasses.field(default_factory=Policies)

    def under(self, **rules: Any) -> Desk:
        """From now on `production` has a policy of these rules."""
        self.policies = Policies({"production": Policy(name="production", **rules)})
        return self

    def version(
        self, text: str, *, name: str = "reply", kind: SubjectKind = "prompt", author: str = "author"
    ) -> Version:
        body = {"text": text}
        made = Version(kind=kind, name=name, digest=digest(body), body=body)
        return self.store.register(made, author=author)

    def run(
        self,
        version: Version | None,
        outcomes: Sequence[bool | None] = (True,) * 20,
        *,
        suite: str = "greetings",
        gates: Sequence[str] = ("accuracy >= 0.8",),
        others: Sequence[Version] = (),
        provenance: Mapping[str, Any] | None = None,
        dataset: str = "hello",
        scorer: ScorerInfo | None = None,
        ago: dt.timedelta = dt.timedelta(0),
        status: Any = "complete",
        **info: Any,
    ) -> str:
        """A stored run of one suite on that version: a case each of `outcomes`, `None` for one that errored."""
        cases = Dataset.of(
            [Case(id=f"case-{at:03}", input={"q": f"{dataset} {at}"}) for at in range(len(outcomes))], name=dataset
        )
        ended = utc_now() - ago
        run_id = new_id()
        scorer = scorer or ScorerInfo(name="accuracy", version="1")
        used = tuple(one for one in (version, *others) if one is not None)
        declared = SuiteInfo(
            **{
                "name": suite,
                "nodeid": f"evals/test_{suite}.py::test_{suite}",
                "location": f"evals/test_{suite}.py:7",
                "dataset": DatasetInfo(name=cases.name, digest=cases.digest, size=len(cases)),
                "scorers": (scorer,),
                "gates": tuple(gates),
                "declared": len(cases),
                "planned": len(cases),
                "versions": used,
            }
            | info
        )
        said = {"commit": "c0ffee", "branch": "main", "dirty": False, "packages": {"evalkit": "1"}} | dict(
            provenance or {}
        )
        self.store.start_run(run_id, started_at=ended, provenance=Provenance(**said), seed=7)
        self.store.add_suite(run_id, declared, cases, cases.cases)
        self.store.add_trials(
            run_id, suite, [_trial(case, right, scorer, ended) for case, right in zip(cases, outcomes, strict=True)]
        )
        if status != "running":
            self.store.finish_run(run_id, status=status, finished_at=ended, metrics=[], verdicts=[])
        return run_id

    def ask(self, version: Version, *runs: str, by: Actor = ANNA, **options: Any) -> Promotion:
        found = promoting.request(
            self.store,
            kind=version.kind,
            name=version.name,
            version=version.digest,
            alias="production",
            runs=runs,
            actor=by,
            policies=self.policies,
            **options,
        ).promotion
        assert found is not None
        return found

    def promoted(self, text: str, **options: Any) -> tuple[Version, Promotion]:
        """A new version, with a run that passes, asked for: what became of it."""
        version = self.version(text)
        return version, self.ask(version, self.run(version), **options)

    def now(self, promotion: Promotion) -> Promotion:
        return promoting.find(self.store, promotion.id)

    def log(self) -> list[dict[str, Any]]:
        """The bodies of the audit log, in its order."""
        return [json.loads(entry.body) for entry in self.store.audit()]

    def actions(self, promotion: Promotion) -> list[str]:
        """What the audit log says of a promotion."""
        return [body["action"] for body in self.log() if body["promotion"] == promotion.id]

    def do(self, command: Callable[..., Any], promotion: Promotion, by: Actor, **options: Any) -> Promotion:
        """What a command makes of a promotion."""
        done = command(self.store, promotion.id, actor=by, policies=self.policies, **options).promotion
        assert done is not None
        return done

    def in_force(self, name: str = "reply", kind: SubjectKind = "prompt") -> str | None:
        there = self.store.alias(kind, name, "production")
        return None if there is None else there.digest


def _trial(case: Case, right: bool | None, scorer: ScorerInfo, at: dt.datetime) -> Trial:
    if right is None:
        broken = Output(error=ErrorInfo(type="RuntimeError", message="it broke"))
        return Trial(case_id=case.id, output=broken, outcome="errored", started_at=at, duration=0.1)
    score = Score(name=scorer.name, value=right, scorer=scorer.name, scorer_version=scorer.version)
    return Trial(
        case_id=case.id,
        output=Output(value=f"hello {case.id}", latency=0.1),
        scores=(score,),
        outcome="passed" if right else "missed",
        started_at=at,
        duration=0.1,
    )


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    address = str(tmp_path / "evalkit.db")
    with open_store(address) as store:
        yield Desk(store, address)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if SERVER and "any_desk" in metafunc.fixturenames:
        metafunc.parametrize("any_desk", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def any_desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    """The desk, on SQLite and on PostgreSQL."""
    if getattr(request, "param", "sqlite") == "sqlite":
        yield request.getfixturevalue("desk")
        return
    address = request.getfixturevalue("empty_database")
    with open_store(address) as store:
        yield Desk(store, address)


class Clock:
    """The clock of the ledger, which a test may move, forwards and back."""

    def __init__(self) -> None:
        self.at = utc_now()

    def __call__(self) -> dt.datetime:
        return self.at

    def forward(self, **span: float) -> None:
        self.at += dt.timedelta(**span)

    def back(self, **span: float) -> None:
        self.at -= dt.timedelta(**span)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr("evalkit.store.ledger.utc_now", found)
    return found


@contextlib.contextmanager
def _refused(rule: str) -> Iterator[pytest.ExceptionInfo[Refusal]]:
    with pytest.raises(Refusal) as caught:
        yield caught
    error = caught.value
    assert error.rule == rule, str(error)
    assert f"[{rule}]" in str(error)
    assert error.hint, f"{rule} does not say what to do next"


@pytest.fixture
def refused() -> Refused:
    """What is done inside is refused by the rule, and the refusal says the way forward."""
    return _refused
