"""Secrets Manager, remembered for a few minutes and never longer."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from interlock_runtime.aws.calls import ask
from interlock_runtime.core.errors import PermanentError

#: For how many seconds a secret that was read is used again.
KEEP_SECONDS = 300


class Secrets:
    """Reads secrets by name or ARN. ``client`` gives a Secrets Manager client when one is needed."""

    def __init__(self, client: Callable[[], Any], *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._monotonic = monotonic
        self._kept: dict[str, tuple[float, str]] = {}

    def get(self, name: str, key: str | None = None) -> str:
        """The secret's text, or the value under ``key`` when the secret is a JSON object.

        Raises:
            PermanentError: there is no such secret, no text, or no such key.
            TransientError: Secrets Manager did not answer, or the permission is not there yet.
        """
        text = self._text(name)
        return text if key is None else _member(text, key)

    def forget(self) -> None:
        """Read every secret anew."""
        self._kept.clear()

    def _text(self, name: str) -> str:
        now = self._monotonic()
        expires, text = self._kept.get(name, (now, ""))
        if expires <= now:
            answer = ask(self._client(), "get_secret_value", SecretId=name)
            if "SecretString" not in answer:
                raise PermanentError("the secret is binary; expected text")
            text = answer["SecretString"]
            self._kept[name] = (now + KEEP_SECONDS, text)
        return text


def _member(text: str, key: str) -> str:
    try:
        members = json.loads(text)
    except ValueError:
        members = None  # the parser's error holds the secret's text, so it goes no further
    if not isinstance(members, dict):
        raise PermanentError(f"the secret is not a JSON object, so it has no key {key!r}")
    value = members.get(key)
    if value is None:
        raise PermanentError(f"the secret has no value under the key {key!r}")
    return value if isinstance(value, str) else json.dumps(value)
