"""`python -m benchmarks.scale`: fill a store, ask it everything, run a session of 100,000 cases; figures to `scale.json`.

With `--url` and `--file` a server's database and a file are used, and kept, instead of what is made and removed here. Where
they are filled already, they are only asked again. `--quick` is a hundredth.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import datetime as dt
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.environments import state_of_checkout
from benchmarks.machine import describe
from benchmarks.scale.asking import ask
from benchmarks.scale.data import Plan
from benchmarks.scale.loading import load
from benchmarks.scale.page import FILE, section
from benchmarks.scale.server import server
from benchmarks.scale.session import session
from evalkit.errors import NotFound
from evalkit.store import open_store

QUICK = Plan(runs=5, answers=300, agents=200, spans=10, session_cases=2000)


@contextlib.contextmanager
def place(kind: str, url: str | None) -> Iterator[str]:
    """A store of that kind."""
    if kind == "sqlite" and url is not None:
        yield url
    elif kind == "sqlite":
        with tempfile.TemporaryDirectory(prefix="evalkit-scale-") as folder:
            yield str(Path(folder) / "evalkit.db")
    elif url is not None:
        yield url
    else:
        with server() as address:
            yield address


def measure(kind: str, plan: Plan, url: str | None, known: dict[str, Any]) -> dict[str, Any]:
    """Everything on one kind of store; what filling took is taken from `known` where it is filled."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EVALKIT_")}
    before = os.getloadavg()[0]
    with place(kind, url) as address:
        say(f"{kind}: {plan.scores:,} scores and {plan.all_spans:,} spans")
        filled = "load" in known and is_filled(address)
        loaded = known["load"] if filled else dataclasses.asdict(load(address, plan, say))
        say(f"{kind}: {loaded['seconds']:.0f} s, {loaded['size'] / 1e6:.0f} MB; asking")
        answers = ask(address, environment)
        say(f"{kind}: a session of {plan.session_cases:,} cases")
        long = known["session"] if filled else dataclasses.asdict(session(address, plan.session_cases))
    return {
        "load": loaded,
        "answers": [dataclasses.asdict(answer) for answer in answers],
        "session": long,
        "load_average": [before, os.getloadavg()[0]],
    }


def described(stores: dict[str, Any], plan: Plan) -> dict[str, Any]:
    """The figures with what they were measured on."""
    return {
        "measured": f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC",
        "commit": state_of_checkout(),
        "machine": describe(),
        "plan": dataclasses.asdict(plan),
        "stores": stores,
    }


def keep(stores: dict[str, Any], plan: Plan) -> None:
    """Write them down."""
    FILE.write_text(json.dumps(described(stores, plan), indent=2) + "\n", encoding="utf-8")


def is_filled(address: str) -> bool:
    """Whether there is a store with runs in it."""
    try:
        with open_store(address, create=False) as store:
            return bool(store.runs(limit=1))
    except NotFound:
        return False


def say(line: str) -> None:
    print(f"{dt.datetime.now(dt.UTC):%H:%M:%S}  {line}", file=sys.stderr, flush=True)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a hundredth of it; writes nothing")
    parser.add_argument("--only", choices=["sqlite", "postgresql"], help="one kind of store; the other's figures stay")
    parser.add_argument("--url", help="a database on a server, instead of one that is started here")
    parser.add_argument("--file", help="a file, instead of one that is removed at the end")
    options = parser.parse_args(argv)
    plan = QUICK if options.quick else Plan()
    found: dict[str, Any] = json.loads(FILE.read_text("utf-8")) if FILE.exists() and not options.quick else {}
    stores = dict(found.get("stores", {}))
    for kind in ("sqlite", "postgresql"):
        if options.only in (None, kind):
            where = options.file if kind == "sqlite" else options.url
            stores[kind] = measure(kind, plan, where, stores.get(kind, {}))
            if not options.quick:
                keep(stores, plan)
    print(section(described(stores, plan)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
