"""One or two machines on one mark, and what must be true of them after every step.

Each run is a real process (see ``crash_runner``) that may be killed, paused, or meet an outage; in
between a hand edits the mark, asks for windows again, changes the configuration or loses a disk.
The landing is what the platform reads; a machine without one is read from its output directory.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import os
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Literal, TypeAlias, get_args

import boto3

from kada_athena_async.sandbox import Sandbox
from kada_athena_async.sandbox.estate.model import Workgroup
from tests.faults.dying import KILLED, Runner, is_alive
from tests.faults.world import START, WallClock, finished
from tests.kit.small_estate import make_execution, tiny_estate

Arrangement: TypeAlias = Literal["alone", "landed", "shared", "shared_directory"]
"""One machine; one with a landing; two that share landing and mark, in S3 or in a directory."""

MINUTE = timedelta(minutes=1)
SECRET = "planted-secret"  # in every text, as a literal
OTHER_ACCOUNT = "999999999999"

PASSING = ("throttle", "server_error", "reset_before", "reset_after", "truncate", "empty_body")
FATAL = ("access_denied", "expired_page_token", "expired", "hang")
STRUCK = (
    "athena:ListQueryExecutions",
    "athena:BatchGetQueryExecution",
    "athena:ListWorkGroups",
    "glue:GetTables",
    "s3:PutObject",
    "s3:*",
    "*",
)

ENDINGS = (0, 1, 3, 4, KILLED)
"""Exit codes of runs that meet faults; besides them only the refusal of a window without time."""

TOLD_FIELDS = ("mask", "role", "region", "landing")

CALM_RUNS = 4
"""After so many runs without trouble a machine must have committed."""


@dataclass(slots=True)
class Package:
    """Facts of one manifest, and the ids that its history holds."""

    manifest: dict[str, Any]
    ids: list[str]
    text: bytes


@dataclass(slots=True)
class Machine:
    """A computer with a disk; its runs follow each other.

    Attributes:
        said: How the last run ended, in its own words.
    """

    path: Path
    runner: Runner
    pid: int = 0
    is_paused: bool = False
    said: str = ""

    @property
    def out(self) -> Path:
        return self.path / "out"

    @property
    def hwm_path(self) -> Path:
        return self.path / "athena_hwm.txt"

    def lose_disk(self) -> None:
        """Empty the output directory, and whatever a run staged in it."""
        shutil.rmtree(self.out, ignore_errors=True)

    def signal(self, number: signal.Signals) -> None:
        if self.pid and is_alive(self.pid):
            os.kill(self.pid, number)
            self.is_paused = number == signal.SIGSTOP


@dataclass(slots=True)
class Fleet:
    """Machines, their landing, and the truth.

    Attributes:
        seen: What the platform has read so far, where machines have no landing.
        delivered_unmasked: Packages that went to the landing while ``mask`` was off.
        steps: What happened, for the message of a failure.
    """

    path: Path
    sandbox: Sandbox
    wall: WallClock
    arrangement: Arrangement
    chance: Random
    machines: list[Machine] = field(default_factory=list)
    seen: dict[str, Package] = field(default_factory=dict)
    delivered_unmasked: set[tuple[str, str]] = field(default_factory=set)
    steps: list[str] = field(default_factory=list)
    runs: Counter[str] = field(default_factory=Counter)
    submitted: int = 0
    place: str = "one"
    other_role: str = ""
    s3: Any = None

    # --- what the machines are told -------------------------------------------------------------

    def fields(self, machine: Machine, **fields: Any) -> dict[str, Any]:
        given = {
            "catalogs": ["AwsDataCatalog"],
            "quota_share": 1.0,
            "metadata_source": "api",
            "landing": self.landing(self.place),
            "hwm_store": self.hwm_store,
            **fields,
        }
        return self.sandbox.config(machine.out, **given)

    def landing(self, place: str) -> dict[str, str] | None:
        match self.arrangement:
            case "alone":
                return None
            case "shared_directory":
                return {"path": str(self.path / "landings" / place)}
            case _:
                return {"bucket": "landing", "prefix": place}

    @property
    def hwm_store(self) -> Any:
        match self.arrangement:
            case "shared":
                return "s3://landing/marks"
            case "shared_directory":
                return "landing"
            case _:
                return None

    # --- what the platform sees -----------------------------------------------------------------

    def held(self) -> dict[str, dict[str, bytes]]:
        """The files of every landing: place, name, bytes."""
        if self.arrangement == "alone":
            return {}

        if self.arrangement == "shared_directory":
            return {
                place.name: {p.name: p.read_bytes() for p in place.iterdir() if p.is_file()}
                for place in (self.path / "landings").iterdir()
            }

        found: dict[str, dict[str, bytes]] = {"one": {}, "two": {}}
        for item in self.s3.list_objects_v2(Bucket="landing").get("Contents", []):
            place, _, name = item["Key"].partition("/")
            if place in found and "/" not in name:
                body = self.s3.get_object(Bucket="landing", Key=item["Key"])["Body"]
                found[place][name] = body.read()

        return found

    def packages(self) -> dict[str, dict[str, Package]]:
        """The packages of every place in which somebody may look, each manifest checked."""
        places = {
            str(machine.path): {
                path.name: path.read_bytes() for path in machine.out.glob("athena_*")
            }
            for machine in self.machines
        }
        places |= self.held()
        return {place: dict(packages_of(files)) for place, files in places.items()}

    def edit_mark(self, text: str | None) -> None:
        """A hand sets the mark, or (None) removes it together with its state."""
        if self.hwm_store is None:
            (machine,) = self.machines
            if text is None:
                machine.hwm_path.unlink(missing_ok=True)
                machine.hwm_path.with_name("athena_state.json").unlink(missing_ok=True)
            elif machine.hwm_path.exists():
                machine.hwm_path.write_text(text + "\n")
        elif self.arrangement == "shared" and text is not None and self.mark() is not None:
            self.s3.put_object(Bucket="landing", Key="marks/athena_hwm.txt", Body=text.encode())
        elif text is not None and self.mark() is not None:
            (self.path / "landings/one/_hwm/athena_hwm.txt").write_text(text + "\n")

    def mark(self) -> datetime | None:
        """Where the mark stands."""
        if self.arrangement == "shared":
            found = self.s3.list_objects_v2(Bucket="landing", Prefix="marks/athena_hwm.txt")
            if not found.get("Contents"):
                return None

            answer = self.s3.get_object(Bucket="landing", Key="marks/athena_hwm.txt")
            text = answer["Body"].read().decode()
        else:
            path = self.path / "landings/one/_hwm/athena_hwm.txt"
            path = path if self.arrangement == "shared_directory" else self.machines[0].hwm_path
            if not path.exists():
                return None

            text = path.read_text()

        return datetime.fromisoformat(text.strip() + "+00:00")

    # --- what must be true ----------------------------------------------------------------------

    def check(self) -> None:
        """Every manifest true, nothing twice in one place, nothing unmasked that was not asked."""
        places = self.packages()
        for place, packages in places.items():
            told = Counter(i for package in packages.values() for i in package.ids)
            twice = [query_id for query_id, count in told.items() if count > 1]
            assert not twice, f"{len(twice)} told twice in {place}: {windows_of(packages)}"

        if self.arrangement == "alone":
            (machine,) = self.machines
            self.seen |= places[str(machine.path)]

        for packages in (places.get("one", {}), places.get("two", {})):
            for name, package in packages.items():
                if SECRET.encode() in package.text:
                    is_known = (name, run_of(package)) in self.delivered_unmasked
                    assert is_known, f"{name} is not masked"

    def check_complete(self) -> None:
        """Each execution that was final before the mark is told once, over all places together."""
        places = self.packages()
        union = dict(self.seen)
        for packages in places.values():
            union |= packages

        mark = self.mark()
        assert mark is not None, "nobody committed"
        told = Counter(i for package in union.values() for i in package.ids)
        truth = finished(self.sandbox.estate, mark)
        lost, extra = truth - told, told - truth
        assert not lost, f"{len(lost)} lost before {mark}: {windows_of(union)}"
        assert not extra, f"{len(extra)} told twice, or of others: {windows_of(union)}"

    def check_rest(self) -> None:
        """Nobody's leftover lies where the platform looks, and nothing is staged any more."""
        for place, files in self.held().items():
            manifests = [json.loads(d) for name, d in files.items() if "_manifest_" in name]
            named = {file["name"] for m in manifests for file in m["files"]}
            found = {name for name in files if "_manifest_" not in name}
            assert found <= named, f"{place} holds {sorted(found - named)}, which nobody names"

        for machine in self.machines:
            root = machine.out / ".athena-staging"
            staged = sorted(path.name for path in root.iterdir()) if root.exists() else []
            assert staged == [], f"{root} holds {staged}"

    # --- steps ----------------------------------------------------------------------------------

    def users_are_busy(self, passed: timedelta) -> None:
        """Submit executions; where one machine has all packages, some become listable late.

        What becomes listable late is told once by whoever has the packages of the time: with
        ``again`` on two machines neither may have all of them.

        Args:
            passed: Since the last step.
        """
        age_s = 40 * 60 if len(self.machines) == 1 else int(passed.total_seconds())
        for _ in range(self.chance.randrange(6)):
            self.submitted += 1
            self.sandbox.submit(
                make_execution(
                    50_000 + self.submitted,
                    submitted_at=self.wall.time
                    - timedelta(seconds=self.chance.randrange(2, age_s)),
                    query=f"SELECT * FROM sales.orders WHERE x = '{SECRET} {self.submitted}'",
                    workgroup=self.chance.choice(("primary", "adhoc")),
                    state=self.chance.choice(("SUCCEEDED", "FAILED", "CANCELLED")),
                )
            )

    def start(self, machine: Machine, *, kill_at: int = 0, **order: Any) -> None:
        order = {"arguments": {"manage_hwm": True}, **order}
        order["fields"] = self.fields(machine, **order.get("fields", {}))
        machine.path.mkdir(exist_ok=True)
        (machine.path / "said").unlink(missing_ok=True)
        machine.pid = machine.runner.order(
            hwm_path="" if self.hwm_store else str(machine.hwm_path),
            now=self.wall.time.isoformat(),
            kill_at=kill_at,
            said_path=str(machine.path / "said"),
            **order,
        )
        told = {key: order["fields"].get(key) for key in TOLD_FIELDS}
        self.steps.append(
            f"{machine.path.name} at {self.wall.time:%H:%M}: {order['arguments']} {told} "
            f"kill_at={kill_at}"
        )

    def end(self, machine: Machine) -> int:
        """End of the run of *machine*."""
        code = machine.runner.wait()
        said = machine.path / "said"
        machine.said = said.read_text() if said.exists() else ""
        machine.pid = 0
        self.runs[str(code)] += 1
        self.steps.append(f"  {machine.path.name} ended {code} {machine.said}")
        return code

    def calm(self, machine: Machine, **order: Any) -> int:
        self.start(machine, **order)
        return self.end(machine)

    def strike(self) -> None:
        """Put some faults in force."""
        for _ in range(self.chance.choice((0, 0, 1, 2, 3))):
            kind: Any = self.chance.choice(PASSING + FATAL)
            fields: dict[str, Any] = {"times": self.chance.randrange(1, 6)}
            if kind == "hang":
                fields |= {"seconds": 0.4, "times": 1}

            self.sandbox.faults.add(
                kind,
                self.chance.choice(STRUCK),
                probability=self.chance.choice((0.1, 0.5, 1.0)),
                **fields,
            )

    def order(self) -> dict[str, Any]:
        """Ways in which a person or a scheduler starts a run."""
        chance, fields = self.chance, {}
        arguments: dict[str, Any] = {"manage_hwm": True}
        if chance.random() < 0.2:
            fields["mask"] = False

        if chance.random() < 0.15:
            fields["on_error"] = "skip"

        if chance.random() < 0.1:
            fields["compress"] = False

        if chance.random() < 0.1:
            arguments["fresh"] = True

        packages = [p for held in self.packages().values() for p in held.values()]
        if packages and chance.random() < 0.25:
            package = chance.choice(packages).manifest
            arguments["start_hwm"] = moved(package["start"], chance.choice((0, 0, -7, 3)))
            if chance.random() < 0.6:
                arguments["end_hwm"] = moved(package["end"], chance.choice((0, 0, 5, -2)))

            arguments["again"] = chance.random() < 0.5

        return {"fields": fields, "arguments": arguments}

    def run_badly(self) -> None:
        """One machine, or two at once, with faults, kills and pauses."""
        chance = self.chance
        running = chance.sample(self.machines, chance.randrange(1, len(self.machines) + 1))
        orders = [self.order() for _ in running]
        before = self.packages()
        self.strike()
        for machine, order in zip(running, orders, strict=True):
            kill_at = chance.randrange(1, 160) if chance.random() < 0.25 else 0
            self.start(machine, kill_at=kill_at, **order)
            if chance.random() < 0.5:
                time.sleep(chance.random() * 0.6)

        for _ in range(chance.choice((0, 1, 1, 2, 3))):
            time.sleep(chance.random() * 0.4)
            chance.choice(running).signal(
                chance.choice((signal.SIGSTOP, signal.SIGSTOP, signal.SIGCONT, signal.SIGKILL))
            )

        awake = [m for m in running if not m.is_paused]
        asleep = [m for m in running if m.is_paused]
        for machine in awake:
            self.expect(machine, self.end(machine))

        self.sandbox.faults.clear()
        for machine in asleep:
            machine.signal(signal.SIGCONT)
            self.expect(machine, self.end(machine))

        after = self.packages()
        for machine, order in zip(running, orders, strict=True):
            if order["fields"].get("mask", True):
                continue

            # It may have delivered what it extracted now, or earlier, while mask was off.
            own = after[str(machine.path)]
            self.delivered_unmasked |= {
                (name, run_of(package))
                for place in ("one", "two")
                for name, package in after.get(place, {}).items()
                if name not in before.get(place, {}) or name in own
            }

    def expect(self, machine: Machine, code: int) -> None:
        is_empty = code == 2 and "must not lie after the end" in machine.said
        assert code in ENDINGS or is_empty, f"{machine.path.name} ended {code}: {machine.said}"
        assert "unexpected" not in machine.said, machine.said

    def run_as_another(self) -> None:
        """A run of another account or Region: refused, and nothing of ours is changed."""
        machine = self.chance.choice(self.machines)
        fields = self.chance.choice(
            ({"role": self.other_role}, {"region": "eu-west-1"}, {"server": "another.server"})
        )
        if self.mark() is None:
            return

        before = self.packages(), self.mark()
        code = self.calm(machine, fields=fields)
        assert code == 3, f"{fields} ended {code}: {machine.said}"
        after = self.packages(), self.mark()
        for place, packages in before[0].items():
            gone = set(packages) - set(after[0][place])
            assert not gone, f"another's run removed {gone} in {place}"

    def hand(self) -> None:
        """Somebody edits the mark, loses a disk, or moves the landing."""
        chance = self.chance
        what = chance.choice(("mark", "mark", "no mark", "disk", "landing", "another", "another"))
        self.steps.append(f"a hand: {what}")
        match what:
            case "mark" if packages := [p for h in self.packages().values() for p in h.values()]:
                package = chance.choice(packages).manifest
                self.edit_mark(moved(package["end"], chance.choice((0, 0, -3))))
            case "no mark" if self.hwm_store is None:
                self.edit_mark(None)
            case "disk" if self.arrangement != "alone" or chance.random() < 0.5:
                chance.choice(self.machines).lose_disk()
            case "landing" if self.arrangement in ("landed", "shared"):
                self.place = "two" if self.place == "one" else "one"
            case "another":
                self.run_as_another()

    def settle_down(self) -> None:
        """Calm runs on every machine: each commits, and then all is told, once."""
        for _ in range(2):
            self.wall.time += 90 * MINUTE
            for machine in self.machines:
                codes = []
                while not codes or (codes[-1] and len(codes) < CALM_RUNS):
                    codes.append(self.calm(machine))

                assert codes[-1] == 0, f"{machine.path.name} is stuck: {codes} {machine.said}"
                self.check()

        self.check_complete()
        self.check_rest()


