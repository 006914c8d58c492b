"""Log lines of a pass, on which many threads speak at the same time."""

from __future__ import annotations

from typing import Any

from interlock_runtime.control.ports import Log


class Lines:
    """A log whose lines all tell what they are about, whatever others say to the same ``log`` meanwhile."""

    def __init__(self, log: Log, **subject: Any) -> None:
        self._log = log
        self._own = subject
        self._subject = subject

    def about(self, **fields: Any) -> None:
        """What the lines that follow are about, in place of what earlier ones were about."""
        self._subject = self._own | fields

    def also(self, **fields: Any) -> None:
        """What the lines that follow are about besides."""
        self._subject = self._subject | fields

    def debug(self, message: str, **fields: Any) -> None:
        """For whoever is looking for something."""
        self._log.debug(message, **self._subject | fields)

    def info(self, message: str, **fields: Any) -> None:
        """What was done."""
        self._log.info(message, **self._subject | fields)

    def warning(self, message: str, **fields: Any) -> None:
        """What was passed over, and why."""
        self._log.warning(message, **self._subject | fields)

    def error(self, message: str, **fields: Any) -> None:
        """What went wrong; inside an exception handler, with its traceback."""
        self._log.error(message, **self._subject | fields)
