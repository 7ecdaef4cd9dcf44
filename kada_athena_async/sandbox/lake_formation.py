"""Lake Formation's tags: the keys, and searches for the databases and tables that have them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from kada_athena_async.sandbox.athena.shapes import present
from kada_athena_async.sandbox.caller import Call
from kada_athena_async.sandbox.estate.model import Catalog, Estate, Schema, Table
from kada_athena_async.sandbox.estate.tags import effective_tags
from kada_athena_async.sandbox.glue import catalog_of
from kada_athena_async.sandbox.pages import PageRule
from kada_athena_async.sandbox.wire import AwsError, Json, texts

# Page sizes, and values of one search, of botocore's service model of Lake Formation.
TAGS_PAGE = PageRule(1, 1000, 50, "InvalidInputException")
SEARCH_PAGE = PageRule(1, 100, 100, "InvalidInputException")
VALUES_MAX = 50


def list_lf_tags(estate: Estate, call: Call) -> Json:
    """The keys and their values."""
    items = [
        {"CatalogId": call.account_id, "TagKey": key, "TagValues": values[at : at + VALUES_MAX]}
        for key, values in estate.lf_tags.items()
        for at in range(0, len(values), VALUES_MAX)
    ]
    found, token = call.page(items, scope="lf tags", rule=TAGS_PAGE)
    return present({"LFTags": list(found), "NextToken": token})


def search_databases(estate: Estate, call: Call) -> Json:
    """The databases to which one of the values was assigned."""
    catalog = catalog_of(estate, call)
    key, values = _expression(estate, call)
    found, token = call.page(
        [s for s in list(catalog.schemas.values()) if s.lf_tags.get(key) in values],
        scope=f"tagged databases {catalog.name} {key} {values[0]}",
        rule=SEARCH_PAGE,
    )
    shapes = [
        {
            "Database": {"CatalogId": call.account_id, "Name": schema.name},
            "LFTags": _pairs(schema.lf_tags, call),
        }
        for schema in found
    ]
    return present({"DatabaseList": shapes, "NextToken": token})


def search_tables(estate: Estate, call: Call) -> Json:
    """The tables that have one of the values: inherited, their own, or on a column."""
    catalog = catalog_of(estate, call)
    key, values = _expression(estate, call)
    found, token = call.page(
        list(_tables_with(catalog, key, values)),
        scope=f"tagged tables {catalog.name} {key} {values[0]}",
        rule=SEARCH_PAGE,
    )
    shapes = [_tagged_table(schema, table, call) for schema, table in found]
    return present({"TableList": shapes, "NextToken": token})


def _tables_with(catalog: Catalog, key: str, values: list[str]) -> Iterator[tuple[Schema, Table]]:
    for schema in list(catalog.schemas.values()):
        for table in list(schema.tables.values()):
            own = effective_tags(schema, table).get(key)
            if own in values or any(c.lf_tags.get(key) in values for c in table.columns):
                yield schema, table


def _tagged_table(schema: Schema, table: Table, call: Call) -> Json:
    columns = [
        {"Name": column.name, "LFTags": _pairs(column.lf_tags, call)}
        for column in table.columns
        if column.lf_tags
    ]
    own = effective_tags(schema, table)
    return present(
        {
            "Table": {
                "CatalogId": call.account_id,
                "DatabaseName": schema.name,
                "Name": table.name,
            },
            "LFTagOnDatabase": _pairs(schema.lf_tags, call) or None,
            "LFTagsOnTable": _pairs(own, call) or None,
            "LFTagsOnColumns": columns or None,
        }
    )


def _pairs(tags: Mapping[str, str], call: Call) -> list[Json]:
    return [
        {"CatalogId": call.account_id, "TagKey": key, "TagValues": [value]}
        for key, value in tags.items()
    ]


def _expression(estate: Estate, call: Call) -> tuple[str, list[str]]:
    """The key and the values of a search; the sandbox knows one condition."""
    expression = call.parameters.get("Expression")
    if not isinstance(expression, list) or len(expression) != 1:
        raise AwsError("InvalidInputException", "the sandbox knows one condition")

    key, values = str(expression[0].get("TagKey")), texts(expression[0], "TagValues")
    if not 1 <= len(values) <= VALUES_MAX:
        raise AwsError("InvalidInputException", f"1 to {VALUES_MAX} values, not {len(values)}")

    if not set(values) <= set(estate.lf_tags.get(key, ())):
        raise AwsError("EntityNotFoundException", f"LF-Tag {key} or a value of it is not found.")

    return key, values


OPERATIONS: Mapping[str, Callable[[Estate, Call], Json]] = {
    "ListLFTags": list_lf_tags,
    "SearchDatabasesByLFTags": search_databases,
    "SearchTablesByLFTags": search_tables,
}
