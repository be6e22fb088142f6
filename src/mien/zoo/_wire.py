"""The wire format of protocol buffers, as far as ONNX files need it.

Source: the encoding guide of Protocol Buffers and the field numbers of onnx.proto. It spares the base
installation the onnx package, which only training needs.
"""

from __future__ import annotations

from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


class WireError(ValueError):
    """The bytes are not a message."""


def read(message: bytes | memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield each field of a message: its number, and an int (varint) or its bytes.

    Raises:
        WireError: the message is cut off or malformed.
    """
    data, place = memoryview(message), 0
    while place < len(data):
        key, place = _read_varint(data, place)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            value, place = _read_varint(data, place)
            yield number, value
            continue
        if kind == BYTES:
            length, place = _read_varint(data, place)
        elif kind in (FIXED32, FIXED64):
            length = 4 if kind == FIXED32 else 8
        else:
            raise WireError(f"unknown wire type {kind}")
        if place + length > len(data):
            raise WireError("the message is cut off")
        yield number, data[place : place + length]
        place += length


def _read_varint(data: memoryview, place: int) -> tuple[int, int]:
    value = shift = 0
    while place < len(data) and shift < 70:
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7
    raise WireError("a number is cut off or too long")


def text(value: int | memoryview) -> str:
    """Return a field as text."""
    if isinstance(value, int):
        raise WireError("a number stands where a text belongs")
    return bytes(value).decode("utf-8", "replace")


def part(value: int | memoryview) -> memoryview:
    """Return a field as the message or bytes it holds."""
    if isinstance(value, int):
        raise WireError("a number stands where a message belongs")
    return value


def numbers(value: int | memoryview) -> list[int]:
    """Return one occurrence of a repeated integer field, which may be packed."""
    if isinstance(value, int):
        return [value]
    found, place = [], 0
    while place < len(value):
        number, place = _read_varint(value, place)
        found.append(number)
    return found


def field(number: int, value: int | str | bytes) -> bytes:
    """Return one encoded field: a varint for an int of at least 0, else the bytes with their length."""
    if isinstance(value, int):
        return _varint(number << 3 | VARINT) + _varint(value)
    content = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | BYTES) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
