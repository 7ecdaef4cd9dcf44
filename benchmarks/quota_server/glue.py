"""Glue's operations on the catalog of the own account."""

from __future__ import annotations

import json
from functools import lru_cache

from msgspec import Raw

from benchmarks.quota_server.athena import Handler
from benchmarks.quota_server.estate import (
    CREATED_S,
    NAME_MARK,
    SCHEMA_MARK,
    Estate,
    glue_template,
    object_name,
    presto_view_text,
)
from kada_athena_async.sandbox.athena.shapes import present
from kada_athena_async.sandbox.glue import DATABASES_PAGE, TABLES_PAGE
from kada_athena_async.sandbox.pages import page
from kada_athena_async.sandbox.wire import AwsError, Json


class Glue:
    """Answers by operation name; each takes the parameters and the time."""

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

    def _get_databases(self, request: Json, now_s: float) -> Json:
        names, token = page(self._estate.schemas, request, scope="databases", rule=DATABASES_PAGE)
        return present({"DatabaseList": [_database(name) for name in names], "NextToken": token})

    def _get_database(self, request: Json, now_s: float) -> Json:
        return {"Database": _database(self._schema(request, "Name"))}

    def _get_tables(self, request: Json, now_s: float) -> Json:
        schema = self._schema(request, "DatabaseName")
        if request.get("Expression"):
            raise AwsError("InvalidInputException", "the stand-in knows no Expression")

        indexes, token = page(
            range(self._estate.objects_in(schema)), request, scope=schema, rule=TABLES_PAGE
        )
        tables = [self._item(schema, index) for index in indexes]
        return present({"TableList": tables, "NextToken": token})

    def _get_table(self, request: Json, now_s: float) -> Json:
        schema = self._schema(request, "DatabaseName")
        index = self._estate.index_of(schema, str(request.get("Name")))
        if index is None:
            raise _not_found(f"Table {request.get('Name')}")

        return {"Table": self._item(schema, index)}

    def _item(self, schema: str, index: int) -> Raw:
        is_view = self._estate.is_view(index)
        item = self._templates[is_view].replace(SCHEMA_MARK, schema)
        if is_view:
            item = item.replace("@VIEW_TEXT@", self._view_text(schema))

        return Raw(item.replace(NAME_MARK, object_name(index)))

    def _schema(self, request: Json, member: str) -> str:
        schema = str(request.get(member))
        if schema not in self._estate.schemas:
            raise _not_found(f"Database {schema}")

        return schema


def _not_found(what: str) -> AwsError:
    return AwsError("EntityNotFoundException", f"Entity Not Found: {what}")


def _database(name: str) -> dict[str, object]:
    return {
        "Name": name,
        "Description": "invented",
        "LocationUri": f"s3://lake/{name}",
        "CreateTime": CREATED_S,
        "CatalogId": "123456789012",
    }
