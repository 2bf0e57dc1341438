"""Bundles: a promoted prompt or model as a folder that needs no evalkit to be read, with what proves it.

version.json              the version, as canonical JSON: its SHA-256 is the version's digest
prompt.txt                the text, where the version is a prompt of one text
attestation.intoto.jsonl  two DSSE envelopes: SLSA's verification summary, and the promotion itself
manifest.json             what this is, and the SHA-256 of the other files
README.md                 how to read and check it
"""

from evalkit.bundle.checking import Finding, check
from evalkit.bundle.folder import Manifest, export
from evalkit.bundle.statements import PROMOTION, SUMMARY, statements

__all__ = ["PROMOTION", "SUMMARY", "Finding", "Manifest", "check", "export", "statements"]
