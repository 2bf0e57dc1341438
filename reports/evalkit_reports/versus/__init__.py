"""The comparison of two or more runs as one self-contained page: `write_versus(base, candidates, path)`."""

from __future__ import annotations

from evalkit_reports.versus.page import render_versus, write_versus

__all__ = ["render_versus", "write_versus"]
