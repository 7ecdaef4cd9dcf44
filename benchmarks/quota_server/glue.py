"""Glue's operations on the catalog of the own account."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TypeAlias

from benchmarks.quota_server.errors import ServiceError
from benchmarks.quota_server.estate import (
    CREATED_S,
    NAME_MARK,
    SCHEMA_MARK,
    Estate,
    glue_template,
    object_name,
    presto_view_text,
)
from benchmarks.quota_server.paging import page, tail

Request: TypeAlias = Mapping[str, object]
Handler: TypeAlias = Callable[[Request, float], str]


class Glue:
    """Answers by operation name; each takes the request and the time, and returns JSON."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._templates = [glue_template(estate, is_view=flag) for flag in (False, True)]
        self._view_text = lru_cache(maxsize=256)(
            lambda schema: json.dumps(presto_view_text(estate, schema))[1:-1]
        )
        self.handlers: dict[str, Handler] = {
            "GetDatabases": self._get_databases,
            "GetDatabase": self._get_database,
            "GetTables": self._get_tables,
            "GetTable": self._get_table,
        }

    def _get_databases(self, request: Request, now_s: float) -> str:
        names = self._estate.schemas
        window = page(request, total=len(names), limit=100)
        databases = [_database(name) for name in names[window.start : window.stop]]
        return '{"DatabaseList":' + json.dumps(databases) + tail(window.token)

    def _get_database(self, request: Request, now_s: float) -> str:
        return json.dumps({"Database": _database(self._schema(request, "Name"))})

    def _get_tables(self, request: Request, now_s: float) -> str:
        schema = self._schema(request, "DatabaseName")
        if request.get("Expression"):
            raise ServiceError("InvalidInputException", "the stand-in knows no Expression")

        window = page(request, total=self._estate.objects_in(schema), limit=100)
        items = (self._item(schema, index) for index in range(window.start, window.stop))
        return '{"TableList":[' + ",".join(items) + "]" + tail(window.token)

    def _get_table(self, request: Request, now_s: float) -> str:
        schema = self._schema(request, "DatabaseName")
        index = self._estate.index_of(schema, str(request.get("Name")))
        if index is None:
            raise ServiceError(
                "EntityNotFoundException", f"Entity Not Found: Table {request.get('Name')}"
            )

        return '{"Table":' + self._item(schema, index) + "}"

    def _item(self, schema: str, index: int) -> str:
        is_view = self._estate.is_view(index)
        item = self._templates[is_view].replace(SCHEMA_MARK, schema)
        if is_view:
            item = item.replace("@VIEW_TEXT@", self._view_text(schema))

        return item.replace(NAME_MARK, object_name(index))

    def _schema(self, request: Request, member: str) -> str:
        schema = str(request.get(member))
        if schema not in self._estate.schemas:
            raise ServiceError("EntityNotFoundException", f"Entity Not Found: Database {schema}")

        return schema


def _database(name: str) -> dict[str, object]:
    return {
        "Name": name,
        "Description": "invented",
        "LocationUri": f"s3://lake/{name}",
        "CreateTime": CREATED_S,
        "CatalogId": "123456789012",
    }
