"""Analysis of one statement: kind, target, tables read and lineage.

Three steps, so that the middle one can run elsewhere: ``plan`` (this process, cheap, no parser),
``read_query`` (a worker), ``finish`` (this process). ``analyse`` does all three.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from kada_athena_async.sql.clean import clean
from kada_athena_async.sql.engine_choice import choose_engine, find_query
from kada_athena_async.sql.immediate import immediate_text
from kada_athena_async.sql.literals import Literal, find_literals
from kada_athena_async.sql.locations import find_locations, find_table_location
from kada_athena_async.sql.masking import HIVE_DIALECTS, is_unmaskable, mask_sql
from kada_athena_async.sql.names import Context, TableName, complete
from kada_athena_async.sql.parse_request import ParsedQuery, ParseRequest, Read, mentioned
from kada_athena_async.sql.prepared import PreparedStatements
from kada_athena_async.sql.relations import KnownTable, Output, Source
from kada_athena_async.sql.schema_index import SchemaIndex
from kada_athena_async.sql.statement import NOT_UNDERSTOOD, Routed, route

HIDDEN_LOCATION = "s3://?"
"""Stands for an S3 location, which is a literal of the statement, where literals are masked."""

_HIDDEN_LOCATION = re.compile(
    r"(?:\blocation(?:\s*=)?|\bexternal_location\s*=|\A\s*unload\b[\s\S]*\)\s*to)\s*\?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A statement or the text of a view; masked or not, only S3 locations need it unmasked.

    Attributes:
        catalog, schema: What it ran in; for a view, where the view lies.
        view: The view whose query *sql* is; None for a statement.
        dialect: ``hive`` or ``spark`` for the text of a view that these made.
        workgroup: Where it ran; distinguishes prepared statements of the same name.
        submitted_at: When; which text a prepared statement had depends on it.
        is_masked: Nothing in *sql* is left to mask, S3 locations neither: it is not masked again.
    """

    sql: str
    catalog: str | None = None
    schema: str | None = None
    statement_type: str | None = None
    substatement_type: str | None = None
    view: TableName | None = None
    dialect: str = "athena"
    workgroup: str = ""
    submitted_at: datetime | None = None
    is_masked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """Analysis of a statement.

    Attributes:
        kind: As in ``Routed``.
        is_explained: Nothing was run: EXPLAIN or PREPARE.
        target: The table or view that it writes, creates, changes or drops.
        reads: What it reads, in order; for DELETE, UPDATE and MERGE the target too.
        outputs: The columns of the target that it fills, with their sources; None if not known.
        influences: As in ``ParsedQuery``.
        locations: The S3 locations that it names after LOCATION, TO or external_location.
        problems: Why something could not be found out, as words.
        is_parsed: False if *reads* is a guess.
    """

    kind: str
    is_explained: bool = False
    target: TableName | None = None
    reads: tuple[Read, ...] = ()
    outputs: tuple[Output, ...] | None = None
    influences: tuple[Source, ...] = ()
    locations: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    is_parsed: bool = True


class Plan(NamedTuple):
    """A statement as far as it is understood without a parser."""

    routed: Routed
    context: Context
    locations: tuple[str, ...]
    question: ParseRequest | None


def analyse(
    statement: Statement, schema: SchemaIndex, prepared: PreparedStatements | None = None
) -> Analysis:
    """Return what *statement* does.

    Args:
        schema: The columns that are known.
        prepared: To resolve EXECUTE.
    """
    # Loaded here: a process that leaves the parsing to workers need not hold the parser.
    from kada_athena_async.sql.lineage import read_query  # noqa: PLC0415

    planned = plan(statement, schema, prepared)
    reading = read_query(planned.question) if planned.question else None
    return finish(planned, reading, schema)


def plan(
    statement: Statement, schema: SchemaIndex, prepared: PreparedStatements | None = None
) -> Plan:
    """Say what a statement is, and what is to be asked of the parser, if anything."""
    context = Context(statement.catalog, statement.schema)
    if statement.dialect in HIVE_DIALECTS:
        context = context._replace(synonym="spark_catalog")
    masked = masked_text(statement)
    if is_unmaskable(masked):
        return Plan(Routed(kind="UNKNOWN"), context, (), None)

    text = clean(masked)
    routed = Routed(kind="VIEW", query=text) if statement.view else route(text)
    inner = _inner(routed, statement, prepared)
    if inner is not None:
        planned = plan(inner, schema)
        is_explained = routed.is_explained or planned.routed.is_explained
        return planned._replace(routed=replace(planned.routed, is_explained=is_explained))

    question = None
    if routed.query:
        dialect = "hive" if statement.dialect in HIVE_DIALECTS else "trino"
        tables = _known_tables(routed.query, context, schema)
        question = ParseRequest(routed.query.strip(), dialect, context, tables)
    if statement.view:
        routed = replace(routed, target=tuple(statement.view))
    return Plan(routed, context, _locations(statement, routed, text), question)


