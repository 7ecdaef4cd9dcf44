"""Time to start the command: to its help, and to its first call to AWS.

Baselines in the same run: a Python that does nothing, one that imports boto3 and makes a client,
and one that does so and makes its first call. ``cpu_s`` is the CPU of commands that ask no AWS,
with the extracts of a run at hand. The package is compiled first, as pip leaves it: where Python
may write no bytecode (``PYTHONDONTWRITEBYTECODE``), each start compiles what it loads.
"""

from __future__ import annotations

import compileall
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.frame import median, own_config_file, parse, rounded, show, used_by
from benchmarks.peers.environment import ROOT, aws_environment
from benchmarks.standin import StandIn, stand_in

HELP = [sys.executable, "-m", "kada_athena_async", "--help"]
NOTHING = [sys.executable, "-c", "pass"]
BOTO3 = [sys.executable, "-c", "import boto3; boto3.client('athena')"]
LOCAL = ("--help", "config check", "hwm show", "show", "show tables")
BOTO3_CALL = [sys.executable, "-c", "import boto3; boto3.client('athena').list_work_groups()"]


def main() -> None:
    """Measure and print."""
    options = parse(__doc__ or "", repeat=10)
    compileall.compile_dir(ROOT / "kada_athena_async", quiet=1)
    with stand_in(schemas=1, tables=1, executions=10, latency_scale=0.01) as server:
        figures: dict[str, object] = {
            "help_s": _seconds(HELP, server, options.repeat),
            "nothing_s": _seconds(NOTHING, server, options.repeat),
            "boto3_client_s": _seconds(BOTO3, server, options.repeat),
            "first_call_s": _first_call(server, options.repeat),
            "boto3_first_call_s": median(
                [_until_called(BOTO3_CALL, server) for _ in range(options.repeat)]
            ),
            "cpu_s": _local_commands(server, options.repeat),
        }

    show("start", options, figures)


def _seconds(command: list[str], server: StandIn, repeat: int) -> float:
    runs = []
    for _ in range(repeat):
        began_s = time.perf_counter()
        subprocess.run(
            command,
            cwd=ROOT,
            env=aws_environment(server.url),
            stdout=subprocess.DEVNULL,
            check=True,
        )
        runs.append(time.perf_counter() - began_s)

    return median(runs)


def _first_call(server: StandIn, repeat: int) -> float:
    runs = []
    for _ in range(repeat):
        with tempfile.TemporaryDirectory() as folder:
            runs.append(_until_called(_command(folder, server, "run"), server))

    return median(runs)


def _local_commands(server: StandIn, repeat: int) -> dict[str, float]:
    """Seconds of CPU by command, each of which reads what one run has left."""
    with tempfile.TemporaryDirectory() as folder:
        _until_called(_command(folder, server, "run"), server)
        return {
            name: median([_cpu_s(_command(folder, server, name), server) for _ in range(repeat)])
            for name in LOCAL
        }


def _cpu_s(command: list[str], server: StandIn) -> float:
    used = used_by(command, server.url)
    return used.ru_utime + used.ru_stime


def _command(folder: str, server: StandIn, name: str) -> list[str]:
    config = own_config_file(Path(folder), server.url, metadata_source="api")
    command = [sys.executable, "-m", "kada_athena_async", *name.split()]
    if name.startswith("-"):
        return command

    takes_hwm = name in ("run", "hwm show")
    hwm = ["--hwm-path", str(Path(folder) / "athena_hwm.txt")] if takes_hwm else []
    return [*command, "-c", str(config), *hwm]


def _until_called(command: list[str], server: StandIn) -> float:
    """Seconds from the start of a process to the arrival of its first call."""
    server.reset()
    began_s = time.time()
    subprocess.run(
        command,
        cwd=ROOT,
        env=aws_environment(server.url),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    log = server.log()
    first = min(entry["first_s"] for entry in log["operations"].values())
    return rounded(float(log["started_epoch_s"] + first - began_s))


if __name__ == "__main__":
    main()
