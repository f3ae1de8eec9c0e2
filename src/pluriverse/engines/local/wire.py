"""Frames between an engine's process and the one that asks: a JSON document and, for logits, raw bytes behind it.

    u32 length of JSON, u32 length of bytes (little-endian), JSON in UTF-8, bytes

Knows nothing of what the documents mean.
"""

import json
import struct
from typing import Any, BinaryIO

_HEAD = struct.Struct("<II")
HEAD_SIZE = _HEAD.size

Document = dict[str, Any]


def pack(document: Document, data: bytes = b"") -> bytes:
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return b"".join((_HEAD.pack(len(text), len(data)), text, data))


def lengths(head: bytes) -> tuple[int, int]:
    """Bytes of JSON and of data that follow a head of `HEAD_SIZE` bytes."""
    text, data = _HEAD.unpack(head)
    return text, data


def unpack(text: bytes) -> Document:
    document: Document = json.loads(text.decode("utf-8", "surrogatepass"))
    return document


def read(stream: BinaryIO) -> tuple[Document, bytes] | None:
    """The next frame from a blocking stream, or None at its end."""
    head = stream.read(HEAD_SIZE)
    if len(head) < HEAD_SIZE:
        return None
    text, data = lengths(head)
    return unpack(stream.read(text)), stream.read(data)
