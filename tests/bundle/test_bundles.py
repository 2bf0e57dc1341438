"""A bundle can be read and checked by anyone, and nothing in it can be changed unseen."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from evalkit.attestation import new_key, private_key, public_key
from evalkit.bundle import check, export
from evalkit.errors import AttestationError
from evalkit.promotion import Override, RuleVerdict

VERIFIER = Path(__file__).with_name("verifier.py")


@pytest.fixture
def bundle(keys, version, promotion, tmp_path) -> Path:
    folder = tmp_path / "bundle"
    export(folder, version, promotion(), key=private_key(str(keys / "signing.pem")), checkpoint={"seq": 9})
    return folder


def found(folder: Path, keys: Path | None) -> dict[str, bool | None]:
    _, findings = check(folder, key=None if keys is None else public_key(keys / "signing.pub.pem"))
    return {finding.about: finding.is_good for finding in findings}


def verified(folder: Path, keys: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", str(VERIFIER), str(folder), str(keys / "signing.pub.pem")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


GOOD = {"files": True, "version": True, "statements": True, "policy": True, "signatures": True}


def test_a_bundle_is_good_and_can_be_read_without_evalkit(bundle, keys, version) -> None:
    assert found(bundle, keys) == GOOD
    assert hashlib.sha256((bundle / "version.json").read_bytes()).hexdigest() == version.digest
    assert json.loads((bundle / "version.json").read_text())["text"] == version.body["text"]
    assert (bundle / "prompt.txt").read_text() == version.body["text"]
    manifest = json.loads((bundle / "manifest.json").read_text())
    assert sorted(manifest["files"]) == sorted(path.name for path in bundle.iterdir() if path.name != "manifest.json")


def test_a_program_without_any_code_of_evalkits_verifies_it(bundle, keys) -> None:
    assert len(VERIFIER.read_text().splitlines()) <= 60
    assert "import evalkit" not in VERIFIER.read_text()
    done = verified(bundle, keys)
    assert (done.returncode, done.stdout) == (0, "prompt/reply -> production, approved by bob\n"), done.stderr


def test_that_program_refuses_what_was_changed_or_signed_by_another(bundle, keys, tmp_path) -> None:
    (bundle / "version.json").write_bytes((bundle / "version.json").read_bytes().replace(b"kindly", b"rudely"))
    assert "another content" in verified(bundle, keys).stderr
    new_key(tmp_path / "signing.pem", tmp_path / "signing.pub.pem")
    assert "not signed by this key" in verified(bundle, tmp_path).stderr


@pytest.mark.parametrize(
    "name", ["version.json", "prompt.txt", "attestation.intoto.jsonl", "checkpoint.json", "README.md"]
)
@pytest.mark.parametrize("how", ["changed", "gone", "a link"])
def test_no_file_can_be_changed(bundle, keys, name, how) -> None:
    path = bundle / name
    if how == "changed":
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    else:
        path.rename(bundle.parent / name)
        if how == "a link":
            path.symlink_to(bundle.parent / name)
    assert found(bundle, keys)["files"] is False


def test_a_manifest_that_was_made_to_fit_does_not_help(bundle, keys) -> None:
    content = (bundle / "version.json").read_bytes().replace(b"kindly", b"rudely")
    (bundle / "version.json").write_bytes(content)
    manifest = json.loads((bundle / "manifest.json").read_text())
    manifest["digest"] = manifest["files"]["version.json"] = hashlib.sha256(content).hexdigest()
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    assert found(bundle, keys) == GOOD | {"statements": False}


@pytest.mark.parametrize("field", ["alias", "promotion", "name", "kind"])
def test_a_bundle_cannot_be_passed_off_as_another(bundle, keys, field) -> None:
    manifest = json.loads((bundle / "manifest.json").read_text())
    manifest[field] = "staging"
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    assert found(bundle, keys)["statements"] is False


def test_a_file_more_is_a_file_too_many(bundle, keys) -> None:
    (bundle / "prompt-new.txt").write_text("Be rude.")
    assert found(bundle, keys)["files"] is False


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/b", ".."])
def test_nothing_outside_of_the_folder_is_read(bundle, keys, name) -> None:
    manifest = json.loads((bundle / "manifest.json").read_text())
    manifest["files"][name] = "0" * 64
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    _, findings = check(bundle, key=None)
    assert "is no name of a file in it" in findings[0].said


def test_who_signed_is_not_decided_without_a_key(bundle) -> None:
    assert found(bundle, None) == GOOD | {"signatures": None}


def test_another_key_does_not_do(bundle, tmp_path) -> None:
    new_key(tmp_path / "signing.pem", tmp_path / "signing.pub.pem")
    assert found(bundle, tmp_path) == GOOD | {"signatures": False}


def test_without_a_signing_key_it_is_unsigned_and_says_so(keys, version, promotion, tmp_path) -> None:
    export(tmp_path / "b", version, promotion(), key=None)
    assert found(tmp_path / "b", None) == GOOD | {"signatures": None}
    assert found(tmp_path / "b", keys) == GOOD | {"signatures": False}
    assert "Nobody signed them" in (tmp_path / "b" / "README.md").read_text()
    assert "not signed" in verified(tmp_path / "b", keys).stderr


def test_what_was_overridden_did_not_pass(keys, version, promotion, tmp_path) -> None:
    now = promotion().created_at
    failed = (RuleVerdict(rule="gate", text="accuracy >= 0.9 @ 95%", decision="fail"),)
    override = Override(rules=("gate",), reason="An outage.", by=promotion().by, at=now, expires_at=now)
    key = private_key(str(keys / "signing.pem"))
    export(tmp_path / "a", version, promotion(verdicts=failed, override=override), key=key)
    assert found(tmp_path / "a", keys) == GOOD | {"policy": None}
    assert "the policy did not pass" in verified(tmp_path / "a", keys).stderr
    export(tmp_path / "b", version, promotion(verdicts=failed), key=key)
    assert found(tmp_path / "b", keys) == GOOD | {"policy": False}


def test_it_is_of_the_version_that_was_promoted_and_nothing_is_written_over(bundle, version, promotion) -> None:
    with pytest.raises(AttestationError, match="of another version"):
        export(bundle.parent / "b", version, promotion(to_digest="5" * 64), key=None)
    with pytest.raises(AttestationError, match="something at this place already"):
        export(bundle, version, promotion(), key=None)
    assert [path.name for path in bundle.parent.iterdir()] == ["bundle"]


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"schema": "evalkit.bundle/2"}', "[" * 100_000])
def test_what_is_no_bundle_is_said_to_be_none(tmp_path, content) -> None:
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(AttestationError) as caught:
        check(tmp_path, key=None)
    assert str(tmp_path) in str(caught.value)
