"""`evalkit bundle`: what is in force comes out as a folder, and what is not what it says is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evalkit.cli.app import run as command
from evalkit.store import open_store


@pytest.fixture
def project(tmp_path, monkeypatch, keys, version, promotion) -> Path:
    """A project whose prompt was promoted, and whose key is configured."""
    (tmp_path / "pyproject.toml").write_text(f'[tool.evalkit.signing]\nkey = {{ file = "{keys / "signing.pem"}" }}\n')
    monkeypatch.chdir(tmp_path)
    with open_store(tmp_path / ".evalkit" / "evalkit.db") as store:
        store.register(version)
        with store.ledger() as ledger:
            made = promotion(evidence=None)
            ledger.keep(made.policy)
            ledger.move("prompt", "reply", "production", version.digest, expected_generation=0, by="ada")
            ledger.save(made)
        store.set_alias("prompt", "reply", "staging", version.digest, expected_generation=0)
    return tmp_path


def test_what_is_in_force_is_written_and_verified(project, keys, version, capsys) -> None:
    assert command(["bundle", "export", "prompt/reply", "--alias", "production", "-o", "out"]) == 0
    assert "signed with SHA256:" in capsys.readouterr().out
    assert command(["bundle", "verify", "out", "--key", str(keys / "signing.pub.pem")]) == 0
    told = capsys.readouterr().out
    assert "prompt reply v1, production" in told
    assert told.count("good") == 5
    assert command(["audit", "verify", "--checkpoint", "out/checkpoint.json"]) == 0
    capsys.readouterr()
    (project / "out" / "version.json").write_text("{}")
    assert command(["bundle", "verify", "out", "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["schema"] == "evalkit.bundle-check/1"
    assert not said["good"]
    assert said["manifest"]["digest"] == version.digest
    assert {one["about"]: one["good"] for one in said["findings"]}["version"] is False


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["prompt/reply", "--alias", "staging"], "No promotion has put the alias"),
        (["prompt/reply", "--alias", "prod"], 'has no alias "prod"'),
        (["prompt/replay", "--alias", "production"], 'no prompt "replay". Did you mean "prompt/reply"?'),
        (["reply", "--alias", "production"], "Did you mean prompt/reply?"),
    ],
)
def test_what_nothing_proves_is_refused_with_the_way_forward(project, capsys, arguments, told) -> None:
    assert command(["bundle", "export", *arguments, "-o", "out"]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert "Traceback" not in error
    assert not (project / "out").exists()


def test_a_key_pair_is_made_and_said_how_to_name(project, capsys) -> None:
    assert command(["bundle", "new-key", "k.pem", "k.pub.pem"]) == 0
    told = capsys.readouterr().out
    assert 'key = { file = "k.pem" }' in told
    assert "PRIVATE" not in told
    assert command(["bundle", "new-key", "k.pem", "k.pub.pem"]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_what_is_no_bundle_is_a_mistake_of_usage(project, capsys) -> None:
    assert command(["bundle", "verify", "."]) == 2
    assert "no bundle here" in capsys.readouterr().err
