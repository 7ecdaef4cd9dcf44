"""Values as Athena writes them in result files and pages."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from datetime import datetime, time, timezone


def render_row(row: Sequence[object], kinds: Sequence[str]) -> list[str | None]:
    """The values of a row as text, None for NULL.

    Args:
        kinds: DuckDB's type of each column.
    """
    return [_render_top(value, kind) for value, kind in zip(row, kinds, strict=True)]


def render_double(value: float) -> str:
    """A double as ``java.lang.Double.toString`` writes it."""
    return _java_decimal(value, repr(value))


def render_real(value: float) -> str:
    """A 32-bit float as ``java.lang.Float.toString`` writes it."""
    if math.isnan(value) or math.isinf(value):
        return _java_decimal(value, "")

    # The fewest digits that give the same 32 bits; nine always do.
    texts = (f"{value:.{digits}g}" for digits in range(1, 10))
    bits = struct.pack("f", value)
    return _java_decimal(
        value, next(text for text in texts if struct.pack("f", float(text)) == bits)
    )


def _java_decimal(value: float, text: str) -> str:
    if math.isnan(value):
        return "NaN"

    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"

    sign = "-" if math.copysign(1.0, value) < 0 else ""
    mantissa, _, exponent = text.lstrip("-").lower().partition("e")
    whole, _, fraction = mantissa.partition(".")
    point = len(whole) + int(exponent or 0)
    digits = whole + fraction
    leading = len(digits) - len(digits.lstrip("0"))
    digits, point = digits.strip("0"), point - leading
    if not digits:
        return f"{sign}0.0"

    if -3 < point <= 7:
        digits = digits.rjust(len(digits) - min(point, 0), "0") if point <= 0 else digits
        if point <= 0:
            return f"{sign}0.{digits}"

        return f"{sign}{digits[:point].ljust(point, '0')}.{digits[point:] or '0'}"

    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{point - 1}"


def _render_top(value: object, kind: str) -> str | None:
    if value is None or isinstance(value, str):
        return value

    if kind == "FLOAT" and isinstance(value, float):
        return render_real(value)

    return _render(value)


def _render(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case float():
            return render_double(value)
        case datetime():
            return _render_timestamp(value)
        case time():
            return value.isoformat(timespec="milliseconds")
        case bytes():
            return value.hex(" ")
        case list():
            return "[" + ", ".join(map(_render, value)) + "]"
        case dict():
            return "{" + ", ".join(f"{key}={_render(item)}" for key, item in value.items()) + "}"
        case _:
            return str(value)


def _render_timestamp(value: datetime) -> str:
    if value.tzinfo is None:
        return value.isoformat(sep=" ", timespec="milliseconds")

    utc = value.astimezone(timezone.utc).replace(tzinfo=None)
    return f"{utc.isoformat(sep=' ', timespec='milliseconds')} UTC"
