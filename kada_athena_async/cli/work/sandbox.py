"""The sandbox from the command line: one run against it, or a server that stays up."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio

from kada_athena_async.cli import Interrupted
from kada_athena_async.cli.invocation import suggestion
from kada_athena_async.cli.output import Output
from kada_athena_async.cli.request import (
    SANDBOX_FOLDER,
    RunRequest,
    check_request,
    overrides_of,
)
from kada_athena_async.cli.signals import run_until_signalled
from kada_athena_async.cli.work.run import extract
from kada_athena_async.config import Site, known_secrets, load_config
from kada_athena_async.errors import ConfigError, Problem
from kada_athena_async.files import Files, failing

if TYPE_CHECKING:
    from kada_athena_async.sandbox import Sandbox

# Shows that the folder is ours to empty.
_MARKER = ".made-by-kada-athena-async"


def run_demo(output: Output, request: RunRequest) -> int:
    """Extract once from a sandbox into a folder of the working directory; the exit code.

    The sandbox is another one each time, with no past that could be continued, so what the last
    one left is removed first.
    """
    check_request(request)
    if request.config is not None:
        raise ConfigError(
            [Problem("--config", ascii(str(request.config)), "leave it out with --sandbox")],
            source="command",
        )

    folder = SANDBOX_FOLDER.absolute()
    _empty(folder)
    output.say(f"starting an invented AWS on this machine; everything goes to {folder}")
    with _sandbox() as aws:
        hwm_path = request.hwm_path or folder / f"{request.name}_hwm.txt"
        values = aws.config(folder / "extracts", catalogs=["*"])
        config = load_config(None, environment={}, overrides={**values, **overrides_of(request)})
        output.know_secrets(known_secrets(config))
        found = extract(output, [Site("", config)], replace(request, hwm_path=hwm_path))

    if all(site.report and site.report.committed for site in found.sites):
        for line in _what_next(hwm_path):
            output.say(line)

    return found.exit_code


def serve_sandbox(output: Output, path: Path | None, **settings: Any) -> int:
    """Serve until a signal comes, which is its ordinary end; the exit code.

    Args:
        path: Where a configuration for it is written too; None for nowhere.
        settings: See ``Sandbox``.
    """
    with _sandbox(**settings) as aws:
        values = aws.config(Path("kada-sandbox-extracts").absolute(), catalogs=["*"])
        output.document(values)
        if path is not None:
            _write_config(path, values)

        async def serve() -> None:
            # Said when a signal is heard: whoever waits for these lines may send one at once.
            output.say(f"serving {aws.endpoint_url}; Ctrl-C ends it, and all in it is gone")
            if path is not None:
                output.say(f"in another terminal: {suggestion('run', '-c', str(path))}")

            await anyio.sleep_forever()

        try:
            run_until_signalled(serve, on_signal=lambda: None)
        except Interrupted:
            output.say("stopped")

    return 0


def _write_config(path: Path, values: Mapping[str, object]) -> None:
    try:
        Files().write_durably(path, (json.dumps(values, indent=2) + "\n").encode())
    except OSError as error:
        remedy = f"cannot be written ({error.strerror or type(error).__name__}); name another file"
        problem = Problem("--write-config", ascii(str(path)), remedy)
        raise ConfigError([problem], source="command") from None


@contextmanager
def _sandbox(**settings: Any) -> Iterator[Sandbox]:
    try:
        from kada_athena_async.sandbox import Sandbox
    except ModuleNotFoundError as error:
        remedy = "install it: pip install 'kada-athena-async[sandbox]'"
        problem = Problem("sandbox", f"(needs {error.name})", remedy)
        raise ConfigError([problem], source="installation") from error

    with Sandbox(**settings) as sandbox:
        yield sandbox


def _empty(folder: Path) -> None:
    files = Files()
    # One that is empty was begun by a run that found no space for the marker.
    is_full = not folder.is_dir() or any(folder.iterdir())
    if files.exists(folder) and not (folder / _MARKER).exists() and is_full:
        remedy = "not ours to empty; move it away or run elsewhere"
        problem = Problem("folder", ascii(str(folder)), remedy)
        raise ConfigError([problem], source="working directory")

    with failing(folder, field="working directory"):
        files.remove_tree(folder)
        files.make_dir(folder)
        note = b"`run --sandbox` empties this folder at each start\n"
        files.write_durably(folder / _MARKER, note)


def _what_next(hwm_path: Path) -> list[str]:
    folder = SANDBOX_FOLDER.absolute()
    shown = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
    return [
        f"high-water mark: {hwm_path}",
        "what to try next:",
        f"  {suggestion('show', '--sandbox')}   (look into the extracts)",
        f"  {suggestion('report', '--sandbox')}   (one page of it all)",
        f"  {suggestion('sandbox', '--write-config', 'sandbox.json')}   (an AWS that stays up)",
        f"  {suggestion('run', '-c', 'sandbox.json')}   (extract; once more: only news)",
        f"the next `run --sandbox` empties {shown} and begins anew",
    ]
