"""AWS clients, made when first asked for; a client that is not needed costs nothing at cold start.

botocore is used directly: boto3 adds only conveniences that are not used here, and import time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from interlock_runtime.aws.refusals import is_final
from interlock_runtime.core.errors import InterlockError, PermanentError, TransientError

#: Seconds to connect, and to wait for an answer, in calls that may be repeated safely.
_CONNECT_TIMEOUT = 2.0
_READ_TIMEOUT = 5.0
#: How often a call that may be repeated safely is tried in total.
_ATTEMPTS = 4


def botocore_session() -> Any:
    """A session of botocore."""
    # botocore takes a third of a second to load, and only a function's first call needs it.
    from botocore.session import get_session  # noqa: PLC0415

    return get_session()


class Clients:
    """botocore clients of one process, by service and behaviour. Threads may ask for them; each is made once.

    ``session`` opens what makes them.
    """

    def __init__(self, session: Callable[[], Any] = botocore_session) -> None:
        self._lock = threading.Lock()
        self._open_session = session
        self._session: Any = None
        self._made: dict[tuple[str, int, float], Any] = {}

    def repeating(self, service: str) -> Any:
        """A client that repeats calls: for those whose repetition does no harm."""
        return self._client(service, attempts=_ATTEMPTS, read_timeout=_READ_TIMEOUT)

    def __call__(self, service: str, *, read_timeout: float = _READ_TIMEOUT) -> Any:
        """A client that tries each call once; ``read_timeout`` in seconds."""
        return self._client(service, attempts=1, read_timeout=read_timeout)

    def _client(self, service: str, *, attempts: int, read_timeout: float) -> Any:
        key = (service, attempts, read_timeout)
        with self._lock:
            if key not in self._made:
                self._made[key] = self._make(service, attempts=attempts, read_timeout=read_timeout)
            return self._made[key]

    def _make(self, service: str, *, attempts: int, read_timeout: float) -> Any:
        self._session = self._session or self._open_session()
        from botocore.config import Config  # noqa: PLC0415 - loaded by now, with the session

        config = Config(
            connect_timeout=_CONNECT_TIMEOUT,
            read_timeout=read_timeout,
            retries={"mode": "standard", "total_max_attempts": attempts},
        )
        return self._session.create_client(service, config=config)


def translated(error: Exception) -> InterlockError:
    """An exception of botocore as one of ours: permanent only when it is sure to come again."""
    text = f"{type(error).__name__}: {error}"
    return PermanentError(text) if is_final(error) else TransientError(text)
