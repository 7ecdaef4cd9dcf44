"""Decodes AWS's JSON answers straight into typed values, without botocore's models.

botocore's walk along its models costs 10 to 25 ms for a page of 1,000 result rows against about
1 ms here (measured, see benchmarks/bench_decode.py), and stumbles over what they do not allow.
Signing and every other operation stay botocore's.

- A body that is cut off or no JSON: asked for again.
- JSON without what the operation always sends (``{}``, ``{"error": ...}``): somebody answers in
  AWS's place. Asked for again a few times, then an error; never an empty list.
- JSON that does not fit: what fits is taken, the rest is named under ``UNREADABLE``.

A list that is null is an empty one. The services send their lists even where they are empty:
PyAthena, dbt-athena and moto read and write ``[]``, and no public report shows one that is absent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

import msgspec
from aiobotocore.parsers import (
    AioJSONParser,
    AioResponseParser,
    AioResponseParserFactory,
    AioRestJSONParser,
    resolve_awaitable,
)
from botocore.exceptions import ClientError

from kada_athena_async.aws import lenient, wire, wire_workgroup
from kada_athena_async.aws.error_codes import FOREIGN_ATTEMPTS, bare_code
from kada_athena_async.concurrency import offload
from kada_athena_async.errors import UnavailableError

DECODED = "Decoded"
"""Key of an answer under which the typed value lies, beside ``ResponseMetadata``."""

UNREADABLE = "Unreadable"
"""Key of an answer under which the paths of what could not be read lie, a tuple of texts."""


class _Answer(NamedTuple):
    kind: type[msgspec.Struct]
    decoder: msgspec.json.Decoder[Any]


ANSWER_KINDS: Mapping[str, type[msgspec.Struct]] = {
    "BatchGetQueryExecution": wire.ExecutionBatch,
    "GetCatalogs": wire.NestedCatalogPage,
    "GetDataCatalog": wire.CatalogAnswer,
    "GetDatabases": wire.DatabasePage,
    "GetQueryResults": wire.ResultPage,
    "GetTables": wire.GluePage,
    "GetWorkGroup": wire_workgroup.WorkgroupAnswer,
    "ListDataCatalogs": wire.CatalogPage,
    "ListDatabases": wire.DatabasePage,
    "ListLFTags": wire.LFTagPage,
    "ListQueryExecutions": wire.ExecutionIdPage,
    "ListTableMetadata": wire.TableMetadataPage,
    "ListWorkGroups": wire.WorkgroupPage,
    "LookupEvents": wire.TrailEventPage,
    "SearchDatabasesByLFTags": wire.TaggedDatabasePage,
    "SearchTablesByLFTags": wire.TaggedTablePage,
    "StartQueryExecution": wire.StartedQuery,
}


@cache
def _answer(operation: str) -> _Answer | None:
    """The decoder of an operation's answers, made for the first; None for one of botocore's."""
    kind = ANSWER_KINDS.get(operation)
    return None if kind is None else _Answer(kind, msgspec.json.Decoder(kind))


_SECRET_OPERATIONS = ("GetParameter", "GetSecretValue")


class _Hidden(bytes):
    """The body of an answer that holds a secret: botocore logs bodies where DEBUG is on."""

    def __repr__(self) -> str:
        return "(hidden)"

    __str__ = __repr__


class _AnswerParser(AioResponseParser):  # type: ignore[misc]  # aiobotocore ships no types
    """Decodes the operations we use itself, whichever of AWS's JSON protocols they have."""

    async def parse(self, response: dict[str, Any], shape: object) -> dict[str, Any]:
        """The answer, read; a body with a secret in it reaches no log."""
        if response["context"].get("operation_name") in _SECRET_OPERATIONS:
            response = {**response, "body": _Hidden(response["body"])}

        parsed: dict[str, Any] = await super().parse(response, shape)
        return parsed

    async def _do_parse(self, response: dict[str, Any], shape: object) -> dict[str, Any]:
        operation = response["context"].get("operation_name")
        answer = _answer(operation)
        if answer is None:
            return await self._parse_by_model(operation, response, shape)

        try:
            found: dict[str, Any] = {DECODED: answer.decoder.decode(response["body"])}
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            # Rare, and slow for a large page: not on the event loop.
            page, unreadable = await offload(lambda: _read(operation, answer, response))
            found = {DECODED: page, UNREADABLE: unreadable}

        self._inject_response_metadata(found, response["headers"])
        return found

    def _is_generic_error_response(self, response: dict[str, Any]) -> bool:
        return False  # a header may name the error all the same

    def _do_error_parse(self, response: dict[str, Any], shape: object) -> dict[str, Any]:
        error = _read_error(response)
        self._inject_response_metadata(error, response["headers"])
        return error

    def _do_modeled_error_parse(self, response: dict[str, Any], shape: object) -> dict[str, Any]:
        return {}  # what a model would add is read above, whatever its type

    async def _parse_by_model(
        self, operation: str, response: dict[str, Any], shape: Any
    ) -> dict[str, Any]:
        if shape is not None and shape.members:
            _check_whole(operation, response["body"])

        try:
            parsed: dict[str, Any] = await resolve_awaitable(super()._do_parse(response, shape))
        except (AttributeError, KeyError, TypeError, ValueError) as exc:
            raise UnavailableError(
                f"{operation}: the answer does not fit its model: {type(exc).__name__}",
                attempts=FOREIGN_ATTEMPTS,
            ) from None

        return parsed


