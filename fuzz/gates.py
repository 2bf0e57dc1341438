"""Lines that are gates, or nearly."""

from __future__ import annotations

from evalkit.errors import EvalkitError
from evalkit.gates import parse

SEEDS = (
    b"accuracy >= 0.9 @ 95%",
    b"accuracy[lang=de].mcc not worse than baseline by 2% @ 95% for lang=de",
    b"no regression vs baseline",
    b"p95(latency) <= 3s",
    b"pass^3 >= 99999999999999999999999999e99 @ 0.0000001%",
    b"judge(accuracy).kappa >= 0.4",
    b"errors <= 5%",
    "accuracy ≥ ½ @ ٩٥%".encode(),
)


def one(data: bytes) -> None:
    """What is a gate says itself in a way that is the same gate."""
    try:
        gate = parse(data.decode("utf-8", "surrogateescape"))
    except EvalkitError as error:
        str(error)
        return
    assert parse(str(gate)) == gate, f"{gate} says {parse(str(gate))}"
