"""A prompt is promoted from the command line: judged, approved, applied, rolled back; every refusal says what to do."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import evalkit
from evalkit.case import Case
from evalkit.cli.app import run as run_command_line
from evalkit.plaintext import cells
from evalkit.registry.loading import forget
from evalkit.store import open_store

SERVER = os.environ.get("EVALKIT_TEST_PG_URL", "")
POLICY = """
[tool.evalkit.policies.production]
min_approvals = 1
gates = ["right >= 0.7"]
{more}
[tool.evalkit.policies.staging]
"""
Cli = Callable[..., Any]
Attempt = Callable[..., str]


def right(output: Any, expected: Any) -> bool:
    return bool(output == expected)


@pytest.fixture
def attempt(project: Path) -> Attempt:
    """Write the prompt `greet` and run its suite of twenty cases, of which `wrong` miss; gives the run's id."""

    def run(text: str, *, wrong: int = 0, cases: int = 20) -> str:
        (project / "prompts").mkdir(exist_ok=True)
        (project / "prompts/greet.md").write_text(text, encoding="utf-8")

        @evalkit.suite(
            name="greetings",
            dataset=[Case(id=f"c{n}", input=n, expected=n) for n in range(cases)],
            scorers=[right],
            prompt="greet",
        )
        def suite(case: Case, prompt: Any) -> int:
            return -1 if case.input < wrong else int(case.input)

        return evalkit.run(suite, progress=False, store=os.environ.get("EVALKIT_STORE")).id

    return run


@pytest.fixture
def policy(project: Path) -> Callable[..., None]:
    """Write the policies of the project; `more` are lines for that of production."""

    def write(more: str = "") -> None:
        (project / "pyproject.toml").write_text(POLICY.format(more=more), encoding="utf-8")

    write()
    return write


