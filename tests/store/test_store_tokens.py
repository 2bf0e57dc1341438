"""API tokens in the store: their digests only, and an entry of the audit log for each that is made or revoked."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from typing import Any

import pytest

from evalkit.canonical import new_id
from evalkit.errors import NotFound
from evalkit.identity import Token, acting, digest_of, new_secret
from evalkit.promotion import Actor
from evalkit.store import Store
from evalkit.store.database import Duplicate

AT = dt.datetime(2026, 11, 22, 9, 30, 0, 5, tzinfo=dt.UTC)
ADA = Actor(name="ada", authentication="api-token", roles={"admin": ("*",)}, token="t0")


def token(**changes: Any) -> Token:
    said: dict[str, Any] = {
        "id": new_id(),
        "name": "bob",
        "is_service": False,
        "roles": {"approver": ("production", "staging"), "viewer": ("*",)},
        "created_at": AT,
        "created_by": ADA,
        "expires_at": AT + dt.timedelta(days=900_000),
    }
    return Token(**(said | changes))


def test_a_token_comes_back_as_it_was(store: Store) -> None:
    secret, made = new_secret(), token(name="bøb\x00")
    store.add_token(made, digest_of(secret))
    assert store.tokens() == [made]
    assert store.token(digest_of(secret)) == made
    assert store.token(digest_of(new_secret())) is None
    actor = acting(store, {"EVALKIT_TOKEN": secret})
    assert (actor.name, actor.roles, actor.token) == (made.name, made.roles, made.id)


def test_the_same_token_is_not_there_twice(store: Store) -> None:
    digest = digest_of(new_secret())
    store.add_token(token(), digest)
    with pytest.raises(Duplicate):
        store.add_token(token(), digest)
    assert len(store.tokens()) == len(store.audit()) == 1


def test_a_token_is_revoked_once(store: Store) -> None:
    secret, made = new_secret(), token()
    store.add_token(made, digest_of(secret))
    gone = store.revoke_token("bob", by=ADA)
    assert (gone.id, gone.revoked_by) == (made.id, ADA)
    assert gone.why_not(gone.created_at).startswith("was revoked")
    assert store.revoke_token(made.id, by=dataclasses.replace(ADA, name="eve")) == gone
    said = [json.loads(entry.body) for entry in store.audit()]
    assert [(one["action"], one["subject"]) for one in said] == [
        ("token.created", "token/bob"),
        ("token.revoked", "token/bob"),
    ]
    assert secret not in str(said)
    assert digest_of(secret) not in str(said)


def test_a_token_is_named_by_its_id_or_by_whose_it_is(store: Store) -> None:
    first, second, other = token(), token(), token(name="carol")
    for one in (first, second, other):
        store.add_token(one, digest_of(new_secret()))
    assert store.named_token(first.id) == first
    assert store.named_token("carol") == other
    with pytest.raises(NotFound, match='"bob" could be 2 tokens'):
        store.named_token("bob")
    store.revoke_token(first.id, by=ADA)
    assert store.named_token("bob") == second
    with pytest.raises(NotFound, match='Did you mean "carol"'):
        store.named_token("carl")
