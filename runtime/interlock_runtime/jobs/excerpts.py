"""Foreign text, cut down to what may go into a message."""

from __future__ import annotations

#: How many characters of a foreign text reach a message.
EXCERPT_LENGTH = 512


def excerpt(text: str, limit: int = EXCERPT_LENGTH) -> str:
    """The first ``limit`` printable characters of ``text``, on one line."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    line = " ".join(printable.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
