"""Many accounts and regions in one sandbox, their configuration, and what each site's files say."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from kada_athena_async.config import Site, load_sites
from kada_athena_async.sandbox import Sandbox
from kada_athena_async.sandbox.sandbox import RESULTS_PREFIX, PolicyChoice, SiteHandle
from tests.conftest import Extracts
from tests.faults.world import columns_of
from tests.kit.small_estate import tiny_estate

REGIONS = ("ap-southeast-2", "eu-west-1", "us-east-1")
DENY_ALL: Mapping[str, object] = {"Version": "2012-10-17", "Statement": []}


@dataclass
class SitesWorld:
    """Sites of a sandbox: an account for every two of them, each in a region of its own.

    Attributes:
        handles: Name of a site -> where it is.
    """

    path: Path
    sandbox: Sandbox
    handles: dict[str, SiteHandle] = field(default_factory=dict)
    fields: dict[str, dict[str, object]] = field(default_factory=dict)

    @property
    def out(self) -> Path:
        return self.path / "out"

    def add(self, name: str, account: int, region: str, **more: Any) -> SiteHandle:
        """Add a site with a tiny estate of its own; *more* are fields of its configuration."""
        account_id, policy = f"{account:012}", more.pop("policy", None)
        handle = self._known(account_id, region) or self._new(account_id, region, policy)
        self.handles[name] = handle
        self.fields[name] = {
            "name": name,
            "region": region,
            "role": handle.role_arn,
            "bucket": f"s3://{handle.results_bucket}/{RESULTS_PREFIX}",
            "server": f"athena.{name}",
            **more,
        }
        return handle

    def _known(self, account_id: str, region: str) -> SiteHandle | None:
        place = (account_id, region)
        return next((h for h in self.handles.values() if (h.account_id, h.region) == place), None)

    def _new(self, account_id: str, region: str, policy: PolicyChoice | None) -> SiteHandle:
        estate = tiny_estate(
            datetime.now(timezone.utc),
            seed=len(self.handles),
            account_id=account_id,
            region=region,
            results_bucket=f"kada-athena-results-{account_id}-{region}",
        )
        return self.sandbox.add_account(account_id, region, estate, policy=policy)

    def fill(self, count: int) -> list[str]:
        """Add *count* sites, two in each account; their names."""
        names = [f"site_{number:03}" for number in range(count)]
        for number, name in enumerate(names):
            self.add(name, 200_000_000_000 + number // 2, REGIONS[number % len(REGIONS)])

        return names

    def values(self, **top: object) -> dict[str, object]:
        """The configuration of all sites."""
        settings = {"catalogs": ["*"], "metadata_source": "api", **top}
        return {**self.sandbox.config(self.out, **settings), "sites": list(self.fields.values())}

    def write(self, **top: object) -> Path:
        """The configuration, as the command's default file."""
        path = self.path / "kada_athena_extractor_config.json"
        path.write_text(json.dumps(self.values(**top)))
        path.chmod(0o600)
        return path

    def sites(self, **top: object) -> tuple[Site, ...]:
        return load_sites(self.write(**top), environment={})

    def extracts(self, site: str) -> SiteExtracts:
        return SiteExtracts(self.out, f"athena-{site}")

    def mark(self, site: str) -> str | None:
        """The site's mark, as written; None if there is none."""
        path = self.path / f"athena-{site}_hwm.txt"
        return path.read_text().strip() if path.exists() else None

    def check(self, site: str) -> None:
        """The site's extracts hold its own account's estate, all of it, once, and nothing else."""
        estate, extracts = self.handles[site].estate, self.extracts(site)
        newest = extracts.manifests()[-1]["files"]
        (columns,) = [self.out / f["name"] for f in newest if f["kind"] == "metadata_columns"]
        found = Counter(
            (row["catalog"], row["schema"], row["table"], row["column"])
            for row in extracts.read(columns)
        )
        assert found == columns_of(estate), site
        told = Counter(row["query_id"] for row in extracts.rows("databaselog"))
        finished = [e.query_execution_id for e in estate.executions.values() if e.is_final]
        assert told == Counter(finished), site
        servers = {row["server"] for row in extracts.rows("metadata_tables")}
        assert servers == {f"athena.{site}"}, site
        assert self.mark(site), site

    def check_absent(self, site: str) -> None:
        """Nothing of the site is in sight and its mark has not been made."""
        assert self.extracts(site).manifests() == [], site
        assert self.mark(site) is None, site

    def assumed(self) -> Counter[str]:
        """Count of requests for each role."""
        return Counter(
            call.facts.get("role", "") + "@" + call.region
            for call in self.sandbox.log
            if call.operation == "sts:AssumeRole"
        )


class SiteExtracts(Extracts):
    """Reads what one site left in a directory that it shares with others."""

    def __init__(self, output_path: Path, name: str) -> None:
        super().__init__(output_path)
        self.name = name

    def manifests(self) -> list[dict]:
        return [
            json.loads(path.read_text())
            for path in sorted(self.output_path.glob(f"{self.name}_manifest_*.json"))
        ]
