"""A socket on which all waiting together ends at one deadline.

The time-out of a plain socket starts anew with every byte that arrives; a server that sends one
byte a second never meets it.
"""

from __future__ import annotations

import io
import socket
from collections.abc import Callable
from typing import Any


class Deadline:
    """A point in monotonic time, ``seconds`` from now."""

    def __init__(self, seconds: float, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._end = monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left, more than none.

        Raises:
            TimeoutError: none are left.
        """
        left = self._end - self._monotonic()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        return left


class TimedSocket:
    """As much of a connection as an HTTP exchange needs."""

    def __init__(self, connection: socket.socket, deadline: Deadline) -> None:
        self._connection = connection
        self._deadline = deadline

    def send(self, data: bytes) -> None:
        """Send all of ``data``.

        Raises:
            OSError: the connection broke, or (TimeoutError) the deadline passed.
        """
        view = memoryview(data)
        while view:
            self._connection.settimeout(self._deadline.remaining())
            view = view[self._connection.send(view) :]

    def receive_into(self, buffer: Any) -> int:
        """Receive what is there, at least a byte; 0 at the end. Raises as :meth:`send` does."""
        self._connection.settimeout(self._deadline.remaining())
        return self._connection.recv_into(buffer)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What arrives, as a file; the name is the one by which an HTTP parser asks for it."""
        return io.BufferedReader(_Incoming(self))


class _Incoming(io.RawIOBase):
    def __init__(self, source: TimedSocket) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._source.receive_into(buffer)
