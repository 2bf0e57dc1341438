"""Configurations of models as people write them, checked on their way in."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from evalkit.calling import Limits
from evalkit.errors import ConfigError, did_you_mean
from evalkit.models.keys import KeyReference, places_of_secrets, reference
from evalkit.models.spec import ATTEMPTS, OPENAI, TIMEOUT, Spec
from evalkit.pricelist import price_of
from evalkit.prices import rates_of

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

KEYS = (
    "provider", "base_url", "model", "parameters", "response_format", "api_key", "limits", "timeout",
    "attempt_timeout", "attempts", "price",
)  # fmt: skip
"""What a model file may say."""

_OURS = frozenset({"api_key", "extra_body", "extra_headers", "extra_query", "input", "messages", "model", "stream"})


class Where(Protocol):
    """Says where a value stands, such as `models/solver.yaml:4`; `None` where there is no file."""

    def __call__(self, *path: str | int) -> str | None:
        """The place of the value at `path`."""
        ...


def _nowhere(*_: str | int) -> None:
    return None


def spec_of(name: str, given: Mapping[str, Any], *, where: Where = _nowhere, source: str | None = None) -> Spec:
    """The configuration that `given` says. Raises `ConfigError` for what it cannot mean, with the place of it."""
    for path in places_of_secrets({key: value for key, value in given.items() if key != "api_key"}):
        raise ConfigError(
            f"`{_dotted(path)}` looks like a key.",
            where=where(*path),
            why="A key in a file ends up in git, in stores and in reports.",
            hint="Write api_key: {env: NAME} or api_key: {file: PATH}, and give the key there.",
        )
    key = None if given.get("api_key") is None else reference(given["api_key"], where=where("api_key"))
    written = _written()
    from pydantic import ValidationError

    try:
        read: Any = written.model_validate({name: value for name, value in given.items() if name != "api_key"})
    except ValidationError as error:
        raise _said(error, where) from None
    for parameter in read.parameters:
        if parameter in _OURS:
            raise ConfigError(
                f"`{parameter}` is no parameter of a model; it is said elsewhere.", where=where("parameters", parameter)
            )
    base_url, provider = _place(read.base_url, read.provider, where)
    if key is None and base_url == OPENAI:
        key = KeyReference(env="OPENAI_API_KEY")
    price = None if read.price is None else price_of(read.price, model=name, where=where("price") or name)
    return Spec(
        name=name,
        model=name if read.model is None else read.model,
        base_url=base_url,
        provider=provider,
        parameters=read.parameters,
        response_format=read.response_format,
        api_key=key,
        limits=None if read.limits is None else Limits(**read.limits.model_dump()),
        timeout=read.timeout,
        attempt_timeout=read.attempt_timeout,
        attempts=read.attempts,
        rates=None if price is None else rates_of(price),
        source=source,
    )


def _place(
    base_url: str | dict[str, str] | None, provider: str | None, where: Where
) -> tuple[str | dict[str, str], str | None]:
    if base_url is None:
        if provider not in (None, "openai"):
            raise ConfigError(
                f'The provider "{provider}" needs a `base_url`.',
                where=where("provider"),
                hint="It is what its page on OpenAI-compatible access says, such as https://host/v1.",
            )
        return OPENAI, "openai"
    if isinstance(base_url, dict):
        if set(base_url) != {"env"}:
            raise ConfigError("`base_url` is a URL, or {env: NAME}.", where=where("base_url"))
        return base_url, provider
    try:
        parts = urlsplit(base_url)
    except ValueError:  # a bracket too many, or a host that is no text after all
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(
            f"`base_url` is {base_url!r:.80}, which is no URL.",
            where=where("base_url"),
            hint="It begins with https:// (or http://, on your own machine) and mostly ends in /v1.",
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigError(
            "`base_url` has a user, a query or a fragment.",
            where=where("base_url"),
            why="Credentials in a URL end up in logs, and the paths of the calls are put behind it.",
        )
    url = base_url.rstrip("/")
    return url, "openai" if provider is None and url == OPENAI else provider


@cache
def _written() -> type[BaseModel]:
    # Made when it is first needed: pydantic takes a tenth of a second to import, and most sessions have no model.
    from typing import Annotated

    from pydantic import BaseModel, ConfigDict, Field, JsonValue

    text = Annotated[str, Field(min_length=1)]
    count = Annotated[int, Field(ge=1)]
    seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]

    class WrittenLimits(BaseModel):
        model_config = ConfigDict(extra="forbid", strict=True)

        concurrency: count | None = None
        rpm: count | None = None
        tpm: count | None = None

    class Written(BaseModel):
        model_config = ConfigDict(extra="forbid", strict=True)

        provider: text | None = None
        base_url: text | dict[str, text] | None = None
        model: text | None = None
        parameters: dict[str, JsonValue] = Field(default_factory=dict)
        response_format: dict[str, JsonValue] | None = None
        limits: WrittenLimits | None = None
        timeout: seconds = TIMEOUT
        attempt_timeout: seconds | None = None
        attempts: Annotated[int, Field(ge=1, le=20)] = ATTEMPTS
        price: dict[str, Any] | None = None

    return Written


def _said(error: ValidationError, where: Where) -> ConfigError:
    """The first of pydantic's complaints in evalkit's words."""
    first = error.errors(include_url=False)[0]
    path = tuple(step for step in first["loc"] if isinstance(step, int) or step.isidentifier())
    if first["type"] == "extra_forbidden":
        *outer, key = first["loc"]
        within, known = ("`limits` has", ("concurrency", "rpm", "tpm")) if outer else ("A model has", KEYS)
        return ConfigError(
            f'{within} no key "{key}".' + did_you_mean(str(key), known),
            where=where(*first["loc"]),
            hint="It may have " + ", ".join(known) + ".",
        )
    return ConfigError(
        f"`{_dotted(path[:2])}` is {first['input']!r:.60}: {first['msg'][:1].lower()}{first['msg'][1:]}.",
        where=where(*path),
    )


def _dotted(path: tuple[str | int, ...]) -> str:
    return ".".join(str(step) for step in path)
