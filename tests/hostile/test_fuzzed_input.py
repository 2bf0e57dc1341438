"""The targets of `fuzz/`, with few inputs: whatever the bytes are, nothing comes but evalkit's own errors."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

FOLDER = Path(__file__).resolve().parents[2] / "fuzz"
TARGETS = sorted(file.stem for file in FOLDER.glob("[!_]*.py"))


def target(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"fuzz_target_{name}", FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def mutated(seeds: tuple[bytes, ...]) -> st.SearchStrategy[bytes]:
    """A seed with pieces cut out, doubled, or put in from anywhere."""
    seed = st.sampled_from(seeds)

    @st.composite
    def change(draw: st.DrawFn) -> bytes:
        data = draw(seed)
        for _ in range(draw(st.integers(0, 4))):
            at, length = draw(st.integers(0, len(data))), draw(st.integers(0, 20))
            put = draw(
                st.one_of(st.binary(max_size=8), st.just(data[at : at + length] * 2), seed.map(lambda s: s[:40]))
            )
            data = data[:at] + put + data[at + length :]
        return data

    return change()


def test_there_is_a_target_for_each_thing_that_comes_from_outside() -> None:
    assert set(TARGETS) >= {"datasets", "gates", "prompts", "spools", "shards", "bundles"}
    assert set(TARGETS) >= {"auditlogs", "cassettes", "labels", "models", "rubrics", "settings", "verdicts"}


@pytest.mark.parametrize("name", TARGETS)
def test_the_seeds(name: str) -> None:
    module = target(name)
    module.one(b"")
    for seed in module.SEEDS:
        module.one(seed)


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_what_is_nearly_right_and_what_is_nothing(name: str) -> None:
    module = target(name)

    @settings(max_examples=150, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(st.one_of(mutated(module.SEEDS), st.binary(max_size=200), st.text(max_size=80).map(str.encode)))
    @example(b"\x00" * 100)
    def any_bytes(data: bytes) -> None:
        module.one(data)

    any_bytes()
