"""Model files, as `evalkit sync` reads them from anybody's branch."""

from __future__ import annotations

from evalkit.models.files import read_model_file
from fuzz._files import read_as

SEEDS = (
    b"model: gpt-5-mini\nprovider: openai\nsettings:\n  temperature: 0.2\n  max_tokens: 300\n",
    b"model: &x m\nfallback: *x\n",
    b"model: m\nbase_url: https://example.com/v1\nkey: OPENAI_API_KEY\ntimeout: 30\nretries: 2\n",
    b"model: m\nsettings: {seed: 1e400, stop: [a, 2001-99-99], top_p: .nan}\n",
    b"- model\n",
    b"[" * 300,
)


def one(data: bytes) -> None:
    """The bytes are the file."""
    read_as("m.yaml", data, read_model_file)
