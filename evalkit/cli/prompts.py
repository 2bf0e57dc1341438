"""`evalkit prompts`; see `subjects`."""

from evalkit.cli.subjects import group

command = group("prompt")
