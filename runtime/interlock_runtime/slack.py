"""Slack's ``chat.postMessage``, as far as alerts need it; the only module that knows the Slack SDK.

Slack knows no idempotent post: when an answer is lost, whether the message stands in the channel
is unknown. It counts as not posted, since a message too many is better than one too few.
"""

from __future__ import annotations

import logging
import re
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from interlock_runtime.aws.secrets import Secrets
from interlock_runtime.core.errors import PermanentError, TransientError

#: Seconds to connect, and to wait for each part of an answer. Two posts fit the function's 30 s, which
#: happens when Slack takes the text of a message and not its blocks.
TIMEOUT = 8
#: Seconds to leave Slack alone when it does not say how long.
_PAUSE = 30

SLACK_URL = "https://slack.com/api/"

#: What Slack says of a message that it would take without its blocks.
_BLOCKS_REFUSED = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"})
#: What Slack says of a thread in which nobody can answer any more.
_THREAD_GONE = frozenset({"thread_not_found", "message_not_found", "cannot_reply_to_message"})
#: What Slack says when it is not itself, or wants to be left alone.
_TRANSIENT = frozenset(
    {
        "fatal_error",
        "internal_error",
        "rate_limited",
        "ratelimited",
        "request_timeout",
        "service_unavailable",
        "team_added_to_org",
    }
)
_NEW_TOKEN = "put the bot token of an installed Slack app into the secret or variable"  # noqa: S105 - advice
_INVITE = "check slack_channel_id, and invite the app to the channel"
#: What to do about refusals that only a person can mend.
_ADVICE: Mapping[str, str] = {
    "account_inactive": _NEW_TOKEN,
    "invalid_auth": _NEW_TOKEN,
    "not_authed": _NEW_TOKEN,
    "token_expired": _NEW_TOKEN,
    "token_revoked": _NEW_TOKEN,
    "missing_scope": "give the app the scope chat:write, and install it anew",
    "channel_not_found": _INVITE,
    "not_in_channel": _INVITE,
    "is_archived": "restore the channel, or set slack_channel_id to another",
}

_TOKEN = re.compile(r"[!-~]+")
_CODE = re.compile(r"\w{1,100}", re.ASCII)


@dataclass(frozen=True)
class Message:
    """A message: ``blocks`` as Slack lays it out, ``text`` for notifications and where blocks cannot be shown."""

    text: str
    blocks: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Posted:
    """A message that stands in the channel; ``blocks_refused`` says why only its text does."""

    ts: str
    blocks_refused: str | None = None


class ThreadGoneError(PermanentError):
    """Nobody can answer in the thread any more: its first message was deleted, for example."""


