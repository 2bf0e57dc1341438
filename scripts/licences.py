"""The licences of everything that evalkit brings into an environment; leaves with 1 where one is not allowed.

    python scripts/licences.py            the list
    python scripts/licences.py --check    only what is wrong

Looked at are the dependencies of `pytest-evalkit` and of its extras, and theirs, as they are installed.
"""

from __future__ import annotations

import importlib.metadata as metadata
import re
import sys

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = "pytest-evalkit"
ALLOWED = (
    "MIT", "MIT-0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "ISC", "Apache-2.0", "Apache", "PSF-2.0",
    "Python-2.0", "CNRI-Python", "MPL-2.0", "Unlicense", "Zlib", "CC0-1.0", "MIT-CMU", "HPND",
    "Python Software Foundation", "Mozilla Public License 2.0", "Public Domain", "The Unlicense",
)  # fmt: skip
"""What may stand beside Apache-2.0 in a program that is passed on. LGPL is allowed by name only, below."""
BY_NAME = {
    "psycopg": "LGPL-3.0: used as a library, by import, and only with the extra postgres",
    "psycopg-binary": "LGPL-3.0: as psycopg",
}


def wanted(name: str, extras: frozenset[str], found: dict[str, metadata.Distribution]) -> None:
    """Add the distribution and all that it needs here to `found`; what is not installed is not needed here."""
    key = canonicalize_name(name)
    try:
        distribution = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return
    if key in found and not extras:
        return
    found[key] = distribution
    for line in distribution.requires or ():
        requirement = Requirement(line)
        if requirement.marker is None or any(requirement.marker.evaluate({"extra": e}) for e in (extras or {""})):
            wanted(requirement.name, frozenset(requirement.extras), found)


def licence(distribution: metadata.Distribution) -> str:
    """What it says of its licence: an SPDX expression where there is one, else its classifiers, else its free text."""
    said = distribution.metadata
    expression = said.get("License-Expression")
    if expression:
        return str(expression)
    classifiers = [
        line.rpartition(" :: ")[2] for line in said.get_all("Classifier", []) if line.startswith("License ::")
    ]
    known = [line for line in classifiers if line != "OSI Approved"]
    return " OR ".join(known) or (said.get("License") or "").strip().partition("\n")[0] or "unknown"


def allowed(text: str) -> bool:
    """Whether each part that has to hold is allowed, and one of those there is a choice of."""
    choices = re.split(r"\s+OR\s+", text)
    return any(all(_one(part) for part in re.split(r"\s+AND\s+", choice.strip("() "))) for choice in choices)


def _one(part: str) -> bool:
    plain = part.strip("() ").partition(" WITH ")[0]
    return any(plain == one or plain.removesuffix(" License").startswith(one) for one in ALLOWED)


def main() -> int:
    found: dict[str, metadata.Distribution] = {}
    wanted(ROOT, frozenset({"", "all", "text", "parquet", "frames", "postgres", "stats"}), found)
    found.pop(canonicalize_name(ROOT), None)
    refused = []
    for key, distribution in sorted(found.items()):
        said = licence(distribution)
        fine = allowed(said) or key in BY_NAME
        if not fine:
            refused.append(key)
        if not fine or "--check" not in sys.argv[1:]:
            note = f"  ({BY_NAME[key]})" if key in BY_NAME else ""
            print(f"{'' if fine else 'NOT ALLOWED: '}{key} {distribution.version}  {said}{note}")
    if len(found) < 15:
        print(f"Only {len(found)} packages were found: is {ROOT} installed here?", file=sys.stderr)
        return 1
    print(f"{len(found)} packages, {len(refused)} with a licence that is not allowed.")
    return int(bool(refused))


if __name__ == "__main__":
    sys.exit(main())
