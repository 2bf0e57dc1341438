"""Checks the attestation of a bundle with the standard library and `cryptography` alone: no code of evalkit's.

    python verifier.py FOLDER PUBLIC_KEY

Leaves with 0 where the content is what the signed statements speak of and its policy passed, and with 1 otherwise.
"""

import base64
import hashlib
import json
import pathlib
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_public_key

SUMMARY = "https://slsa.dev/verification_summary/v1"
PROMOTION = "https://pypi.org/project/pytest-evalkit/promotion/v1"


def opened(envelope, key):
    """The statement in a DSSE envelope that the key has signed."""
    kind, payload = envelope["payloadType"].encode(), base64.b64decode(envelope["payload"])
    message = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    for signature in envelope["signatures"]:
        try:
            key.verify(base64.b64decode(signature["sig"]), message)
        except InvalidSignature:
            continue
        statement = json.loads(payload)
        if statement["_type"] == "https://in-toto.io/Statement/v1":
            return statement
    raise SystemExit("not signed by this key")


def main(folder, public_key):
    key = load_pem_public_key(pathlib.Path(public_key).read_bytes())
    digest = hashlib.sha256(pathlib.Path(folder, "version.json").read_bytes()).hexdigest()
    lines = pathlib.Path(folder, "attestation.intoto.jsonl").read_text().splitlines()
    said = {}
    for statement in (opened(json.loads(line), key) for line in lines):
        if any(subject["digest"] != {"sha256": digest} for subject in statement["subject"]):
            raise SystemExit("the statement is about another content")
        said[statement["predicateType"]] = statement["predicate"]
    if said[SUMMARY]["verificationResult"] != "PASSED":
        raise SystemExit("the policy did not pass")
    promotion = said[PROMOTION]
    if hashlib.sha256(promotion["policy"]["text"].encode()).hexdigest() != said[SUMMARY]["policy"]["digest"]["sha256"]:
        raise SystemExit("the policy is another one")
    voters = [one["by"]["name"] for one in promotion["approvals"] if one["approves"] and not one["dismissed"]]
    print(
        f"{promotion['kind']}/{promotion['name']} -> {promotion['alias']}, approved by {', '.join(voters) or 'nobody'}"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
