"""The global provider, where an application has none: a stand-in that gives way as soon as it sets one.

This needs OpenTelemetry's interface alone, and so can be put in place while the SDK is still being imported.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from opentelemetry import trace as api


class StandIn(api.TracerProvider):
    """The global provider while an application has set none; as soon as it sets one, that one is used instead.

    A tracer that a library fetched early, before the application's provider was there, follows to it.
    """

    def __init__(self) -> None:
        self.successor: api.TracerProvider | None = None
        self.is_on = True

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Any = None,
    ) -> api.Tracer:
        """A tracer that asks each time whose spans it makes."""
        return _Follower(self, (instrumenting_module_name, instrumenting_library_version, schema_url, attributes))


class _Follower(api.Tracer):
    def __init__(self, stand_in: StandIn, scope: tuple[Any, ...]) -> None:
        self._stand_in = stand_in
        self._scope = scope
        self._ours: api.Tracer | None = None
        self._theirs: api.Tracer | None = None

    @property
    def _tracer(self) -> api.Tracer:
        successor = self._stand_in.successor
        if successor is not None:
            if self._theirs is None:
                self._theirs = successor.get_tracer(*self._scope)
            return self._theirs
        if not self._stand_in.is_on:
            return api.NoOpTracer()
        if self._ours is None:
            from evalkit.tracing.provider import tracer_of

            self._ours = tracer_of(self._scope)
        return self._ours

    def start_span(self, *args: Any, **kwargs: Any) -> api.Span:
        return self._tracer.start_span(*args, **kwargs)

    def start_as_current_span(self, *args: Any, **kwargs: Any) -> Any:
        return self._tracer.start_as_current_span(*args, **kwargs)


def install() -> Callable[[], None]:
    """See the spans of others too, and return how to stop it.

    Where the application has a provider of the SDK, our processor joins it; where it has none, a stand-in is global
    until it sets one; a provider of another make is left alone.
    """
    stand_in = StandIn()
    _look(stand_in)
    original = getattr(api, "_set_tracer_provider", None)

    def set_provider(given: api.TracerProvider, *args: Any, **kwargs: Any) -> None:
        assert original is not None, "put in its place only where there is one"
        original(given, *args, **kwargs)
        _look(stand_in)

    if original is not None:  # private; without it, a provider that is set within a trial is seen from the next on
        setattr(api, "_set_tracer_provider", set_provider)  # noqa: B010 - private, and so unknown to type checkers

    def undo() -> None:
        stand_in.is_on = False
        if original is not None and api._set_tracer_provider is set_provider:
            setattr(api, "_set_tracer_provider", original)  # noqa: B010 - as above
        if api._TRACER_PROVIDER is stand_in:
            api._TRACER_PROVIDER = None

    return undo


def _look(stand_in: StandIn) -> None:
    present = getattr(api, "_TRACER_PROVIDER", None)
    if present is None:
        # Past set_tracer_provider(), which works once in a process: that once is the application's.
        api._TRACER_PROVIDER = stand_in
        return
    if present is stand_in or isinstance(present, StandIn):
        return
    stand_in.successor = present
    if "opentelemetry.sdk.trace" in sys.modules:  # else it cannot be the SDK's
        from evalkit.tracing.provider import join

        join(present)
