"""Data on its way into the page: JSON by columns, gzip, base64. Holds texts, no rows."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Iterator
from io import StringIO

import msgspec

_GZIP = 16 + zlib.MAX_WBITS
_LEVEL = 9

_encoder = msgspec.json.Encoder()


def json_text(value: object) -> str:
    """*value* as JSON."""
    return _encoder.encode(value).decode()


def pack(text: str | Iterable[str]) -> bytes:
    """JSON as gzip and base64, which can stand in any element."""
    parts = (text,) if isinstance(text, str) else text
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    packed = [packer.compress(part.encode()) for part in parts]
    return base64.b64encode(b"".join((*packed, packer.flush())))


# What JSON need not escape: printable ASCII without the quote and the backslash.
_DIGITS = "".join(chr(code) for code in range(35, 127) if code != 92)


def digits(number: int, width: int) -> str:
    """*number* in *width* digits of base 91, each a character of ASCII: packs smaller than decimal.

    Raises:
        OverflowError: It has more digits.
    """
    found = ""
    for _ in range(width):
        number, rest = divmod(number, len(_DIGITS))
        found = _DIGITS[rest] + found

    if number:
        raise OverflowError(f"more than {width} digits")

    return found


def width_of(count: int) -> int:
    """The digits that numbers below *count* need."""
    width = 1
    while len(_DIGITS) ** width < count:
        width += 1

    return width


class Columns:
    """Rows as a JSON object of lists, one a column."""

    def __init__(self, *names: str) -> None:
        self._texts = {name: StringIO() for name in names}
        self.count = 0

    def add(self, *values: object) -> None:
        """Append a row: a value for each column."""
        for text, value in zip(self._texts.values(), values, strict=True):
            text.write("," if self.count else "")
            text.write(str(value) if isinstance(value, int) else json_text(value))

        self.count += 1

    def json(self) -> Iterator[str]:
        """Yield the object as JSON, a column at a time."""
        for place, (name, text) in enumerate(self._texts.items()):
            yield f"{',' if place else '{'}{json_text(name)}:["
            yield text.getvalue()
            yield "]"

        yield "}"
