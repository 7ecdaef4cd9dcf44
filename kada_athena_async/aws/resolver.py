"""Looks host names up in threads that the end of the program does not wait for."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from threading import Thread
from typing import Any, TypeVar, cast

from aiohttp.resolver import ThreadedResolver

ResultT = TypeVar("ResultT")


def make_resolver(look_up: Callable[..., Any] = socket.getaddrinfo) -> ThreadedResolver:
    """A resolver for the running event loop; closing it is not needed.

    With a name server that does not answer, a look-up blocks its thread for ten seconds and more
    (resolv.conf: 5 s, two attempts, each server). asyncio's own threads are waited for when its
    loop ends, however long ago the connection was given up.

    Args:
        look_up: As ``socket.getaddrinfo``.
    """
    return ThreadedResolver(loop=cast(asyncio.AbstractEventLoop, _LookUps(look_up)))


class _LookUps:
    """The part of an event loop that aiohttp's resolver uses."""

    def __init__(self, look_up: Callable[..., Any]) -> None:
        self._look_up = look_up

    async def getaddrinfo(self, host: str, port: int, **kind: int) -> Any:
        return await _in_daemon(partial(self._look_up, host, port, **kind))

    async def getnameinfo(self, address: Any, flags: int = 0) -> Any:
        return await _in_daemon(partial(socket.getnameinfo, address, flags))


async def _in_daemon(work: Callable[[], ResultT]) -> ResultT:
    loop = asyncio.get_running_loop()
    done: asyncio.Future[ResultT] = loop.create_future()

    def settle(result: ResultT | None, error: BaseException | None) -> None:
        if done.done():
            return  # nobody waits for it any more

        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(cast(ResultT, result))

    def run() -> None:
        result: ResultT | None = None
        error: BaseException | None = None
        try:
            result = work()
        except Exception as exc:
            error = exc

        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, result, error)

    Thread(target=run, name="look up a host", daemon=True).start()
    return await done
