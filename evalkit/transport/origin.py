"""What an error of a transport was before a bridge between two libraries gave it another name."""

from __future__ import annotations


def origin(error: BaseException) -> BaseException:
    """The error of aiohttp that `error` was made of, where it is that of a connection; else `error` itself.

    The bridge from httpx to aiohttp calls a connection that was reset a `ConnectTimeout`, as it does one that took too
    long.
    """
    cause = error.__cause__
    while cause is not None:
        if type(cause).__module__.partition(".")[0] == "aiohttp":
            return error if isinstance(cause, TimeoutError) else cause
        cause = cause.__cause__
    return error
