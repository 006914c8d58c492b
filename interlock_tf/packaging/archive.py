"""Zip files whose bytes depend on their contents alone.

Python's ``zipfile`` writes the bytes of whichever zlib it was built with, and they differ between
versions and platforms. Here nothing is compressed: our own files are stored as they are, and the
entries of a wheel are copied as the compressed bytes that its publisher made. That is also fast.

The format is the classic one (no zip64): less than 65,536 entries, less than 4 GiB.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s4B4H3I5H2I")
_END = struct.Struct("<4s4H2IH")

_VERSION = 20  # 2.0: the oldest that knows deflate
_UNIX = 3
_UTF8_NAME = 0x800
_MIDNIGHT, _NEW_YEAR_1980 = 0, (1 << 5) | 1  # the earliest time that the format can hold
_PLAIN_FILE = 0o100644 << 16


@dataclass(frozen=True, order=True)
class Entry:
    """One file of an archive: ``data`` is compressed by ``method`` (0 stored, 8 deflated)."""

    name: str
    data: bytes
    method: int
    crc: int
    size: int

    @classmethod
    def stored(cls, name: str, content: bytes) -> Entry:
        """Return an entry that holds ``content`` as it is."""
        return cls(name, content, zipfile.ZIP_STORED, zlib.crc32(content), len(content))


def entries_of(archive: bytes, keep: Callable[[str], bool]) -> Iterator[Entry]:
    """Yield the files of a zip whose names ``keep`` accepts, with their bytes still compressed."""
    with zipfile.ZipFile(io.BytesIO(archive)) as zipped:
        for info in zipped.infolist():
            if info.is_dir() or not keep(info.filename):
                continue
            header = _LOCAL.unpack_from(archive, info.header_offset)
            start = info.header_offset + _LOCAL.size + header[-2] + header[-1]
            data = archive[start : start + info.compress_size]
            yield Entry(info.filename, data, info.compress_type, info.CRC, info.file_size)


def zip_bytes(entries: Iterable[Entry]) -> bytes:
    """Return the zip of ``entries``, sorted by name, every file dated 1980 with mode 0644.

    Raises ValueError when a name occurs twice.
    """
    body, directory = bytearray(), bytearray()
    ordered = sorted(entries)
    for before, entry in zip([None, *ordered], ordered, strict=False):
        if before is not None and before.name == entry.name:
            raise ValueError(f"{entry.name} occurs twice in the archive")
        name = entry.name.encode()
        flags = 0 if name.isascii() else _UTF8_NAME
        facts = (flags, entry.method, _MIDNIGHT, _NEW_YEAR_1980, entry.crc, len(entry.data), entry.size, len(name))
        directory += (
            _CENTRAL.pack(b"PK\x01\x02", _VERSION, _UNIX, _VERSION, 0, *facts, 0, 0, 0, 0, _PLAIN_FILE, len(body))
            + name
        )
        body += _LOCAL.pack(b"PK\x03\x04", _VERSION, *facts, 0) + name + entry.data
    end = _END.pack(b"PK\x05\x06", 0, 0, len(ordered), len(ordered), len(directory), len(body), 0)
    return bytes(body + directory + end)
