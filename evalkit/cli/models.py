"""`evalkit models`; see `subjects`."""

from evalkit.cli.subjects import group

command = group("model")
