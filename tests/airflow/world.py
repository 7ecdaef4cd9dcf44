"""Sites of a sandbox, their landing and their marks, and whether the landing tells the truth."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from kada_athena_async.sandbox import Sandbox
from kada_athena_async.sandbox.sandbox import RESULTS_PREFIX, SiteHandle
from tests.kit.small_estate import tiny_estate
from tests.landing.support import SESSION

LANDING, MARKS = "kada-landing", "kada-marks"


@dataclass
class World:
    """A sandbox with sites in several accounts and regions.

    Attributes:
        handles: Name of a site -> where it is.
    """

    path: Path
    sandbox: Sandbox
    handles: dict[str, SiteHandle] = field(default_factory=dict)
    _known: set[str] = field(default_factory=set)

    @classmethod
    @contextmanager
    def start(cls, path: Path) -> Iterator[World]:
        with Sandbox(scale=0.02) as sandbox:
            sandbox.create_bucket(LANDING)
            sandbox.create_bucket(MARKS)
            yield cls(path, sandbox)

    def connection(self) -> dict[str, object]:
        """Airflow's AWS connection: the collector's own key."""
        return {
            "conn_type": "aws",
            "login": self.sandbox.access_key_id,
            "password": self.sandbox.secret_access_key,
            "extra": {"region_name": self.sandbox.region},
        }

    def write(self, name: str, places: dict[str, tuple[int, str, str]]) -> Path:
        """A configuration of new sites, each an estate of its own; no directory for extracts.

        Args:
            places: Name of a site -> account, region and ``metadata_source``.
        """
        fields = self.sandbox.config("/", quota_share=1.0)
        for given in ("key", "secret", "region", "output_path", "bucket"):
            del fields[given]

        path = self.path / f"{name}.json"
        values = {
            **fields,
            "landing": {"bucket": LANDING, "prefix": "lz", "region": self.sandbox.region},
            "hwm_store": {"bucket": MARKS, "region": self.sandbox.region},
            "sites": [self._site(site, *place) for site, place in places.items()],
        }
        path.write_text(json.dumps(values))
        path.chmod(0o600)
        return path

    def _site(self, name: str, account: int, region: str, source: str) -> dict[str, object]:
        account_id = f"{account:012}"
        estate = tiny_estate(
            datetime.now(timezone.utc),
            seed=len(self.handles),
            account_id=account_id,
            region=region,
            results_bucket=f"kada-athena-results-{account_id}-{region}",
        )
        handle = self.sandbox.add_account(account_id, region, estate)
        self.handles[name] = handle
        self._known |= estate.executions.keys()
        return {
            "name": name,
            "region": region,
            "role": handle.role_arn,
            "bucket": f"s3://{handle.results_bucket}/{RESULTS_PREFIX}",
            "server": f"athena.{name}",
            "metadata_source": source,
        }

    def landed(self, site: str) -> dict[str, bytes]:
        """The site's files in the landing, by name."""
        found = self._s3.list_objects_v2(Bucket=LANDING, Prefix=f"lz/athena-{site}_")
        return {
            item["Key"].removeprefix("lz/"): self._s3.get_object(Bucket=LANDING, Key=item["Key"])[
                "Body"
            ].read()
            for item in found.get("Contents", [])
        }

    def running(self, site: str) -> set[str]:
        """The site's queries that are ours and have not ended."""
        executions = list(self.handles[site].estate.executions.values())
        return {e.query_execution_id for e in executions if not e.is_final} - self._known

    def mark(self, site: str) -> str:
        """The site's mark, as written."""
        body = self._s3.get_object(Bucket=MARKS, Key=f"athena-{site}_hwm.txt")["Body"]
        return str(body.read().decode().strip())

    def check(self, site: str) -> list[dict[str, Any]]:
        """The landing holds the site's estate, all of it, each query once; its manifests."""
        files, estate = self.landed(site), self.handles[site].estate
        manifests = [json.loads(data) for name, data in files.items() if "_manifest_" in name]
        named = sorted(file["name"] for manifest in manifests for file in manifest["files"])
        assert named == sorted(name for name in files if ".csv" in name), site

        newest = max(manifest["end"] for manifest in manifests)
        end = datetime.strptime(newest, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
        told = Counter(row["query_id"] for row in _rows(files, "databaselog"))
        assert told == Counter(
            e.query_execution_id
            for e in estate.executions.values()
            # Athena gives no completion for one that was cancelled in the queue.
            if e.is_final and (e.completed_at or e.submitted_at) < end
        ), site

        stamp = newest.replace("-", "").replace(":", "")
        columns = {
            (row["catalog"], row["schema"], row["table"], row["column"])
            for row in _rows(files, f"metadata_columns_{stamp}")
        }
        assert columns == {
            (catalog.name, schema.name, table.name, column.name)
            for catalog, schema, table in estate.tables()
            for column in table.current_columns
            if catalog.name == "AwsDataCatalog"
        }, site
        windows = sorted((manifest["start"], manifest["end"]) for manifest in manifests)
        assert [end for _, end in windows[:-1]] == [start for start, _ in windows[1:]], site
        assert self.mark(site) == windows[-1][1].replace("T", " ").removesuffix("Z"), site
        return manifests

    @property
    def _s3(self) -> Any:
        return SESSION.client(
            "s3",
            endpoint_url=self.sandbox.endpoint_url,
            aws_access_key_id=self.sandbox.admin.access_key_id,
            aws_secret_access_key=self.sandbox.admin.secret,
        )


def _rows(files: dict[str, bytes], kind: str) -> list[dict[str, str]]:
    csv.field_size_limit(2**20)
    return [
        row
        for name, data in files.items()
        if f"_{kind}" in name
        for row in csv.DictReader(io.StringIO(gzip.decompress(data).decode(), newline=""))
    ]
