"""The command line, `evalkit`. Nothing but click is imported until a command runs."""

from __future__ import annotations

from evalkit.cli.app import main

__all__ = ["main"]
