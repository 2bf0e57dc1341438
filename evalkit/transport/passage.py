"""The passage of one request through a session: what is noted of it on the way, and what it leaves behind."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Any

from evalkit.calling import calling
from evalkit.canonical import utc_now
from evalkit.exchange import Exchange
from evalkit.limits import Key, Slot
from evalkit.tracing import (
    CallInfo,
    CallResult,
    Scope,
    describe_http,
    describe_request,
    describe_response,
    names,
    start_call,
)
from evalkit.tracing.genai import provider_of
from evalkit.transport import answer
from evalkit.transport.asked import asked, is_local
from evalkit.transport.cache import Turn
from evalkit.transport.origin import origin
from evalkit.transport.streams import WatchedAsync, WatchedSync, of_module
from evalkit.usage import Usage

if TYPE_CHECKING:
    from evalkit.transport.handlers import Traffic

_BYTES_A_TOKEN = 4
_NOTICED_WAIT = 0.001


class Passage:
    """One request: its span, its place in the cache, its slot of the limiter.

    `body` is `None` where it was too large to look at. Used by one thread or task at a time.
    """

    def __init__(self, traffic: Traffic, scope: Scope, module: ModuleType, request: Any, body: bytes | None) -> None:
        self._traffic = traffic
        self._scope = scope
        self._module = module
        self._request = request
        self._body = body
        self._calling = calling()
        self._info = _described(request, body)
        self._span = start_call(self._info)
        if self._calling is not None:
            for name, value in self._calling.attributes.items():
                self._span.set(name, value)
        self._turn = self._take_turn()
        self._slot: Slot | None = None
        self._at = utc_now()
        self._began = time.perf_counter()

    def recorded(self) -> Any:
        """The response from the record; `None` where the request is to be sent.

        Where only recorded answers may be used and there is none, the response says so, and the trial takes note.
        """
        cache, turn = self._traffic.cache, self._turn
        if cache is None or turn is None:
            return None
        exchange = cache.find(turn)
        if exchange is not None:
            return self._from_record(exchange)
        if cache.mode != "replay":
            return None
        cache.give_back(turn, self._scope)
        message = str(cache.miss(turn, self._scope))
        self._scope.miss(message)
        # Refused, and not broken off: nothing was asked of anybody, so nothing was used.
        refusal = CallResult(status=answer.MISS_STATUS, error=message)
        self._span.finish(refusal, attributes={names.ANSWERED_FROM: "miss"})
        return answer.refused(self._module, message)

    def _from_record(self, exchange: Exchange) -> Any:
        result = describe_response(self._info, status=exchange.status, body=answer.content(exchange))
        usage = self._priced(result)
        if usage is not None:
            usage = dataclasses.replace(usage, saved=usage.cost)
        self._span.finish(result, usage=usage, attributes={names.ANSWERED_FROM: "hit"})
        return answer.given(self._module, exchange)

    @contextlib.contextmanager
    def waiting(self) -> Iterator[Slot | None]:
        """Around the wait for the limiter's turn, in which the call's clock stands; `None` for what is not limited."""
        if not self._info.is_model:
            yield None
            return
        call, url = self._calling, self._request.url
        tokens = len(self._body or b"") // _BYTES_A_TOKEN
        key = Key(url.netloc.decode("ascii", "replace"), self._info.model or "")
        self._slot = self._traffic.limiter.acquire(key, tokens=tokens, limits=None if call is None else call.limits)
        clock = None if call is None else call.clock
        if clock is not None:
            clock.pause()
        try:
            yield self._slot
        finally:
            if clock is not None:
                clock.resume()
        if self._slot.waited > _NOTICED_WAIT:
            self._span.event("limited", seconds=self._slot.waited)
        self._at, self._began = utc_now(), time.perf_counter()

    def watched(self, response: Any) -> Any:
        """The response, which from now on tells us what is read of it."""
        status: int = response.status_code
        if self._slot is not None:
            self._slot.seen(status=status, retry_after=_seconds(response.headers.get("retry-after")))
        headers = response.headers
        stream = answer.is_stream(headers.get("content-type", ""))

        def ended(raw: bytes, whole: bool, error: BaseException | None) -> None:
            try:
                if error is not None:
                    self.failed(error)
                else:
                    self._answered(status, headers, raw, whole=whole)
            except Exception as problem:  # a fault of our own in noting an answer must not cost anyone the answer
                self._let_go()
                self._scope.warn(f"A call could not be noted: {type(problem).__name__}: {problem}")

        kind = WatchedAsync if isinstance(response.stream, self._module.AsyncByteStream) else WatchedSync
        response.stream = of_module(self._module, kind)(
            response.stream, ended, first=self._span.first_chunk if stream else None, dropped=self._let_go
        )
        return response

    def failed(self, error: BaseException) -> None:
        """No answer came, or it broke off."""
        self._let_go()
        self._span.fail(origin(error))

    def _let_go(self) -> None:
        if self._slot is not None:
            self._slot.release()
        if self._traffic.cache is not None and self._turn is not None:
            self._traffic.cache.give_back(self._turn, self._scope)

    def _answered(self, status: int, headers: Any, raw: bytes, *, whole: bool) -> None:
        duration = time.perf_counter() - self._began
        content_type = headers.get("content-type", "")
        body = answer.decoded(self._module, status, headers, raw)
        complete = body is not None and (whole or (answer.is_stream(content_type) and answer.is_finished(body)))
        result = describe_response(self._info, status=status, body=body or b"", complete=complete)
        usage = self._priced(result)
        if self._slot is not None:
            self._slot.seen(tokens=None if usage is None else usage.total_tokens)
        self._span.finish(result, usage=usage)
        cache, turn = self._traffic.cache, self._turn
        well = 200 <= status < 300 and complete and result.complete and result.error is None
        if cache is None or turn is None or body is None or not well or not self._is_an_answer(body, content_type):
            self._let_go()
            return
        if self._slot is not None:
            self._slot.release()
        cache.keep(
            answer.recorded(
                turn.asked,
                body,
                key=turn.key,
                trial=turn.trial,
                occurrence=turn.occurrence,
                status=status,
                content_type=content_type,
                at=self._at,
                duration=duration,
                suite=self._scope.suite,
                case_id=self._scope.case_id,
                redact=cache.redact,
            )
        )

    def _take_turn(self) -> Turn | None:
        cache, request = self._traffic.cache, self._request
        url = str(request.url)
        if cache is None or self._body is None or (not self._info.is_model and is_local(url)):
            return None
        wanted = asked(
            request.method,
            url,
            self._body,
            content_type=request.headers.get("content-type", ""),
            redact=cache.redact,
        )
        return cache.turn(wanted, self._scope)

    def _is_an_answer(self, body: bytes, content_type: str) -> bool:
        # What a model's server says is JSON or a stream; a page of some proxy's, or half an answer, is not kept.
        return not self._info.is_model or answer.is_stream(content_type) or answer.is_json(body)

    def _priced(self, result: CallResult) -> Usage | None:
        if result.usage is None:
            return None
        call = self._calling
        provider = provider_of(self._request.url.host) if call is None or call.provider is None else call.provider
        return self._traffic.prices.priced(
            result.usage,
            provider,
            result.model,
            asked=self._info.model,
            rates=None if call is None else call.rates,
        )


def _described(request: Any, body: bytes | None) -> CallInfo:
    url = str(request.url)
    call = describe_request(url, body) if request.method == "POST" else None
    return call or describe_http(request.method, url)


def _seconds(retry_after: str | None) -> float | None:
    # Dates are allowed too, and no model's provider sends any.
    try:
        return None if retry_after is None else max(0.0, float(retry_after))
    except ValueError:
        return None