@pytest.fixture
def be(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Be another user of the machine."""

    def other(name: str) -> None:
        monkeypatch.setenv("LOGNAME", name)

    other("ada")
    return other


@pytest.fixture
def promote(cli: Cli, attempt: Attempt, policy: Any, be: Any) -> Callable[..., Any]:
    """Run the suite with a text of the prompt, and ask for it to be production."""

    def call(text: str, *arguments: str, wrong: int = 0, to: str = "production") -> Any:
        attempt(text, wrong=wrong)
        return cli("promote", "prompt/greet", "--to", to, "--version", "file", "--run", "last", *arguments)

    return call


@pytest.fixture
def in_force(cli: Cli, promote: Any, be: Any) -> str:
    """The first version, promoted to production with ben's approval; gives the promotion's id."""
    found = promote("Hello", "--json").json()["promotion"]["id"]
    be("ben")
    assert cli("approve", found).code == 0
    assert cli("apply", found).code == 0
    be("ada")
    return str(found)


def waiting(cli: Cli) -> str:
    (found,) = cli("promotions", "--state", "pending_approval", "--json").json()
    return str(found["id"])


def words(text: str) -> str:
    return " ".join(text.split())


def test_without_a_policy_what_passes_is_applied_at_once(promote: Any) -> None:
    done = promote("Hello", to="staging")
    assert done.code == 0
    assert "Every rule passed and nobody has to approve: staging will be moved at once." in words(done.out)
    assert "APPLIED" in done.out


def test_a_promotion_waits_is_approved_by_another_and_applied(cli: Cli, promote: Any, be: Any) -> None:
    asked = promote("Hello", "--reason", "the first")
    assert asked.code == 5
    said = words(asked.out)
    for part in (
        "production of prompt/greet: nothing → v1",
        "asked for by ada (asserted-local)",
        ": the first",
        "20 cases, 20 of 20 trials, 0 errored, 0 unscored",
        "right >= 0.7",
        "there is nothing to compare with",
        "will not be moved before it is approved: 1 approval by anybody but a service account; not ada: asked for it.",
        "WAITING FOR APPROVAL",
        "It needs 1 more of 1 approvals",
        "An approval by ada would not count: ada asked for it.",
        "Go on with: evalkit approve 0",
    ):
        assert part in said
    assert re.search(r"fingerprint [0-9a-f]{64}", said)
    name = waiting(cli)[:13]
    be("ben")
    approved = cli("approve", name, "--comment", "Good.")
    assert approved.code == 0
    assert "You are ben (asserted-local). This approves the evidence above" in words(approved.out)
    assert "approved by ben (asserted-local)" in words(approved.out)
    assert f"Go on with: evalkit apply {name}" in words(approved.out)
    applied = cli("apply", name)
    assert applied.code == 0
    assert "generation 0 → 1" in words(applied.out)
    shown = cli("promotions", "show", name)
    assert shown.code == 0
    assert "approved by ben (asserted-local)" in words(shown.out)
    assert ": Good." in words(shown.out)
    assert cli("promotions", "verify", name).code == 0


def test_a_promotion_is_named_by_its_alias(cli: Cli, promote: Any, in_force: str) -> None:
    assert cli("promotions", "show", "prompt/greet@production", "--json").json()["id"] == in_force
    newer = promote("Hello there", "--json").json()["promotion"]["id"]
    assert cli("promotions", "show", "prompt/greet@production", "--json").json()["id"] == newer
    assert cli("cancel", "prompt/greet@production").code == 0
    assert cli("promotions", "show", "prompt/greet@production", "--json").json()["id"] == newer


def test_what_does_not_pass_is_blocked_and_says_why(cli: Cli, promote: Any, in_force: str) -> None:
    done = promote("Go away", wrong=9)
    assert done.code == 1
    said = words(done.out)
    assert "production will not be moved, as not every rule passed (gate)" in said
    assert "right >= 0.7 0.550" in said
    assert "BLOCKED" in said
    assert "└ right is 0.55 on these 20 cases; the gate asks for at least 0.7." in said
    assert cli("promotions", "show", cli("promotions", "--json").json()[0]["id"]).code == 1


def test_the_text_is_shown_against_what_is_in_force(promote: Any, in_force: str) -> None:
    said = words(promote("Hello there").out)
    assert "prompt greet: v1" in said
    assert "+ Hello{+ there+}" in said


def test_what_cannot_be_decided_leaves_with_3(promote: Any, policy: Any) -> None:
    policy()
    text = Path("pyproject.toml").read_text().replace("right >= 0.7", "right >= 0.7 @ 95%")
    Path("pyproject.toml").write_text(text)
    done = promote("Hello", wrong=3)
    assert done.code == 3
    said = words(done.out)
    assert "INCONCLUSIVE" in said
    assert "About" in said  # how many cases would decide it
    assert "BLOCKED" in said


def test_a_dry_run_says_it_and_does_nothing(cli: Cli, promote: Any) -> None:
    done = promote("Hello", "--dry-run")
    assert done.code == 5
    assert "Nothing was done: this was a dry run." in done.out
    assert cli("promotions", "--json").json() == []
    as_json = promote("Hello", "--dry-run", "--json").json()
    assert (as_json["dry_run"], as_json["promotion"]["state"]) == (True, "pending_approval")
    assert as_json["outlook"]["excluded"] == ["ada: asked for it"]
    assert cli("promotions", "--json").json() == []


@pytest.mark.parametrize(("answer", "promotions"), [("n\n", 0), ("y\n", 1)])
def test_at_a_terminal_it_asks_first(
    cli: Cli, promote: Any, monkeypatch: pytest.MonkeyPatch, answer: str, promotions: int
) -> None:
    import io

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    done = promote("Hello")
    assert "Go on? [y/N]" in done.out + done.err
    assert done.code == (5 if promotions else 1)
    assert len(cli("promotions", "--json").json()) == promotions


def test_who_asked_may_not_approve(cli: Cli, promote: Any) -> None:
    promote("Hello")
    done = cli("approve", waiting(cli))
    assert done.code == 1
    assert "[self_approval]" in done.err
    assert "Ask somebody else." in done.err
    assert cli("approve", waiting(cli), "--json").code == 1


def test_a_self_approval_that_is_allowed_is_shown_as_one(cli: Cli, promote: Any, policy: Any) -> None:
    policy("allow_self_approval = true")
    promote("Hello")
    name = waiting(cli)
    done = cli("approve", name)
    assert done.code == 0
    assert "It is a SELF-APPROVAL, and will be shown as one." in words(done.out)
    assert "a SELF-APPROVAL" in words(cli("promotions", "show", name).out)
    assert "approved (self-approved)" in words(cli("promotions").out)
    assert cli("promotions", "show", name, "--json").json()["approvals"][0]["self"] is True


def test_more_approvals_are_waited_for(cli: Cli, promote: Any, policy: Any, be: Any) -> None:
    text = Path("pyproject.toml").read_text().replace("min_approvals = 1", "min_approvals = 2")
    Path("pyproject.toml").write_text(text)
    promote("Hello")
    name = waiting(cli)
    be("ben")
    assert cli("approve", name).code == 5
    assert "It needs 1 more of 2 approvals" in words(cli("promotions", "show", name).out)
    be("cleo")
    assert cli("approve", name).code == 0


def test_an_approval_is_of_what_was_seen(
    cli: Cli, promote: Any, attempt: Attempt, be: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote("Hello")
    name = waiting(cli)
    seen = cli("promotions", "show", name, "--json").json()["fingerprint"]
    attempt("Hello", wrong=2)
    assert cli("promotions", "judge", name, "--run", "last").code == 5
    be("ben")
    refused = cli("approve", name, "--fingerprint", seen)
    assert refused.code == 1
    assert "[fingerprint]" in refused.err
    assert f"evalkit promotions show {name}" in words(refused.err)
    assert cli("approve", name, "--fingerprint", "none").code == 2
    now = cli("promotions", "show", name, "--json").json()["fingerprint"]
    assert now != seen
    assert cli("approve", name, "--fingerprint", now[:8]).code == 0


def test_evidence_that_is_judged_again_while_somebody_reads_is_not_approved(
    cli: Cli, promote: Any, attempt: Attempt, be: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote("Hello")
    name = waiting(cli)
    attempt("Hello", wrong=2)
    from evalkit.cli import promotionacts

    def meanwhile() -> None:
        be("ada")
        assert run_command_line(["promotions", "judge", name, "--run", "last", "--json"]) == 5
        be("ben")

    be("ben")
    monkeypatch.setattr(promotionacts, "ask", meanwhile)
    done = cli("approve", name)
    assert done.code == 1
    assert "[fingerprint]" in done.err
    assert cli("promotions", "show", name, "--json").json()["approvals"] == []


def test_an_approval_is_taken_back(cli: Cli, promote: Any, be: Any) -> None:
    promote("Hello")
    name = waiting(cli)
    be("ben")
    cli("approve", name)
    done = cli("approve", name, "--withdraw")
    assert done.code == 0
    assert cli("promotions", "show", name, "--json").json()["state"] == "invalidated"
    assert cli("approve", name, "--withdraw", "--comment", "no").code == 2


def test_a_rejection_is_final(cli: Cli, promote: Any, be: Any) -> None:
    promote("Hello")
    name = waiting(cli)
    be("ben")
    done = cli("reject", name, "--reason", "Too short.")
    assert done.code == 0
    assert "REJECTED" in done.out
    refused = cli("approve", name)
    assert refused.code == 1
    assert "rejected" in refused.err
    assert "Too short." in cli("promotions", "show", name).out


def test_who_asked_may_cancel(cli: Cli, promote: Any, be: Any) -> None:
    promote("Hello")
    name = waiting(cli)
    be("ben")
    assert cli("cancel", name).code == 1
    be("ada")
    assert cli("cancel", name, "--reason", "A typo.").code == 0
    assert cli("apply", name).code == 1


def test_an_override_is_on_somebodys_name_and_waits_for_others(cli: Cli, promote: Any, policy: Any, be: Any) -> None:
    policy('override = { by = ["cleo"], approvals = 1 }')
    blocked = promote("Go away", "--json", wrong=9).json()["promotion"]["id"]
    refused = cli("override", blocked, "--reason", "The cases are old.")
    assert refused.code == 1
    be("cleo")
    done = cli("override", blocked, "--rule", "gate", "--reason", "The cases are old.")
    assert done.code == 5
    assert "OVERRIDE of gate by cleo (asserted-local)" in words(done.out)
    assert "The cases are old." in words(done.out)


def test_a_rollback_goes_back_at_once_with_a_reason(cli: Cli, promote: Any, in_force: str, be: Any) -> None:
    second = promote("Hello there", "--json").json()["promotion"]["id"]
    be("ben")
    cli("approve", second)
    cli("apply", second)
    cli("freeze", "*", "--alias", "production", "--reason", "the sale")
    assert cli("rollback", "prompt/greet", "--alias", "production").code == 2  # no reason
    done = cli("rollback", "prompt/greet", "--alias", "production", "--reason", "It greets too much.")
    assert done.code == 0, done.err
    assert "production of prompt/greet: v2" in words(done.out)
    assert f"it undoes the promotion {second}" in words(done.out)
    assert "- Hello[- there-]" in words(done.out)
    states = {one["id"]: one["state"] for one in cli("promotions", "--json").json()}
    assert states[second] == "rolled_back"
    assert cli("rollback", "prompt/greet", "--alias", "production", "--to", "v9", "--reason", "x").code == 2


def test_a_freeze_is_declared_listed_and_lifted(cli: Cli, promote: Any, be: Any) -> None:
    frozen = cli("freeze", "prompt/greet", "--alias", "staging", "--until", "3d", "--reason", "the sale")
    assert frozen.code == 2  # there is no store, and no such prompt, yet
    promote("Hello", to="staging")
    frozen = cli("freeze", "prompt/greet", "--alias", "staging", "--until", "3d", "--reason", "the sale")
    assert frozen.code == 0, frozen.err
    assert "This lets nothing move staging of prompt/greet until" in words(frozen.out)
    done = promote("Hello there", to="staging")
    assert done.code == 5
    assert "the sale" in done.out
    (listed,) = cli("freeze", "list", "--json").json()
    assert (listed["state"], listed["reason"], listed["by"]["name"]) == ("in force", "the sale", "ada")
    assert "in force" in cli("freeze", "list").out
    assert cli("freeze", "lift", listed["id"][:13], "--reason", "over").code == 0
    assert cli("freeze", "list", "--json").json()[0]["state"] == "lifted"
    (open_,) = cli("promotions", "--state", "approved", "--json").json()
    assert cli("apply", open_["id"]).code == 0


@pytest.mark.parametrize("until", ["yesterday", "2020-01-01", "0d"])
def test_a_freeze_ends_in_the_future(cli: Cli, promote: Any, until: str) -> None:
    promote("Hello")
    done = cli("freeze", "*", "--until", until, "--reason", "x")
    assert done.code == 2
    assert "--until" in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("promote", "prompt/gret"), 'There is no prompt "gret". Did you mean "greet"?'),
        (("promote", "greet"), "Did you mean prompt/greet?"),
        (("promote", "prompts/greet"), 'Did you mean "prompt/greet"?'),
        (("promote", "prompt/greet", "--to", "prodution"), 'Did you mean "production"?'),
        (("promote", "prompt/greet", "--version", "v7"), "v7"),
        (("promote", "prompt/greet", "--run", "nothing"), "nothing"),
        (("promotions", "show", "ffffffff"), 'The store has no promotion "ffffffff".'),
        (("promotions", "show", "prompt/greet@prodution"), 'Did you mean "prompt/greet@production"?'),
        (("promotions", "--alias", "prodution"), 'Did you mean "production"?'),
        (("promotions", "--subject", "prompt/gret"), 'Did you mean "prompt/greet"?'),
        (("promotions", "shwo"), 'Did you mean "show"?'),
        (("policy", "show", "prodution"), 'Did you mean "production"?'),
    ],
)
def test_what_is_misspelled_gets_the_nearest(cli: Cli, promote: Any, arguments: tuple[str, ...], said: str) -> None:
    promote("Hello")
    if arguments[0] == "promote":
        given = {"--to": "production", "--version": "v1", "--run": "last"}
        missing = [word for flag, value in given.items() if flag not in arguments for word in (flag, value)]
        arguments = (*arguments, *missing)
    done = cli(*arguments)
    assert done.code == 2
    assert said in words(done.err)
    assert "Traceback" not in done.err


def test_a_file_that_was_never_run_is_told_apart(cli: Cli, promote: Any) -> None:
    promote("Hello")
    Path("prompts/greet.md").write_text("Something new")
    done = cli("promote", "prompt/greet", "--to", "production", "--version", "file", "--run", "last")
    assert done.code == 2
    assert "is not in the store" in done.err
    assert "evalkit sync" in done.err


@pytest.mark.parametrize("width", [80, 160])
def test_it_fits_the_terminal(cli: Cli, promote: Any, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    shown = [promote("Go away", "--reason", "a reason of many words " * 8, wrong=9)]
    cli("freeze", "*", "--alias", "staging", "--reason", "a reason of many words " * 4)
    shown += [
        cli(*line) for line in (["promotions"], ["promotions", "show", "0"], ["freeze", "list"], ["policy", "show"])
    ]
    for one in shown:
        assert one.out.strip()
        assert max(cells(line) for line in one.out.splitlines()) <= width
        assert "\x1b" not in one.out


def test_policies_are_checked_and_shown(cli: Cli, policy: Any) -> None:
    policy("max_age = '3d'")
    checked = cli("policy", "check")
    assert checked.code == 0
    assert "production" in checked.out
    assert "2 policies, no mistakes found." in checked.out
    shown = cli("policy", "show", "production")
    assert "max_age 3 days" in shown.out
    assert "min_approvals 1" in shown.out
    (as_json,) = cli("policy", "show", "production", "--json").json()
    assert as_json["content"]["max_age"] == 3 * 86_400
    assert {one["policy"] for one in cli("policy", "check", "--json").json()} == {"production", "staging"}


def test_a_mistake_in_a_policy_is_said_with_its_line(cli: Cli, policy: Any) -> None:
    policy("max_agee = '3d'")
    done = cli("policy", "check")
    assert done.code == 2
    assert "pyproject.toml:5" in done.err
    assert 'Did you mean "max_age"?' in done.err


def test_files_ahead_of_an_alias_are_listed(cli: Cli, promote: Any, attempt: Attempt) -> None:
    promote("Hello", to="staging")
    assert cli("sync", "--ahead-of", "staging").out == ""
    assert cli("sync", "--ahead-of", "production").out == "prompt/greet\n"
    attempt("Hello there")
    assert cli("sync", "--ahead-of", "staging").out == "prompt/greet\n"
    (one,) = cli("sync", "--ahead-of", "staging", "--json").json()
    assert (one["name"], one["aliases"]) == ("greet", {"staging": 1})
    assert cli("sync", "--check", "--ahead-of", "staging").code == 2


@pytest.fixture(params=["sqlite", "postgresql"] if SERVER else ["sqlite"])
def anywhere(request: pytest.FixtureRequest, project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A store on each database."""
    url = str(project / "evalkit.db")
    if request.param == "postgresql":
        url = request.getfixturevalue("empty_database")
    monkeypatch.setenv("EVALKIT_STORE", url)
    monkeypatch.setenv("XDG_CACHE_HOME", str(project / "cache"))
    forget()
    with open_store(url):
        pass
    yield url
    forget()


def test_the_whole_way_on_each_database(anywhere: str, cli: Cli, promote: Any, be: Any) -> None:
    first = promote("Hello", "--json").json()["promotion"]["id"]
    be("ben")
    assert [cli("approve", first).code, cli("apply", first).code] == [0, 0]
    be("ada")
    assert promote("Go away", wrong=9).code == 1
    second = promote("Hello there", "--json").json()["promotion"]["id"]
    be("ben")
    assert [cli("approve", second).code, cli("apply", second).code] == [0, 0]
    assert evalkit.load_prompt("greet", alias="production", store=anywhere, refresh=0).text == "Hello there"
    assert cli("rollback", "prompt/greet", "--alias", "production", "--reason", "x").code == 0
    assert evalkit.load_prompt("greet", alias="production", store=anywhere, refresh=0).text == "Hello"
    assert [cli("promotions", "verify", one).code for one in (first, second)] == [0, 0]


DATA = ("datasets", "scorers", "others", "by_suite", "content")
"""Fields whose keys are names, or those of a policy."""


def fields(value: Any) -> Iterator[str]:
    """Every key in a document, below the fields of data excepted."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            if key not in DATA:
                yield from fields(item)
    elif isinstance(value, list):
        for item in value:
            yield from fields(item)


def test_every_field_of_the_json_is_documented(cli: Cli, promote: Any, policy: Any, be: Any) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/cli.md").read_text(encoding="utf-8")
    reference = page.partition("\n## JSON\n")[2]
    policy('override = { by = ["cleo"] }')
    first = promote("Hello", "--json")
    blocked = promote("Go away", "--json", wrong=9).json()["promotion"]["id"]
    be("cleo")
    overridden = cli("override", blocked, "--reason", "x", "--json")
    name = first.json()["promotion"]["id"]
    made = {
        "evalkit.promoted/1": [first, overridden, cli("approve", name, "--json"), cli("apply", name, "--json")],
        "evalkit.promotion/1": [cli("promotions", "--json"), cli("promotions", "show", name, "--json")],
        "evalkit.verified/1": [cli("promotions", "verify", name, "--json")],
        "evalkit.freeze/1": [cli("freeze", "*", "--reason", "x", "--json"), cli("freeze", "list", "--json")],
        "evalkit.policy/1": [cli("policy", "check", "--json"), cli("policy", "show", "--json")],
    }
    for schema, results in made.items():
        for result in results:
            found = result.json()
            for document in found if isinstance(found, list) else [found]:
                assert document["schema"] == schema
            assert sorted({field for field in fields(found) if f"`{field}`" not in reference}) == []


def test_a_run_names_the_promotions_that_rest_on_it(cli: Cli, in_force: str, promote: Any) -> None:
    promote("Hello there")
    newer, first = cli("runs", "--json").json()
    assert f"evidence for the promotion {in_force[:13]} of prompt/greet to production, applied" in words(
        cli("show", first["id"]).out
    )
    (cited,) = cli("show", newer["id"], "--json").json()["promotions"]
    assert (cited["subject"], cited["alias"], cited["state"]) == ("prompt/greet", "production", "pending_approval")
    assert "baseline of the promotion" in words(cli("show", first["id"]).out)


def test_webhooks_that_listen_get_the_events(cli: Cli, promote: Any, project: Path) -> None:
    with (project / "pyproject.toml").open("a") as file:
        file.write('[tool.evalkit.webhooks.chat]\nurl = "http://127.0.0.1:9/hook"\nevents = ["promotion.*"]\n')
    assert promote("Hello", to="staging").code == 0
    with open_store(project / ".evalkit/evalkit.db") as store:
        messages = store.outbox()
        assert {one.target for one in messages} == {"chat"}
        assert any("promotion.applied" in one.body for one in messages)


def test_the_checkpoint_that_is_printed_is_that_of_the_log(promote: Any, project: Path) -> None:
    out = promote("Hello").out
    with open_store(project / ".evalkit/evalkit.db") as store:
        head = store.checkpoint()
        assert out.splitlines()[-1] == f"audit {head.seq} {head.hash}"
        assert head.seq > 0
