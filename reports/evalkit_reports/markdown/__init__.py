"""Summaries as Markdown, for pull requests and for the pages of CI jobs."""

from evalkit_reports.markdown.fitting import COMMENT, STEP_SUMMARY
from evalkit_reports.markdown.page import marker, render_markdown
from evalkit_reports.markdown.versus import render_comparison
from evalkit_reports.markdown.writing import GITHUB, write_markdown

__all__ = ["COMMENT", "GITHUB", "STEP_SUMMARY", "marker", "render_comparison", "render_markdown", "write_markdown"]