class Slack:
    """Posts to one channel. ``token`` gives the bot token when one is needed, or nothing when there is none.

    ``forget_token`` is called when Slack refuses the token, so that ``token`` finds a new one.
    """

    def __init__(
        self,
        channel: str,
        *,
        token: Callable[[], str],
        forget_token: Callable[[], None] = lambda: None,
        url: str = SLACK_URL,
        timeout: int = TIMEOUT,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._channel = channel
        self._token = token
        self._forget_token = forget_token
        self._url = url
        self._timeout = timeout
        self._monotonic = monotonic
        self._silent_until = 0.0

    def is_set_up(self) -> bool:
        """Whether there is a channel, and a token for it.

        Raises:
            PermanentError: the secret that should hold the token does not.
            TransientError: Secrets Manager did not answer.
        """
        return bool(self._channel and self._token())

    def post(self, message: Message, *, thread: str | None, broadcast: bool = False) -> Posted:
        """Post a message, as an answer in ``thread`` if there is one, and then with ``broadcast`` in the channel, too.

        Raises:
            ThreadGoneError: nobody can answer in the thread.
            PermanentError: Slack refuses the message until somebody mends the token or the channel.
            TransientError: Slack did not answer, or asked to be left alone for a while.
        """
        place: dict[str, Any] = {"thread_ts": thread, "reply_broadcast": broadcast} if thread else {}
        answer = self._send(text=message.text, blocks=message.blocks, **place)
        blocks_refused = None
        if isinstance(answer, _Refusal) and answer.code in _BLOCKS_REFUSED:
            blocks_refused = answer.told
            answer = self._send(text=message.text, **place)
        if isinstance(answer, _Refusal):
            raise answer.error()
        return Posted(answer, blocks_refused=blocks_refused)

    def _send(self, **arguments: Any) -> str | _Refusal:
        """The message's time stamp, which is its id, or why Slack refuses it."""
        wait = self._silent_until - self._monotonic()
        if wait > 0:
            raise TransientError(f"Slack wants to be left alone for another {wait:.0f} s")
        # A quarter of a second to load, and only a post needs it.
        from slack_sdk import WebClient  # noqa: PLC0415
        from slack_sdk.errors import SlackApiError  # noqa: PLC0415

        client = WebClient(
            _checked(self._token()), base_url=self._url, timeout=self._timeout, retry_handlers=[], logger=_mute()
        )
        try:
            answer = client.chat_postMessage(channel=self._channel, unfurl_links=False, unfurl_media=False, **arguments)
            return str(answer["ts"])
        except SlackApiError as error:
            return self._refusal(error.response)
        except Exception as error:  # noqa: BLE001 - whatever it was, Slack did not say that it took the message
            told = _told(error)
            # The SDK leaves an answer that breaks off open, and a frame of it holds the error that holds the frame.
            traceback.clear_frames(error.__traceback__)
        raise TransientError(f"Slack did not answer: {told}")

    def _refusal(self, answer: Any) -> _Refusal:
        if answer.status_code == 429:
            pause = _seconds(answer.headers)
            self._silent_until = self._monotonic() + pause
            raise TransientError(f"Slack wants to be left alone for {pause} s")
        refusal = _Refusal.of(answer.data)
        if answer.status_code >= 500 or refusal is None:
            raise TransientError(f"Slack answered with status {answer.status_code}, not as Slack answers")
        if _ADVICE.get(refusal.code) == _NEW_TOKEN:
            self._forget_token()
        return refusal


@dataclass(frozen=True)
class _Refusal:
    """Slack's code for why it does not take a message, and all that it told."""

    code: str
    told: str

    @classmethod
    def of(cls, answer: Any) -> _Refusal | None:
        code = answer.get("error") if isinstance(answer, Mapping) else None
        if not isinstance(code, str) or not _CODE.fullmatch(code):
            return None
        metadata = answer.get("response_metadata")
        messages = metadata.get("messages") if isinstance(metadata, Mapping) else None
        return cls(code, f"{code} {messages}"[:1000] if messages else code)

    def error(self) -> PermanentError | TransientError:
        """The exception that says so."""
        if self.code in _TRANSIENT:
            return TransientError(f"Slack answered {self.told}")
        text = f"Slack refused the message: {self.told}"
        if self.code in _THREAD_GONE:
            return ThreadGoneError(text)
        return PermanentError(f"{text}; {_ADVICE[self.code]}" if self.code in _ADVICE else text)


def secret_token(secrets: Secrets, name: str) -> str:
    """The token in a secret, which is its text, or JSON with the key ``token``.

    Raises:
        PermanentError: there is no such secret, or no token in it.
        TransientError: Secrets Manager did not answer.
    """
    text = secrets.get(name)
    return (secrets.get(name, "token") if text.lstrip().startswith("{") else text).strip()


def _checked(token: str) -> str:
    if not _TOKEN.fullmatch(token):
        raise PermanentError("the Slack token holds characters that no token has; expected letters, digits, '-'")
    return token


def _seconds(headers: Mapping[str, Any]) -> int:
    """How long Slack wants to be left alone, from the header ``Retry-After``."""
    text = next((str(value) for name, value in headers.items() if name.lower() == "retry-after"), "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else _PAUSE


def _told(error: Exception) -> str:
    """What failed on the way to Slack and back; of any other error only its name, since its text may hold the token."""
    name = type(error).__name__
    return f"{name}: {getattr(error, 'reason', error)}" if isinstance(error, OSError) else name


def _mute() -> logging.Logger:
    """A logger of which nothing is heard: what the SDK tells is told by the error."""
    return logging.Logger("slack_sdk", level=logging.CRITICAL + 1)
