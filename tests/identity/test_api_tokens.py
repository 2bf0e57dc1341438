"""API tokens: what is random in them, how they are read from the environment, and who may give them away."""

from __future__ import annotations

import dataclasses
import datetime as dt
import getpass
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.errors import ConfigError, Refusal
from evalkit.identity import ROLES, Token, acting, digest_of, is_secret, job_url, new_secret, roles_of, words
from evalkit.identity.granting import require_granter
from evalkit.promotion import Actor
from evalkit.redaction.shapes import without_shapes

NOW = dt.datetime(2026, 11, 22, 9, 30, tzinfo=dt.UTC)
LOCAL = Actor(name="ada")


def token(**changes: Any) -> Token:
    said: dict[str, Any] = {
        "id": "t1",
        "name": "ada",
        "is_service": False,
        "roles": {"approver": ("production",)},
        "created_at": NOW,
        "created_by": LOCAL,
    }
    return Token(**(said | changes))


@dataclasses.dataclass
class Known:
    """A store that knows one token."""

    secret: str
    one: Token
    time: dt.datetime = NOW

    def now(self) -> dt.datetime:
        return self.time

    def token(self, sha256: str) -> Token | None:
        return self.one if sha256 == digest_of(self.secret) else None


def test_a_token_has_256_bits_and_a_form_of_its_own() -> None:
    made = {new_secret() for _ in range(50)}
    assert len(made) == 50
    assert all(re.fullmatch("evk_[0-9a-f]{64}", one) and is_secret(one) for one in made)
    assert not any(map(is_secret, ["", "evk_", "evk_" + "g" * 64, "evk_" + "a" * 63, " evk_" + "a" * 64]))


def test_a_token_is_blotted_out_wherever_it_turns_up() -> None:
    secret = new_secret()
    for text in (secret, f"EVALKIT_TOKEN={secret}", f'{{"token": "{secret}"}}', f"it is {secret}."):
        assert secret[:20] not in without_shapes(text, lambda kind: f"<{kind}>")


def test_whose_token_it_is_acts() -> None:
    secret = new_secret()
    known = Known(secret, token(is_service=True))
    actor = acting(known, {"EVALKIT_TOKEN": f" {secret}\n", "CI_JOB_URL": "https://ci.example/7"})
    assert actor == Actor(
        name="ada",
        is_service=True,
        authentication="api-token",
        roles={"approver": ("production",)},
        token="t1",
        ci="https://ci.example/7",
    )


def test_a_token_may_be_in_a_file(tmp_path: Path) -> None:
    secret = new_secret()
    (tmp_path / "token").write_text(secret + "\n")
    known = Known(secret, token())
    assert acting(known, {"EVALKIT_TOKEN_FILE": str(tmp_path / "token")}).token == "t1"
    with pytest.raises(ConfigError, match="cannot be read"):
        acting(known, {"EVALKIT_TOKEN_FILE": str(tmp_path / "none")})
    with pytest.raises(ConfigError, match="Both"):
        acting(known, {"EVALKIT_TOKEN_FILE": str(tmp_path / "token"), "EVALKIT_TOKEN": secret})


def test_without_a_token_it_is_the_local_user_who_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "grace")
    assert acting(Known("", token()), {}) == Actor(name="grace", authentication="asserted-local")


@pytest.mark.parametrize(
    ("changes", "time", "said"),
    [
        ({"revoked_at": NOW, "revoked_by": LOCAL}, NOW, "was revoked on 2026-11-22"),
        ({"expires_at": NOW}, NOW, "expired on 2026-11-22"),
        ({"expires_at": NOW}, NOW + dt.timedelta(days=1), "expired on 2026-11-22"),
    ],
)
def test_a_token_that_no_longer_works_is_nobody_else(changes: dict[str, Any], time: dt.datetime, said: str) -> None:
    secret = new_secret()
    with pytest.raises(ConfigError, match=said) as caught:
        acting(Known(secret, token(**changes), time), {"EVALKIT_TOKEN": secret})
    assert secret not in str(caught.value)


@pytest.mark.parametrize("secret", ["nonsense", "evk_123", pytest.param(new_secret(), id="unknown")])
def test_a_token_that_is_malformed_or_unknown_is_never_shown(secret: str) -> None:
    with pytest.raises(ConfigError) as caught:
        acting(Known(new_secret(), token()), {"EVALKIT_TOKEN": secret})
    assert secret not in str(caught.value)


def test_a_token_works_until_it_expires() -> None:
    one = token(expires_at=NOW)
    assert one.why_not(NOW - dt.timedelta(microseconds=1)) == ""


def test_the_job_of_a_ci_system() -> None:
    github = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "a/b", "GITHUB_RUN_ID": "7"}
    assert job_url(github) == "https://github.com/a/b/actions/runs/7"
    assert job_url({}) is None


def test_roles_are_read_as_they_are_written() -> None:
    found = roles_of(["runner", "approver:production, staging", "approver:production", "viewer:staging", "viewer"])
    assert found == {"runner": ("*",), "approver": ("production", "staging"), "viewer": ("*",)}
    assert words(found) == "runner approver:production,staging viewer"


@given(st.dictionaries(st.sampled_from(ROLES), st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, unique=True)))
def test_roles_in_words_are_read_back(roles: dict[Any, list[str]]) -> None:
    given_ = {role: tuple(aliases) for role, aliases in roles.items()}
    assert roles_of(words(given_).split()) == given_


def test_a_role_that_there_is_not() -> None:
    with pytest.raises(ConfigError, match='Did you mean "approver"'):
        roles_of(["aprover:production"])
    with pytest.raises(ConfigError, match="without a name"):
        roles_of(["approver:"])


def test_anybody_may_make_the_first_token_and_only_admins_more() -> None:
    admin = token(roles={"admin": ("*",)})
    require_granter(LOCAL, admin.roles, [], NOW)
    require_granter(LOCAL, admin.roles, [token()], NOW)
    require_granter(LOCAL, admin.roles, [token(roles={"admin": ("*",)}, revoked_at=NOW)], NOW)
    for actor in (LOCAL, token().actor()):
        with pytest.raises(Refusal, match="may not make"):
            require_granter(actor, {"viewer": ("*",)}, [admin], NOW)
    require_granter(admin.actor(), admin.roles, [admin], NOW)


def test_an_admin_of_one_alias_gives_roles_for_that_alias_only() -> None:
    staging = token(roles={"admin": ("staging",)})
    require_granter(staging.actor(), {"approver": ("staging",)}, [staging], NOW)
    for roles in ({"approver": ("production",)}, {"approver": ("*",)}, {"viewer": ("staging",), "runner": ("x",)}, {}):
        with pytest.raises(Refusal, match="role admin for"):
            require_granter(staging.actor(), roles, [staging], NOW)  # type: ignore[arg-type]  # roles by name
