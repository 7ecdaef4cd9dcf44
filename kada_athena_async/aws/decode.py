"""Decodes the hot answers straight into typed values, without botocore's walk along its models.

That walk costs 10 to 25 ms for a page of 1,000 result rows against about 1 ms here (measured, see
benchmarks/bench_decode.py). Errors, retries, signing and every other operation stay botocore's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from aiobotocore.parsers import AioJSONParser, AioResponseParserFactory
from botocore.parsers import ResponseParserError

from kada_athena_async.aws.wire import ExecutionBatch, GluePage, ResultPage, TableMetadataPage

DECODED = "Decoded"
"""Key of an answer under which the typed value lies, beside ``ResponseMetadata``."""

_DECODERS: Mapping[str, msgspec.json.Decoder[Any]] = {
    "GetQueryResults": msgspec.json.Decoder(ResultPage),
    "BatchGetQueryExecution": msgspec.json.Decoder(ExecutionBatch),
    "ListTableMetadata": msgspec.json.Decoder(TableMetadataPage),
    "GetTables": msgspec.json.Decoder(GluePage),
}


class HotPathParser(AioJSONParser):  # type: ignore[misc]  # aiobotocore ships no types
    """Parser of AWS's JSON protocol that decodes the hot operations itself."""

    async def _do_parse(self, response: dict[str, Any], shape: object) -> dict[str, Any]:
        operation = response["context"].get("operation_name")
        decoder = _DECODERS.get(operation)
        if decoder is None:
            _check_whole(operation, response["body"], shape)
            parsed: dict[str, Any] = await super()._do_parse(response, shape)
            return parsed

        try:
            answer: dict[str, Any] = {DECODED: decoder.decode(response["body"])}
        except (msgspec.DecodeError, UnicodeDecodeError) as exc:
            # The message of msgspec carries no data, only the path and the expected type.
            raise ResponseParserError(f"{operation}: the answer cannot be decoded: {exc}") from None

        self._inject_response_metadata(answer, response["headers"])
        return answer


def _check_whole(operation: str, body: bytes, shape: Any) -> None:
    """Refuse a body that is no JSON object.

    botocore takes an empty body, or a page that some proxy put in the answer's place, for an
    answer with nothing in it: a list without items, which would look like a quiet night.
    """
    if shape is None or not shape.members:
        return

    try:
        msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise ResponseParserError(f"{operation}: the answer is no JSON object: {exc}") from None


class HotPathParserFactory(AioResponseParserFactory):  # type: ignore[misc]  # no types either
    """Registered as the session's ``response_parser_factory``."""

    def create_parser(self, protocol_name: str) -> Any:
        if protocol_name == "json":
            return HotPathParser(**self._defaults)

        return super().create_parser(protocol_name)
