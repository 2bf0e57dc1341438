"""`python -m fuzz [TARGET …] [options of libFuzzer]`: fuzz some targets, or all of them, each for a minute.

    make fuzz                                          installs what it needs, and runs all of them
    python -m fuzz gates prompts -max_total_time=600

What the code under test does with an input steers what is tried next. One input may take 20 seconds and 2 GB. What is
worth keeping of a run is in `.fuzz/TARGET/`, where the next run goes on from. What is found is a bug: its input is
`.fuzz/TARGET-crash-…`, and `python -m fuzz TARGET FILE` shows it again.
"""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import time
from pathlib import Path

from fuzz._json import changed

TARGETS = sorted(file.stem for file in Path(__file__).parent.glob("[!_]*.py"))
WORK = Path(".fuzz")
INSTRUMENTED = ["evalkit", "evalkit_scorers", "yaml", "tomllib"]
_OURS = "--one"


def main(arguments: list[str]) -> int:
    if arguments[:1] == [_OURS]:
        return fuzz(arguments[1], arguments[2:])
    try:
        import atheris  # noqa: F401 - each target is fuzzed in a process of its own, which needs it
    except ImportError:
        print("Nothing was fuzzed: atheris is not installed. See `make fuzz`.", file=sys.stderr)
        return 2
    options = [one for one in arguments if one not in TARGETS and (one.startswith("-") or Path(one).is_file())]
    names = [argument for argument in arguments if argument not in options]
    unknown = [name for name in names if name not in TARGETS]
    if unknown:
        print(f"There is no target {unknown[0]}: {', '.join(TARGETS)}", file=sys.stderr)
        return 2
    if not any(option.startswith(("-max_total_time", "-runs")) or not option.startswith("-") for option in options):
        options.append("-max_total_time=60")
    WORK.mkdir(exist_ok=True)
    return max([watched(name, options) for name in names or TARGETS])


def watched(name: str, options: list[str]) -> int:
    """Fuzz one target in a process of its own, its output in a file, and say in a line what came of it."""
    log = WORK / f"{name}.log"
    start = time.monotonic()
    with log.open("wb") as output:
        command = [sys.executable, "-m", "fuzz", _OURS, name, *options]
        code = subprocess.run(command, check=False, stdout=output, stderr=subprocess.STDOUT).returncode
    said = log.read_text(encoding="utf-8", errors="replace")
    runs = re.findall(r"^(?:stat::number_of_executed_units: |Done )(\d+)", said, re.MULTILINE)
    cover = re.findall(r"\bcov: (\d+)", said)
    told = f"{int(runs[-1]) if runs else 0:,} inputs in {time.monotonic() - start:.0f} s"
    reached = f"{cover[-1] if cover else 0} places reached"
    print(f"{name}: {told}, {reached}, " + ("nothing found" if code == 0 else f"FOUND something: {log}"), flush=True)
    return 0 if code == 0 else 1


def mutated(data: bytes, most: int, seed: int) -> bytes:
    """Every other time a change to the JSON in it, where there is some."""
    import atheris

    made = changed(data, seed) if seed % 2 else None
    return bytes(atheris.Mutate(data, most)) if made is None or len(made) > most else made


def dictionary(seeds: tuple[bytes, ...]) -> list[str]:
    """Words to put in: those of the seeds, and what each of these languages has for values."""
    found = {word.decode("ascii") for seed in seeds for word in re.findall(rb"[A-Za-z][\w.@/-]{1,30}", seed)}
    values = [
        "null",
        "true",
        "[]",
        "{}",
        "NaN",
        "1e999",
        "-1",
        '\\"\\"',
        '\\":',
        "\\x00",
        "\\xff",
        '\\"\\\\ud800\\"',
        "9" * 40,
    ]
    return sorted(found) + values


def fuzz(name: str, options: list[str]) -> int:
    import atheris

    corpus = WORK / name
    corpus.mkdir(parents=True, exist_ok=True)
    # Much is imported only when it is needed, so the hook stays in place until the end.
    with atheris.instrument_imports(include=INSTRUMENTED):
        target = importlib.import_module(f"fuzz.{name}")
        for number, seed in enumerate(target.SEEDS):
            (corpus / f"seed-{number}").write_bytes(seed)
            target.one(seed)
        words = WORK / f"{name}.dict"
        words.write_text("".join(f'"{word}"\n' for word in dictionary(target.SEEDS)), encoding="ascii")
        limits = [
            f"-dict={words}",
            "-timeout=20",
            "-rss_limit_mb=2048",
            "-print_final_stats=1",
            f"-artifact_prefix={WORK}/{name}-",
        ]
        given = [] if any(not option.startswith("-") for option in options) else [str(corpus)]
        atheris.Setup([sys.argv[0], *limits, *options, *given], target.one, custom_mutator=mutated)
        atheris.Fuzz()
    return 0


sys.exit(main(sys.argv[1:]))
