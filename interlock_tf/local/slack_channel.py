"""Slack's channel: alerts are posted here, and not to Slack, whatever token a stack has."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from interlock_tf.local.disturbances import Invocation, UnansweredError
from interlock_tf.local.functions import Functions


@dataclass(frozen=True, kw_only=True)
class Post:
    """A message that stands in the channel, and the invocation that posted it."""

    at: datetime
    ts: str
    text: str
    thread: str | None
    invocation: Invocation


class SlackChannel:
    """The channel of all functions; ``posts`` are what stands there, in order."""

    def __init__(self, functions: Functions, *, now: Callable[[], datetime]) -> None:
        self.posts: list[Post] = []
        self._functions = functions
        self._now = now

    def surround(self, slack: Any) -> Any:
        """What stands for the runtime's client of Slack. Whether there is a token, that one knows."""
        return _Client(slack, self)

    def post(self, message: Any, *, thread: str | None) -> str:
        """Post a message; its time stamp, which is its id.

        Raises:
            UnansweredError: there was no answer.
        """
        invocation = self._functions.running[-1]

        def act() -> str:
            now = self._now()
            ts = f"{now.timestamp():.0f}.{len(self.posts):06}"
            self.posts.append(Post(at=now, ts=ts, text=message.text, thread=thread, invocation=invocation))
            return ts

        return str(self._functions.disturbances.request(invocation, act))


class _Client:
    def __init__(self, slack: Any, channel: SlackChannel) -> None:
        self._slack = slack
        self._channel = channel
        # The function has classes of its own.
        self._module = sys.modules[type(slack).__module__]

    def is_set_up(self) -> bool:
        return bool(self._slack.is_set_up())

    def post(self, message: Any, *, thread: str | None, broadcast: bool = False) -> Any:
        try:
            return self._module.Posted(self._channel.post(message, thread=thread))
        except UnansweredError as error:
            raise self._module.TransientError(f"Slack did not answer: {error}") from None
