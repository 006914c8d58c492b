from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock_tf.packaging.archive import Entry, entries_of, zip_bytes

NAMES = st.text(st.characters(exclude_characters="\0/\\", exclude_categories=["Cs"]), min_size=1, max_size=20)


def _opened(content: bytes) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert archive.testzip() is None
    return archive


@given(st.dictionaries(NAMES, st.binary(max_size=200), max_size=8))
def test_a_stored_file_is_read_back_as_it_was(files: dict[str, bytes]) -> None:
    archive = _opened(zip_bytes(Entry.stored(name, content) for name, content in files.items()))
    assert {name: archive.read(name) for name in archive.namelist()} == files


def test_the_order_in_which_entries_come_does_not_matter() -> None:
    entries = [Entry.stored("b", b"2"), Entry.stored("a", b"1")]
    assert zip_bytes(entries) == zip_bytes(reversed(entries))
    assert _opened(zip_bytes(entries)).namelist() == ["a", "b"]


def test_time_and_mode_of_an_entry_are_fixed() -> None:
    (info,) = _opened(zip_bytes([Entry.stored("a", b"1")])).infolist()
    assert info.date_time == (1980, 1, 1, 0, 0, 0)
    assert info.external_attr >> 16 == 0o100644


def test_entries_of_another_archive_keep_their_compressed_bytes() -> None:
    text = b"the same words over and over " * 100
    source = io.BytesIO()
    with zipfile.ZipFile(source, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("kept.txt", text)
        archive.writestr("dropped.txt", text)
        archive.mkdir("folder")
    copied = list(entries_of(source.getvalue(), lambda name: name.startswith("kept")))
    assert [entry.name for entry in copied] == ["kept.txt"]
    assert len(copied[0].data) < len(text) / 10
    assert _opened(zip_bytes(copied)).read("kept.txt") == text


def test_an_archive_that_was_streamed_can_be_copied() -> None:
    class Pipe(io.RawIOBase):
        """Cannot seek, so that zipfile writes the sizes behind the data."""

        written = b""

        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override]
            self.written += bytes(data)
            return len(data)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", b"a" * 1000)
    assert _opened(zip_bytes(entries_of(pipe.written, lambda _: True))).read("a.txt") == b"a" * 1000


def test_a_name_that_occurs_twice_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a\.py occurs twice"):
        zip_bytes([Entry.stored("a.py", b"1"), Entry.stored("a.py", b"2")])
