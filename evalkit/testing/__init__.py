"""A provider on your own machine: an OpenAI-compatible server that says what a script or a recording tells it to.

For the tests of code that calls models, and of evals themselves, without a key and without a network.
"""

from evalkit.testing.answers import (
    Answer,
    Fault,
    ToolCall,
    error_in_200,
    failing,
    garbage,
    hanging,
    rate_limited,
    reset,
    truncated,
)
from evalkit.testing.recordings import Recording, Recordings, read_recordings
from evalkit.testing.script import Call, Faults, Reply, Script
from evalkit.testing.server import Server, serve

__all__ = [
    "Answer",
    "Call",
    "Fault",
    "Faults",
    "Recording",
    "Recordings",
    "Reply",
    "Script",
    "Server",
    "ToolCall",
    "error_in_200",
    "failing",
    "garbage",
    "hanging",
    "rate_limited",
    "read_recordings",
    "reset",
    "serve",
    "truncated",
]
