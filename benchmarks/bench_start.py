"""How long the command takes to start: to its help, and to its first call to AWS.

Baselines in the same run: a Python that does nothing, one that imports boto3 and makes a client,
and one that does so and makes its first call.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.frame import median, parse, rounded, show
from benchmarks.peers.environment import ROOT, aws_environment
from benchmarks.standin import StandIn, stand_in

HELP = [sys.executable, "-m", "kada_athena_async", "--help"]
NOTHING = [sys.executable, "-c", "pass"]
BOTO3 = [sys.executable, "-c", "import boto3; boto3.client('athena')"]
BOTO3_CALL = [sys.executable, "-c", "import boto3; boto3.client('athena').list_work_groups()"]


def main() -> None:
    """Measure and print."""
    options = parse(__doc__ or "", repeat=10)
    with stand_in(schemas=1, tables=1, executions=10, latency_scale=0.01) as server:
        figures: dict[str, object] = {
            "help_s": _seconds(HELP, server, options.repeat),
            "nothing_s": _seconds(NOTHING, server, options.repeat),
            "boto3_client_s": _seconds(BOTO3, server, options.repeat),
            "first_call_s": _first_call(server, options.repeat),
            "boto3_first_call_s": median(
                [_until_called(BOTO3_CALL, server) for _ in range(options.repeat)]
            ),
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
            config = Path(folder) / "config.json"
            document = {
                "key": "AKIDBENCHMARK",
                "secret": "invented",
                "server": "athena",
                "bucket": "s3://results/start",
                "region": "ap-southeast-2",
                "output_path": str(Path(folder) / "output"),
                "endpoint_url": server.url,
                "metadata_source": "api",
            }
            config.write_text(json.dumps(document))
            mark = str(Path(folder) / "athena_hwm.txt")
            command = [sys.executable, "-m", "kada_athena_async", "run", "-c", str(config)]
            runs.append(_until_called([*command, "--hwm-path", mark], server))

    return median(runs)


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
