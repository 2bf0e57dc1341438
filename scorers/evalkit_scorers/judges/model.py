"""The model behind a judge: one that was given, or a model file of the project by its name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evalkit.errors import EvalkitError, ScorerError


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JudgeModel:
    """What a judge asks. `label` names it with the beginning of its version, `version` is the whole digest,
    `model_id` what the provider calls it.
    """

    model: Any
    label: str
    version: str
    model_id: str = ""

    async def ask(self, messages: Sequence[Mapping[str, Any]], parameters: Mapping[str, Any]) -> Any:
        """The model's reply. Raises what its client raises."""
        return await self.model.chat(list(messages), **parameters)


def judge_model(given: Any) -> JudgeModel:
    """What `given` is: a model, plain or asynchronous, or the name of a model file of the project.

    The project is that of the current folder. Raises `ScorerError` for what is no model, and for a name that no file
    has, with the nearest.
    """
    model = _read(given) if isinstance(given, str) else given
    to_async = getattr(model, "to_async", None)
    version = getattr(model, "version", None)
    if to_async is None or version is None:
        raise ScorerError(
            f"A judge asks a model, not {given!r:.60}.",
            hint='Write model="judge" for the file models/judge.yaml, or give an evalkit.Model.',
        )
    return JudgeModel(
        model=to_async(),
        label=f"{version.name} ({version.label})",
        version=version.digest,
        model_id=str(version.body.get("model", "")),
    )


def _read(name: str) -> Any:
    from evalkit.config import find_root, load_settings
    from evalkit.models.async_model import AsyncModel
    from evalkit.models.files import find, read_model_file

    root = find_root(Path.cwd())
    try:
        folder = root / load_settings(root).models
        return AsyncModel.of(read_model_file(find(name, folder)))
    except EvalkitError as error:
        what = f'The model "{name}" of a judge cannot be had: {error.what}'
        raise ScorerError(
            what,
            where=error.where,
            why=error.why,
            hint=error.hint,
        ) from None
