"""Foreign text, cut down to what may go into a message."""

from __future__ import annotations

#: How many characters of a foreign text reach a message.
EXCERPT_LENGTH = 512


def excerpt(text: str | bytes) -> str:
    """The first 512 printable characters of ``text``, on one line."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    line = " ".join(printable.split())
    return line if len(line) <= EXCERPT_LENGTH else line[: EXCERPT_LENGTH - 1] + "…"