def play(path: Path, arrangement: Arrangement, seed: int, runs: int) -> Fleet:
    """A story of about *runs* runs, checked after every step.

    Raises:
        AssertionError: A promise is broken; the message says the story.
    """
    wall = WallClock()
    estate = tiny_estate(START)
    estate.workgroups = {name: Workgroup(name=name) for name in ("primary", "adhoc")}
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox(estate, now=wall.now))
        site = sandbox.add_account(
            OTHER_ACCOUNT, sandbox.region, tiny_estate(START, account_id=OTHER_ACCOUNT, seed=8)
        )
        sandbox.create_bucket("landing")
        fleet = Fleet(path, sandbox, wall, arrangement, Random(f"{arrangement} {seed}"))
        fleet.other_role = site.role_arn
        fleet.s3 = boto3.client(
            "s3",
            region_name=sandbox.region,
            endpoint_url=sandbox.endpoint_url,
            aws_access_key_id=sandbox.admin.access_key_id,
            aws_secret_access_key=sandbox.admin.secret,
        )
        for place in ("one", "two"):
            (path / "landings" / place).mkdir(parents=True, exist_ok=True)

        names = ("a", "b") if arrangement.startswith("shared") else ("a",)
        fleet.machines = [Machine(path / n, stack.enter_context(Runner())) for n in names]
        try:
            while fleet.runs.total() < runs:
                passed = fleet.chance.choice((1, 10, 45, 70)) * MINUTE
                wall.time += passed
                fleet.users_are_busy(passed)
                fleet.run_badly()
                fleet.check()
                if fleet.chance.random() < 0.4:
                    fleet.hand()
                    fleet.check()

                if fleet.chance.random() < 0.15:
                    fleet.settle_down()

            fleet.settle_down()
        except AssertionError as exc:
            story = "\n".join(fleet.steps)
            raise AssertionError(f"{arrangement}, seed {seed}: {exc}\n{story}") from exc
        finally:
            for machine in fleet.machines:
                machine.signal(signal.SIGKILL)

    return fleet