def masked_text(statement: Statement) -> str:
    """The text of a statement or view without literals; masked here if it is not masked yet."""
    if statement.is_masked:
        return statement.sql

    return mask_sql(
        statement.sql,
        statement_type=statement.statement_type,
        substatement_type=statement.substatement_type,
        dialect=statement.dialect,
    )


def _inner(
    routed: Routed, statement: Statement, prepared: PreparedStatements | None
) -> Statement | None:
    """The statement that EXECUTE runs, if it can be known."""
    if routed.kind == "EXECUTE" and prepared:
        text = prepared.in_force(statement.workgroup, routed.name, statement.submitted_at)
    else:
        text = immediate_text(statement.sql) if routed.kind == "IMMEDIATE" else None
    if not text:
        return None

    # What Athena says that the statement is, it says of the EXECUTE.
    return replace(statement, sql=text, view=None, statement_type=None, substatement_type=None)


def _known_tables(query: str, context: Context, schema: SchemaIndex) -> tuple[KnownTable, ...]:
    known = []
    for name in mentioned(query, context):
        columns = schema.columns(name)
        if columns is not None:
            known.append(KnownTable(schema.spelling(name), columns))

    return tuple(known)


def _locations(statement: Statement, routed: Routed, masked: str) -> tuple[str, ...]:
    """The S3 locations that a statement names; ``s3://?`` where they are hidden already."""
    if routed.kind not in _NAMES_LOCATIONS:
        return ()

    if "s3" in statement.sql:
        literals = _literals(statement)
        found = [url for _, url in find_locations(statement.sql, literals)]
        if routed.kind == "CTAS":
            found += find_table_location(statement.sql, literals)
        if found:
            return tuple(dict.fromkeys(found))

    is_hidden = statement.is_masked or masked == clean(statement.sql)
    if routed.kind == "CTAS":
        masked = masked[: find_query(masked)]
    return (HIDDEN_LOCATION,) if is_hidden and _HIDDEN_LOCATION.search(masked) else ()


def _literals(statement: Statement) -> list[Literal]:
    engine = choose_engine(
        statement.sql,
        statement_type=statement.statement_type,
        substatement_type=statement.substatement_type,
    ).engine
    return find_literals(statement.sql, engine)[0]


def finish(planned: Plan, reading: ParsedQuery | None, schema: SchemaIndex) -> Analysis:
    """Put together what the words and the parser say of a statement."""
    routed = planned.routed
    target = complete(routed.target, planned.context) if routed.target else None
    analysis = Analysis(
        kind=routed.kind,
        is_explained=routed.is_explained,
        target=schema.spelling(target) if target else None,
        locations=planned.locations,
        problems=tuple({routed.kind.lower()} & NOT_UNDERSTOOD),
    )
    if routed.renamed and analysis.target:
        reading = _renamed(routed, planned.context, schema, analysis.target)
    if reading is None:
        return analysis

    outputs, problems = reading.outputs, reading.problems
    if outputs is not None and analysis.target and routed.kind in _NAMES_OUTPUTS:
        names = _filled(routed, schema.columns(analysis.target) or ())
        if len(names) == len(outputs):
            pairs = zip(names, outputs, strict=True)
            outputs = tuple(Output(name, output.sources) for name, output in pairs)
        elif routed.kind == "INSERT":
            outputs, problems = None, (*problems, "unknown_target_columns")
        elif routed.kind == "VIEW" and names:  # made before a table of it changed, or misread
            known = {name.lower() for name in names}
            outputs = tuple(output for output in outputs if output.name.lower() in known)
            problems = (*problems, "unknown_target_columns")

    return replace(
        analysis,
        reads=reading.reads,
        outputs=outputs,
        influences=reading.influences,
        problems=problems,
        is_parsed=reading.is_parsed,
    )


def _renamed(
    routed: Routed, context: Context, schema: SchemaIndex, target: TableName
) -> ParsedQuery | None:
    """RENAME as a query of all columns of the table under its old name, which are the new one's."""
    if (old := complete(routed.renamed, context)) is None:
        return None

    source, columns = schema.spelling(old), schema.columns(target) or ()
    outputs = tuple(Output(name, frozenset((Source(source, name),))) for name in columns)
    return ParsedQuery((Read(source, None),), outputs or None, ())


def _filled(routed: Routed, columns: tuple[str, ...]) -> tuple[str, ...]:
    """The columns of the target that the query's outputs go to, in their order.

    Args:
        columns: Those of the target, if they are known.
    """
    if routed.kind == "CTAS":
        return routed.target_columns

    spelled = {column.lower(): column for column in columns}
    if routed.target_columns:
        return tuple(spelled.get(name.lower(), name) for name in routed.target_columns)

    # A column whose value is given is not in the query; the others of the partition come last.
    partition = dict(routed.partition)
    others = [column for key, column in spelled.items() if key not in partition]
    last = [
        spelled[name] for name, is_given in partition.items() if name in spelled and not is_given
    ]
    return (*others, *last)


# NONE: databases are created and altered without a table.
_NAMES_LOCATIONS = ("CREATE", "ALTER", "CTAS", "UNLOAD", "NONE")
_NAMES_OUTPUTS = ("INSERT", "VIEW", "CTAS")
