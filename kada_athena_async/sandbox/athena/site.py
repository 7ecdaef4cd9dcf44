"""One account's Athena in one region: its estate, its history and its queries."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

from kada_athena_async.sandbox.athena.history import History
from kada_athena_async.sandbox.athena.queries import Queries
from kada_athena_async.sandbox.behaviour import Behaviour
from kada_athena_async.sandbox.buckets import Buckets
from kada_athena_async.sandbox.estate.model import Catalog, Estate, Workgroup
from kada_athena_async.sandbox.faults import Faults
from kada_athena_async.sandbox.wire import invalid_request

DEFAULT_CATALOG = "AwsDataCatalog"
DEFAULT_WORKGROUP = "primary"


class Site:
    """Resources of an account in a region.

    ``primary`` and ``AwsDataCatalog`` exist in every one, also where the estate does not name them.
    """

    def __init__(
        self,
        estate: Estate,
        buckets: Buckets,
        behaviour: Behaviour,
        faults: Faults,
        *,
        now: Callable[[], datetime],
    ) -> None:
        estate.workgroups.setdefault(DEFAULT_WORKGROUP, Workgroup(name=DEFAULT_WORKGROUP))
        if DEFAULT_CATALOG not in estate.catalogs:
            default = Catalog(name=DEFAULT_CATALOG, type="GLUE")
            estate.catalogs = {DEFAULT_CATALOG: default, **estate.catalogs}

        self.estate = estate
        self.behaviour = behaviour
        self.faults = faults
        self.now = now
        self.guard = threading.RLock()
        self.history = History(estate)
        self.queries = Queries(self.history, buckets, behaviour, guard=self.guard, now=now)
        self.buckets = buckets
        # ClientRequestToken -> what it was sent with, and the query that came of it.
        self.tokens: dict[str, tuple[object, str]] = {}

    def workgroup(self, name: str) -> Workgroup:
        """The workgroup of that name.

        Raises:
            AwsError: There is none.
        """
        workgroup = self.estate.workgroups.get(name)
        if workgroup is None:
            raise invalid_request(f"WorkGroup {name} is not found.")

        return workgroup

    def close(self) -> None:
        self.queries.close()
