"""``python -m benchmarks.quota_server``: prints a line of JSON with its URL, then serves."""

from __future__ import annotations

import argparse
import dataclasses
import json
import signal
import threading

from benchmarks.quota_server.server import QuotaServer
from benchmarks.quota_server.settings import Settings
from kada_athena_async.sandbox.server import Server


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
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())

    server = Server(port, QuotaServer(settings).answer)
    server.start()
    url = f"http://127.0.0.1:{server.port}"
    print(json.dumps({"url": url, **dataclasses.asdict(settings)}), flush=True)
    stop.wait()


if __name__ == "__main__":
    main()
