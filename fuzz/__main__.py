"""`python -m fuzz [TARGET] [options of libFuzzer]`: fuzz one target, or each for a minute; needs atheris.

    pip install atheris
    python -m fuzz gates -max_total_time=600

What it finds is written beside you as `crash-…`, and is a bug.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
import tempfile
from pathlib import Path

TARGETS = sorted(file.stem for file in Path(__file__).parent.glob("[!_]*.py"))


def main(arguments: list[str]) -> int:
    try:
        import atheris
    except ImportError:
        print("Nothing was fuzzed: atheris is not installed. pip install atheris", file=sys.stderr)
        return 2
    if not arguments or arguments[0] not in TARGETS:
        if arguments and not arguments[0].startswith("-"):
            print(f"There is no target {arguments[0]}: {', '.join(TARGETS)}", file=sys.stderr)
            return 2
        options = arguments or ["-max_total_time=60"]
        codes = [
            subprocess.run([sys.executable, "-m", "fuzz", name, *options], check=False).returncode for name in TARGETS
        ]
        return max(map(abs, codes))
    name, *options = arguments
    with atheris.instrument_imports(include=["evalkit"]):
        target = importlib.import_module(f"fuzz.{name}")
    corpus = Path(tempfile.mkdtemp(prefix=f"fuzz-{name}-"))
    for number, seed in enumerate(target.SEEDS):
        (corpus / str(number)).write_bytes(seed)
    atheris.Setup([sys.argv[0], "-timeout=20", "-rss_limit_mb=4096", *options, str(corpus)], target.one)
    atheris.Fuzz()
    return 0


sys.exit(main(sys.argv[1:]))