def packages_of(files: dict[str, bytes]) -> Iterator[tuple[str, Package]]:
    """The packages in a place; each manifest tells the truth of its files."""
    for name, data in sorted(files.items()):
        if "_manifest_" not in name:
            continue

        manifest = json.loads(data)
        ids, text = [], b""
        for file in manifest["files"]:
            held = files.get(file["name"])
            assert held is not None, f"{name} names {file['name']}, which is not there"
            assert hashlib.sha256(held).hexdigest() == file["sha256"], f"{name}: {file['name']}"
            plain = gzip.decompress(held) if file["name"].endswith(".gz") else held
            rows = list(csv.DictReader(io.StringIO(plain.decode(), newline="")))
            assert len(rows) == file["rows"], f"{name}: {file['name']}"
            text += plain
            if file["kind"] == "databaselog":
                ids += [row["query_id"] for row in rows]

        yield name, Package(manifest, ids, text)


def run_of(package: Package) -> str:
    return str(package.manifest["run_id"])


def windows_of(packages: dict[str, Package]) -> list[str]:
    return sorted(
        f"{p.manifest['start']}/{p.manifest['end']} {len(p.ids)}" for p in packages.values()
    )


def moved(moment: str, minutes: int) -> str:
    """*moment* of a manifest, some minutes later, as the command line takes it."""
    at = datetime.fromisoformat(moment.replace("Z", "+00:00")) + minutes * MINUTE
    return f"{at:%Y-%m-%d %H:%M:%S}"


ARRANGEMENTS: tuple[Arrangement, ...] = get_args(Arrangement)
