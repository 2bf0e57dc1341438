"""Model files, as `evalkit sync` reads them from anybody's branch."""

from __future__ import annotations

import tempfile
from pathlib import Path

from evalkit.errors import EvalkitError
from evalkit.models.files import read_model_file

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
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "m.yaml")
        path.write_bytes(data)
        try:
            read_model_file(path)
        except EvalkitError as error:
            str(error)
