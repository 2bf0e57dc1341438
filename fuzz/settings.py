"""The settings and the policies in a project's pyproject.toml."""

from __future__ import annotations

from evalkit.config import load_settings
from evalkit.promoting.policies import Policies
from fuzz._files import read_as

SEEDS = (
    b'[tool.evalkit]\ngates = ["accuracy >= 0.9"]\nconcurrency = 4\ntimeout = "3s"\nstore = "sqlite:///x.db"\n',
    b'[tool.evalkit.gates]\nmail = ["p95(latency) <= 3s"]\n[tool.evalkit.prices.m]\ninput = "0.1"\noutput = 1e400\n',
    b'[tool.evalkit.policies.production]\ngates = ["no regression vs baseline"]\napprovals = 2\nmax_age = "7d"\n'
    b'min_cases = 100\nwindow = "Mon-Thu 09:00-16:00 Europe/Berlin"\n',
    b'[tool.evalkit.webhooks.chat]\nurl = "https://example.com/x"\nsecret = "HOOK"\n'
    b'[tool.evalkit.signing]\nkey = "k.pem"\n',
    b'[tool.evalkit]\npolicies = "policies.yaml"\n',
    b"[tool.evalkit]\nstore = " + b"[" * 3000,
)


def one(data: bytes) -> None:
    """The bytes are the file; what can be read of it as settings is read as policies, too."""
    read_as("pyproject.toml", data, lambda path: Policies.of(load_settings(path.parent, environ={})))
