"""The registry: which versions of prompts and models there are, and which one is used.

`load_prompt` and `load_model` are for application code. `Selection` says what a session runs with, `sync` brings the
store up to the files, `difference` says what differs between two versions. Names are loaded when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalkit.contents import contents

if TYPE_CHECKING:
    from evalkit.registry.differing import Change, Changes, difference, readable
    from evalkit.registry.loading import load_model, load_prompt
    from evalkit.registry.project import Project
    from evalkit.registry.selection import Chosen, Selection
    from evalkit.registry.syncing import Standing, register, standing, standings, sync

_HOMES = {
    "Change": "differing",
    "Changes": "differing",
    "Chosen": "selection",
    "Project": "project",
    "Selection": "selection",
    "Standing": "syncing",
    "difference": "differing",
    "load_model": "loading",
    "load_prompt": "loading",
    "readable": "differing",
    "register": "syncing",
    "standing": "syncing",
    "standings": "syncing",
    "sync": "syncing",
}

__all__ = [
    "Change",
    "Changes",
    "Chosen",
    "Project",
    "Selection",
    "Standing",
    "difference",
    "load_model",
    "load_prompt",
    "readable",
    "register",
    "standing",
    "standings",
    "sync",
]

__getattr__, __dir__ = contents(__name__, _HOMES)
