"""A promotion as it is when it has been applied, made by hand."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from pathlib import Path

import pytest

from evalkit.attestation import new_key
from evalkit.canonical import canonical_json, digest
from evalkit.promotion import Actor, Approval, Evidence, PolicyText, Promotion, RuleVerdict
from evalkit.versions import Version

NOW = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)
BODY = {"template": "plain", "text": "Answer {{ question }} 🙂 kindly.", "role": "user"}
ADA, BOB = Actor(name="ada", authentication="api-token"), Actor(name="bob", authentication="api-token")


def _promotion(version: Version, **changes) -> Promotion:
    text = canonical_json({"gates": ["accuracy >= 0.9 @ 95%"]}).decode()
    policy = PolicyText(name="production", digest=hashlib.sha256(text.encode()).hexdigest(), text=text)
    evidence = Evidence(
        runs=("01a",),
        run_digest="1" * 64,
        baseline=None,
        suites=("answers",),
        datasets={"answers": "2" * 64},
        scorers={"answers/accuracy": {"version": "1", "config": {"mark": 0.5}}},
        subject=version.digest,
        lock="3" * 64,
        cases=400,
        planned=400,
        executed=400,
        errored=0,
        unscored=0,
        seed=7,
        selection="",
        is_complete=True,
        commit="c0ffee",
        dirty=False,
        finished_at=NOW,
        collected_at=NOW,
    )
    made = Promotion(
        id="01b",
        kind="prompt",
        name="reply",
        alias="production",
        from_digest=None,
        to_digest=version.digest,
        base_generation=0,
        created_at=NOW,
        by=ADA,
        author="ada",
        reason="",
        policy=policy,
        evidence=evidence,
        fingerprint="4" * 64,
        evaluator="0.1",
        verdicts=(RuleVerdict(rule="gate", text="accuracy >= 0.9 @ 95%", decision="pass", observed="0.95"),),
        state="applied",
        state_since=NOW,
        approvals=(
            Approval(id="01c", promotion="01b", by=BOB, approves=True, comment="", at=NOW, fingerprint="4" * 64),
        ),
        generation=1,
    )
    return dataclasses.replace(made, **changes)


@pytest.fixture(scope="session")
def version() -> Version:
    return Version(kind="prompt", name="reply", digest=digest(BODY), body=BODY, number=3)


@pytest.fixture(scope="session")
def promotion(version):
    """Makes the promotion of `version`, with the changes given."""
    return lambda **changes: _promotion(version, **changes)


@pytest.fixture(scope="session")
def keys(tmp_path_factory) -> Path:
    """A folder with a key pair."""
    folder = tmp_path_factory.mktemp("keys")
    new_key(folder / "signing.pem", folder / "signing.pub.pem")
    return folder
