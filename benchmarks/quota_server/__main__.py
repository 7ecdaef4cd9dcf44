"""``python -m benchmarks.quota_server``: prints a line of JSON with its URL, then serves."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import json
import signal

from benchmarks.quota_server.server import serve
from benchmarks.quota_server.settings import Settings


def parse(arguments: list[str] | None = None) -> tuple[Settings, int]:
    """The settings and the port that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quota_server")
    parser.add_argument("--port", type=int, default=0)
    defaults = Settings()
    numbers = [item for item in dataclasses.fields(Settings) if item.name != "adaptive"]
    for item in numbers:
        default = getattr(defaults, item.name)
        option = "--" + item.name.replace("_", "-")
        parser.add_argument(option, type=type(default), default=default)

    options = vars(parser.parse_args(arguments))
    port = options.pop("port")
    return Settings(**options), port


def main() -> None:
    """Serve until interrupted."""
    settings, port = parse()

    def announce(url: str) -> None:
        print(json.dumps({"url": url, **dataclasses.asdict(settings)}), flush=True)

    async def run() -> None:
        task = asyncio.ensure_future(serve(settings, port=port, ready=announce))
        loop = asyncio.get_running_loop()
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(signal.SIGTERM, task.cancel)

        with contextlib.suppress(asyncio.CancelledError):
            await task

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run())


if __name__ == "__main__":
    main()
