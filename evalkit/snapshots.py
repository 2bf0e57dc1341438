"""Which snapshot of a model answered, and whether it changed while a run went on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from evalkit.plaintext import clean
from evalkit.spans import Span
from evalkit.trial import Trial

ASKED = "gen_ai.request.model"
FINGERPRINT = "openai.response.system_fingerprint"


class Snapshots:
    """What answered under each name that was asked for, over the trials of a run."""

    def __init__(self) -> None:
        self._models: dict[tuple[str, str], dict[str, int]] = {}
        self._fingerprints: dict[tuple[str, str], dict[str, int]] = {}

    def see(self, trials: Iterable[Trial]) -> None:
        """Take note of the calls in the traces of `trials`; those without a trace say nothing."""
        for trial in trials:
            for span in trial.trace.spans if trial.trace is not None else ():
                if span.kind in ("llm", "embedding") and span.status != "error":
                    self._note(span)

    def _note(self, span: Span) -> None:
        asked = span.attributes.get(ASKED)
        if not isinstance(asked, str):
            return
        place = (span.provider or str(span.attributes.get("server.address") or ""), asked)
        if span.model is not None:
            _count(self._models.setdefault(place, {}), span.model)
        fingerprint = span.attributes.get(FINGERPRINT)
        if isinstance(fingerprint, str) and fingerprint:
            _count(self._fingerprints.setdefault((place[0], span.model or asked), {}), fingerprint)

    @property
    def answered(self) -> Mapping[str, tuple[str, ...]]:
        """The snapshots that answered, by the name that was asked for, in the order they were first seen."""
        return {asked: tuple(found) for (_, asked), found in self._models.items()}

    def warnings(self) -> Iterator[str]:
        """A sentence for each model that was not the same all through the run."""
        for (_, asked), found in self._models.items():
            if len(found) > 1:
                yield f"The model {clean(asked)} was answered by several snapshots within the run: {_listed(found)}."
        for (_, model), found in self._fingerprints.items():
            if len(found) > 1:
                yield (
                    f"The system behind the model {clean(model)} changed within the run; "
                    f"its fingerprints were {_listed(found)}."
                )


def _count(found: dict[str, int], name: str) -> None:
    found[name] = found.get(name, 0) + 1


def _listed(found: Mapping[str, int]) -> str:
    shown = [f"{clean(name)} ({number:,} calls)" if number > 1 else clean(name) for name, number in found.items()]
    return ", ".join(shown[:5]) + (f" and {len(shown) - 5} more" if len(shown) > 5 else "")
