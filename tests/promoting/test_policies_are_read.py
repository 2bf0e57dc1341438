"""Policies as people write them: read strictly, from pyproject.toml or a YAML file, and known by their digest."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.config import load_settings
from evalkit.errors import ConfigError, EvalkitError, GateError, NotFound
from evalkit.promoting import Policies
from evalkit.promoting.policyform import KEYS, OVERRIDE_KEYS, WINDOW_KEYS
from evalkit.promotion.durations import seconds_of, span
from evalkit.promotion.policy import OverrideRule, Policy, policy_of
from evalkit.promotion.window import Window

FULL = """
[project]
name = "x"

[tool.evalkit.policies.production]
gates = ["accuracy >= 0.9 @ 95%"]
own_gates = false
suites = ["support", "safety"]
min_approvals = 2
approvers = ["anna", "role:admin"]
protected = true
allow_self_approval = true
max_age = "72h"
min_cases = 200
max_errors = "1%"
judges = "calibrated"
others = "any"
allow_dirty = false
wait = "30m"
pending_for = "7d"
approved_for = "1d12h"
freeze = [
  { from = "fri 16:00", to = "mon 08:00", timezone = "Europe/Berlin", reason = "the weekend" },
  { from = 2026-12-20, to = 2027-01-02 },
]

[tool.evalkit.policies.production.override]
by = ["carl"]
approvals = 2
rules = ["gate", "min_cases"]
good_for = "12h"

