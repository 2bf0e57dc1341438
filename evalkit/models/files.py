"""Model files: `models/NAME.yaml`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from evalkit.errors import ConfigError, DatasetError, NotFound, did_you_mean
from evalkit.models.border import KEYS, spec_of

if TYPE_CHECKING:
    from evalkit.models.spec import Spec

SUFFIXES = (".yaml", ".yml")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_LARGEST = 1024 * 1024


def read_model_file(path: Path, *, shown: str | None = None) -> Spec:
    """The configuration in a model file; its name is the file's.

    `shown` is what errors call the file, by default its path. Raises `ConfigError` with file and line for an unknown
    key, a value that cannot be meant, or what looks like a key.
    """
    from evalkit.loaders.plain_yaml import Reader
    from evalkit.loaders.text import read_text

    said = shown or str(path)
    name = path.name.removesuffix(path.suffix)
    if not NAME.fullmatch(name):
        raise ConfigError(f'"{name}" is no name of a model.', where=said, hint="It is letters, digits, - _ and dots.")
    reader = Reader(shown=said, kind="a model", error=ConfigError)
    try:
        text = read_text(path, shown=said, cap=_LARGEST)
    except OSError as error:
        raise ConfigError(f"The file cannot be read: {error.strerror}.", where=said) from None
    except DatasetError as error:
        raise ConfigError(error.what, where=error.where) from None
    document = reader.read(text)
    if not isinstance(document.value, dict):
        raise ConfigError(
            "A model file is a mapping.", where=said, hint="It may have " + ", ".join(KEYS) + ", and needs `model`."
        )
    return spec_of(name, document.value, where=document.where, source=said)


def model_files(folder: Path) -> dict[str, Path]:
    """The model files of a folder by name, in order of name; none where there is no such folder.

    Raises `ConfigError` for two files of one name.
    """
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.suffix not in SUFFIXES or not path.is_file():
            continue
        name = path.name.removesuffix(path.suffix)
        if name in found:
            raise ConfigError(
                f'Two files are the model "{name}": {found[name].name} and {path.name}.', where=str(folder)
            )
        found[name] = path
    return found


def find(name: str, folder: Path) -> Path:
    """The file of the model `name`. Raises `NotFound` with the nearest names."""
    if not NAME.fullmatch(name):
        raise NotFound(f'"{name}" is no name of a model.', hint="It is letters, digits, - _ and dots.")
    files = model_files(folder)
    if name not in files:
        known = f"There are: {', '.join(files)}." if files else "There is none yet."
        raise NotFound(
            f'There is no model "{name}" in {folder}.' + did_you_mean(name, files),
            hint=f"{known} Write {folder.name}/{name}.yaml with at least: model: ID",
        )
    return files[name]