class JsonAnswerParser(_AnswerParser, AioJSONParser):  # type: ignore[misc]
    """Parser of the JSON protocol: Athena, Glue, CloudTrail."""


class RestJsonAnswerParser(_AnswerParser, AioRestJSONParser):  # type: ignore[misc]
    """Parser of the REST JSON protocol: Lake Formation."""


_XML_ERROR = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?<(?P<root>[A-Z][A-Za-z]{2,80}(?:Exception|Error|Response))\b[^>]*>"
)
_XML_MEMBER = re.compile(rb"<(Code|Message)>([^<]{0,2000})</\1>", re.IGNORECASE)


def _xml_error(body: bytes) -> dict[str, str]:
    """The error in an answer of AWS's front end, which writes XML for services of JSON too."""
    root = _XML_ERROR.match(body)
    if root is None:
        return {}

    members = {
        name.decode().title(): text.decode("utf-8", "replace").strip()
        for name, text in _XML_MEMBER.findall(body[:_XML_CHARS])
    }
    named = root["root"].decode()
    return {"Code": named if named.endswith("Exception") else "", **members}


_XML_CHARS = 10_000


def _read_error(response: Mapping[str, Any]) -> dict[str, Any]:
    """The error of an answer, wherever it says it, as botocore's ``ClientError`` wants it.

    The type stands in ``__type``, in the header ``x-amzn-ErrorType`` or in ``code``, with or
    without namespace and URI; an answer without any is named by its HTTP status.
    """
    headers = {name.lower(): value for name, value in response["headers"].items()}
    try:
        document = lenient.parse(response["body"])
    except ValueError:
        document = _xml_error(response["body"])

    body: dict[str, Any] = document if isinstance(document, dict) else {}
    nested = body.get("Error")
    inner: dict[str, Any] = nested if isinstance(nested, dict) else {}
    types = [body.get("__type"), headers.get("x-amzn-errortype"), body.get("code")]
    codes = [bare_code(found) for found in (*types, body.get("Code"), inner.get("Code"))]
    texts = [body.get("message"), body.get("Message"), body.get("errorMessage")]
    return {
        "Error": {
            "Code": next(filter(None, codes), str(response["status_code"])),
            "Message": next((t for t in (*texts, inner.get("Message")) if isinstance(t, str)), ""),
        },
        "Reason": body.get("Reason"),
        "ResponseMetadata": {},
    }


def _read(
    operation: str, answer: _Answer, response: Mapping[str, Any]
) -> tuple[msgspec.Struct, tuple[str, ...]]:
    try:
        document = lenient.parse(response["body"])
    except ValueError:
        raise _broken(operation, response["body"]) from None

    try:
        return lenient.read_page(answer.kind, document)
    except lenient.ForeignError as exc:
        if isinstance(document, dict) and document.get("__type"):
            # An error that came with the status of success.
            raise ClientError(_read_error(response), operation) from None

        raise _foreign(operation, str(exc)) from None


def _check_whole(operation: str, body: bytes) -> None:
    """Refuse a body that is no JSON object.

    botocore takes an empty body, or a page that some proxy put in the answer's place, for an
    answer with nothing in it.
    """
    try:
        document = lenient.parse(body)
    except ValueError:
        raise _broken(operation, body) from None

    if not isinstance(document, dict):
        raise _broken(operation, body)


def _broken(operation: str, body: bytes) -> UnavailableError:
    if body.lstrip().startswith(b"<"):
        return _foreign(operation, "it is a page of HTML, or XML")

    return UnavailableError(f"{operation}: the answer is cut off, or no JSON")


def _foreign(operation: str, why: str) -> UnavailableError:
    return UnavailableError(
        f"{operation}: the answer is not one of AWS's: {why}",
        attempts=FOREIGN_ATTEMPTS,
        hint="something between this machine and AWS answers in its place: "
        "check the proxy and endpoint_url",
    )


class JsonAnswerParserFactory(AioResponseParserFactory):  # type: ignore[misc]  # no types either
    """Registered as the session's ``response_parser_factory``."""

    def create_parser(self, protocol_name: str) -> Any:
        own = {"json": JsonAnswerParser, "rest-json": RestJsonAnswerParser}.get(protocol_name)
        if own is not None:
            return own(**self._defaults)

        return super().create_parser(protocol_name)