[tool.evalkit.policies."prompt/support-*@staging"]
gates = { support = ["accuracy >= 0.5"], "*" = ["errors <= 2%"] }
"""


def read(folder: Path, text: str) -> Policies:
    (folder / "pyproject.toml").write_text(text)
    return Policies.of(load_settings(folder, environ={}))


def test_every_key_is_read(tmp_path: Path) -> None:
    found = read(tmp_path, FULL)
    assert found.find("prompt", "reply", "production") == Policy(
        name="production",
        gates={"*": ("accuracy >= 0.9 @ 95%",)},
        own_gates=False,
        suites=("support", "safety"),
        min_approvals=2,
        approvers=("anna", "role:admin"),
        protected=True,
        allow_self_approval=True,
        max_age=72 * 3600,
        min_cases=200,
        max_errors="1%",
        judges="calibrated",
        others="any",
        allow_dirty=False,
        wait=1800,
        freeze=(
            Window(start="fri 16:00", end="mon 08:00", timezone="Europe/Berlin", reason="the weekend"),
            Window(start="2026-12-20", end="2027-01-02"),
        ),
        override=OverrideRule(by=("carl",), approvals=2, rules=("gate", "min_cases"), good_for=12 * 3600),
        pending_for=7 * 86_400,
        approved_for=36 * 3600,
    )
    assert found.find("prompt", "support-reply", "staging").gates == {
        "support": ("accuracy >= 0.5",),
        "*": ("errors <= 2%",),
    }
    assert found.place("production") == "pyproject.toml:5"


def test_an_alias_without_a_policy_has_the_default(tmp_path: Path) -> None:
    assert Policies.of(load_settings(tmp_path, environ={})).find("model", "solver", "production") == Policy()
    assert read(tmp_path, FULL).find("prompt", "reply", "staging") == Policy()


def test_yaml_says_the_same(tmp_path: Path) -> None:
    (tmp_path / "policies.yaml").write_text(
        "production:\n  min_approvals: 2\n  max_age: 72h\n  override:\n    by: [carl]\n"
        "  freeze:\n    - {from: 'fri 16:00', to: 'mon 08:00'}\n"
    )
    found = read(tmp_path, '[tool.evalkit]\npolicies = "policies.yaml"\n')
    assert found.find("prompt", "reply", "production") == Policy(
        name="production",
        min_approvals=2,
        max_age=72 * 3600,
        override=OverrideRule(by=("carl",)),
        freeze=(Window(start="fri 16:00", end="mon 08:00"),),
    )
    assert found.place("production") == "policies.yaml:1"


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"policies\.yaml"):
        read(tmp_path, '[tool.evalkit]\npolicies = "policies.yaml"\n')


@pytest.mark.parametrize(
    ("key", "of"),
    [
        ("*", ("prompt", "other", "x")),
        ("production", ("model", "solver", "production")),
        ("prompt/*@production", ("prompt", "b", "production")),
        ("prompt/a@production", ("prompt", "a", "production")),
        ("prompt/a@*", ("prompt", "a", "staging")),
    ],
)
def test_the_closest_policy_is_in_force(key: str, of: Any) -> None:
    keys = ("*", "production", "prompt/*@production", "prompt/a@production", "prompt/a@*")
    policies = Policies({one: Policy(name=one) for one in keys})
    assert policies.find(*of).name == key


@pytest.mark.parametrize(
    ("table", "where", "said"),
    [
        ("min_aprovals = 1", 2, 'no key "min_aprovals". Did you mean "min_approvals"?'),
        ('max_age = "a week"', 2, "a span of time such as 7d"),
        ("max_age = 7", 2, "a span of time such as 7d"),
        ("protected = 1", 2, "true or false"),
        ("min_approvals = -1", 2, "a whole number from 0 on"),
        ("min_cases = true", 2, "a whole number from 0 on"),
        ('judges = "calibratd"', 2, 'Did you mean "calibrated"?'),
        ('max_errors = "1 of 10"', 2, "a count such as 3"),
        ("max_errors = 0.01", 2, "a count such as 3"),
        ('approvers = ["role:viewer"]', 2, "role:approver or role:admin"),
        ('approvers = ["anna", "anna"]', 2, "different texts"),
        ('suites = "a, b"\nsuits = ["a"]', 3, 'Did you mean "suites"?'),
        ('override = { by = ["carl"], quorum = 2 }', 2, 'no key "quorum"'),
        ('override = { rules = ["max_age"] }', 2, "cannot be overridden"),
        ("override = { approvals = 0 }", 2, "a whole number from 1 on"),
        ('freeze = [{ from = "fri 16:00", till = "mon 08:00" }]', 2, 'no key "till"'),
        ('freeze = [{ from = "fri 16:00" }]', 2, "says nothing of `to`"),
        ('freeze = [{ from = "fri 16:00", to = "08:00" }]', 2, "both a day of the week and a time"),
        ('freeze = [{ from = "fri 16:00", to = "2026-12-20" }]', 2, "two kinds"),
        ('freeze = [{ from = "2026-12-21", to = "2026-12-20" }]', 2, "ends before it begins"),
        ('freeze = [{ from = "25:00", to = "26:00" }]', 2, "is no time"),
        ('freeze = [{ from = "22:00", to = "06:00", timezone = "Berlin" }]', 2, "no time zone"),
        ('wait = "4d"', 2, "expires before"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, table: str, where: int, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, f"[tool.evalkit.policies.production]\n{table}\n")
    assert said in str(caught.value)
    assert caught.value.where == f"pyproject.toml:{where}"


def test_gates_are_read_at_once(tmp_path: Path) -> None:
    with pytest.raises(GateError) as caught:
        read(tmp_path, '[tool.evalkit.policies.production]\nmin_cases = 3\ngates = ["accuracy > high"]\n')
    assert caught.value.where == "pyproject.toml:3"


@pytest.mark.parametrize("key", ["a b", "prompts/x@production", "x@y@z", "prompt@", ""])
def test_a_key_that_is_none_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(ConfigError, match="no key of a policy"):
        read(tmp_path, f'[tool.evalkit.policies."{key}"]\nmin_cases = 3\n')


@pytest.mark.parametrize("value", ["3", "true", '""', "[]"])
def test_policies_are_tables_or_a_file(tmp_path: Path, value: str) -> None:
    with pytest.raises(ConfigError, match="policies"):
        read(tmp_path, f"[tool.evalkit]\npolicies = {value}\n")


def test_yaml_errors_have_their_line(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("production:\n  min_cases: 3\n  override:\n    bye: [carl]\n")
    with pytest.raises(EvalkitError) as caught:
        Policies.read(tmp_path / "p.yaml", shown="p.yaml")
    assert caught.value.where == "p.yaml:4"
    assert 'Did you mean "by"?' in str(caught.value)


def test_every_difference_makes_another_digest(tmp_path: Path) -> None:
    full = read(tmp_path, FULL).find("prompt", "reply", "production")
    seen = {full.text.digest, Policy().text.digest}
    for field in dataclasses.fields(Policy):
        changed = dataclasses.replace(full, **{field.name: getattr(Policy(), field.name)})
        seen.add(changed.text.digest)
    assert len(seen) == len(dataclasses.fields(Policy)) + 2


def test_the_text_of_a_policy_is_the_policy(tmp_path: Path) -> None:
    for policy in (Policy(), read(tmp_path, FULL).find("prompt", "reply", "production")):
        assert policy_of(policy.text) == policy
        assert policy_of(policy.text).text == policy.text


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"gates": {}}'])
def test_a_text_that_is_no_policy_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        policy_of(dataclasses.replace(Policy().text, text=text))


def test_every_key_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "promotion.md").read_text(encoding="utf-8")
    for key in (*KEYS, *OVERRIDE_KEYS, *WINDOW_KEYS):
        assert f"`{key}`" in page, key
    assert set(KEYS) == {field.name for field in dataclasses.fields(Policy)} - {"name"}


@given(st.integers(0, 10**8))
def test_a_span_says_what_it_is(seconds: int) -> None:
    assert span(seconds)
    assert seconds_of(f"{seconds}s") == (seconds if seconds < 10**6 else seconds_of(f"{seconds}s"))


@pytest.mark.parametrize(
    ("text", "seconds"), [("7d", 604_800), ("1d12h", 129_600), ("90s", 90), ("1h 30m", 5400), ("", None), ("5", None)]
)
def test_spans_of_time(text: str, seconds: int | None) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize(
    ("window", "at", "holds"),
    [
        (("fri 16:00", "mon 08:00", "UTC"), "2026-12-04T15:59", False),
        (("fri 16:00", "mon 08:00", "UTC"), "2026-12-04T16:00", True),
        (("fri 16:00", "mon 08:00", "UTC"), "2026-12-06T12:00", True),
        (("fri 16:00", "mon 08:00", "UTC"), "2026-12-07T08:00", False),
        (("fri 16:00", "mon 08:00", "Europe/Berlin"), "2026-12-04T15:00", True),
        (("22:00", "06:00", "UTC"), "2026-12-04T23:00", True),
        (("22:00", "06:00", "UTC"), "2026-12-04T05:59", True),
        (("22:00", "06:00", "UTC"), "2026-12-04T06:00", False),
        (("2026-12-20", "2026-12-24", "UTC"), "2026-12-24T23:59", True),
        (("2026-12-20", "2026-12-24", "UTC"), "2026-12-25T00:00", False),
        (("2026-12-20T18:00", "2026-12-20T19:00", "America/New_York"), "2026-12-20T23:30", True),
        (("16:00", "24:00", "UTC"), "2026-12-04T23:59", True),
    ],
)
def test_windows_hold_when_they_say(window: tuple[str, str, str], at: str, holds: bool) -> None:
    start, end, zone = window
    moment = dt.datetime.fromisoformat(at).replace(tzinfo=dt.UTC)
    assert Window(start=start, end=end, timezone=zone).holds(moment) is holds
