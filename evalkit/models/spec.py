"""What a model is: who is asked, for which model, with which parameters."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from evalkit.calling import Limits, Rates
from evalkit.canonical import digest
from evalkit.errors import ConfigError
from evalkit.models.keys import KeyReference
from evalkit.versions import Version

OPENAI = "https://api.openai.com/v1"
TIMEOUT = 600.0
ATTEMPTS = 5
_NONE: Mapping[str, Any] = MappingProxyType({})


def _nothing() -> Mapping[str, Any]:
    return _NONE


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """A named configuration of a model, checked.

    What is answered depends on `provider`, `base_url`, `model`, `parameters` and `response_format`: they are the
    version. The rest says how it is asked, which makes no other model: the key, the limits, the time that a call may
    take (`timeout`, seconds, all attempts together; `attempt_timeout`, one of them), how often it is tried, the price.

    `base_url` is a URL, or `{"env": NAME}` for one that is elsewhere on every machine. `provider` is `None` where it
    is not known. `source` is the file it was read from.
    """

    name: str
    model: str
    base_url: str | Mapping[str, str] = OPENAI
    provider: str | None = None
    parameters: Mapping[str, Any] = dataclasses.field(default_factory=_nothing)
    response_format: Mapping[str, Any] | None = None
    api_key: KeyReference | None = None
    limits: Limits | None = None
    timeout: float = TIMEOUT
    attempt_timeout: float | None = None
    attempts: int = ATTEMPTS
    rates: Rates | None = None
    source: str | None = None

    @property
    def body(self) -> dict[str, Any]:
        """What makes the version: the same content is the same version, whatever the name."""
        said = {
            "provider": self.provider,
            "base_url": self.base_url if isinstance(self.base_url, str) else dict(self.base_url),
            "model": self.model,
            "parameters": dict(self.parameters),
            "response_format": None if self.response_format is None else dict(self.response_format),
        }
        return {key: value for key, value in said.items() if value not in (None, {})}

    @property
    def version(self) -> Version:
        """The version that this configuration is."""
        body = self.body
        return Version(kind="model", name=self.name, digest=digest(body), body=body, source=self.source)

    @property
    def url(self) -> str:
        """The base URL. Raises `ConfigError` where it is to come from an environment variable that is not set."""
        if isinstance(self.base_url, str):
            return self.base_url
        variable = self.base_url["env"]
        found = os.environ.get(variable, "").strip()
        if not found:
            raise ConfigError(
                f"The model {self.name} has its base URL in the environment variable {variable}, which is not set.",
                where=self.source,
                hint=f"Set it, for example: export {variable}=http://127.0.0.1:8000/v1",
            )
        return found.rstrip("/")

    @property
    def each(self) -> float:
        """Seconds that one attempt may take: half of the whole, so that one that hangs can be tried again."""
        return self.timeout / 2 if self.attempt_timeout is None else min(self.attempt_timeout, self.timeout)

    @property
    def shown(self) -> str:
        """Who is asked, for messages: `gpt-4o-mini at api.openai.com`."""
        host = self.base_url if isinstance(self.base_url, str) else f"${self.base_url['env']}"
        return f"{self.model} at {host.partition('://')[2].partition('/')[0] or host}"
