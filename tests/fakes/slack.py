"""A Slack on this machine: ``chat.postMessage`` with Slack's limits, over HTTP."""

from __future__ import annotations

import itertools
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from threading import Event
from typing import Any, Self

from interlock_runtime.slack import Slack
from tests.fakes.web_server import Received, Reply, WebServer

TOKEN = "xoxb-1-a-test"
CHANNEL = "C0ALERTS"

#: Block Kit's limits, and the size at which Slack refuses a message as a whole.
BLOCKS, HEADER, SECTION, FIELDS, FIELD, ALL_BLOCKS, TEXT = 50, 150, 3000, 10, 2000, 11_000, 40_000

_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


@dataclass(frozen=True)
class Standing:
    """A message in a channel."""

    ts: str
    channel: str
    thread: str | None
    broadcast: bool
    text: str
    blocks: list[dict[str, Any]]

    @property
    def title(self) -> str:
        """Its header, or the first line of its text where it has no blocks."""
        return str(self.blocks[0]["text"]["text"]) if self.blocks else self.text.partition("\n")[0]

    @property
    def event_type(self) -> str:
        """The event type in its title."""
        found = re.search(r"[A-Z]+(_[A-Z]+)*", self.title)
        assert found, self.title
        return found[0]


class FakeSlack(WebServer):
    """Keeps what was posted, in order; ``messages`` are those that stand in the channels.

    ``error`` is what every post is answered with (``invalid_auth``); ``outage`` is the status of
    every answer while it is not None, ``retry_after`` its header. While ``hangs``, requests are
    read and never answered. The means to lose answers are those of :class:`WebServer`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[Standing] = []
        self.tokens = {TOKEN}
        self.channels = {CHANNEL}
        self.error: str | None = None
        self.outage: int | None = None
        self.retry_after: str | None = None
        self.hangs = False
        self.takes_blocks = True
        self._numbers = itertools.count(1)
        self._over = Event()

    def client(self, *, channel: str = CHANNEL, token: str | Callable[[], str] = TOKEN, **options: Any) -> Slack:
        """The runtime's client of this Slack."""
        options = {"url": f"{self.url}/api/", "token": (lambda: token) if isinstance(token, str) else token, **options}
        return Slack(channel, **options)

    def delete(self, ts: str) -> None:
        """Delete a message, as a person would."""
        self.messages = [each for each in self.messages if each.ts != ts]

    def thread_of(self, ts: str) -> list[Standing]:
        """A message and its answers."""
        return [each for each in self.messages if ts in (each.ts, each.thread)]

    def __enter__(self) -> Self:
        # The SDK takes every proxy that the environment names, for this machine, too.
        self._proxies = {name: os.environ.pop(name) for name in list(os.environ) if name.lower() in _PROXIES}
        return super().__enter__()

    def __exit__(self, *details: Any) -> None:
        os.environ.update(self._proxies)
        self._over.set()
        super().__exit__(*details)

    def answer(self, received: Received) -> Reply:
        if self.hangs:
            self._over.wait(30)
            return Reply(503)
        if self.outage is not None:
            headers = {} if self.retry_after is None else {"Retry-After": self.retry_after}
            return Reply(self.outage, b"<html>no JSON here</html>", headers)
        assert (received.method, received.path) == ("POST", "/api/chat.postMessage")
        request = json.loads(received.body)
        told = self._problem(received, request)
        if told is None:
            ts = f"17723{next(self._numbers):05}.000100"
            self.messages.append(_standing(ts, request))
            told = {"ok": True, "channel": request["channel"], "ts": ts}
        return Reply(200, told, {"Content-Type": "application/json; charset=utf-8"})

    def _problem(self, received: Received, request: Mapping[str, Any]) -> dict[str, Any] | None:
        scheme, _, token = received.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer":
            return _refusal("not_authed")
        if self.error is not None or token not in self.tokens:
            return _refusal(self.error or "invalid_auth")
        if request["channel"] not in self.channels:
            return _refusal("channel_not_found")
        if not request.get("text") or len(request["text"]) > TEXT:
            return _refusal("msg_too_long" if request.get("text") else "no_text")
        faults = list(block_faults(request.get("blocks", [])))
        if faults or (request.get("blocks") and not self.takes_blocks):
            return _refusal("invalid_blocks", faults)
        if sum(len(text) for text in _texts(request.get("blocks", []))) > ALL_BLOCKS:
            return _refusal("msg_blocks_too_long")
        thread = request.get("thread_ts")
        if thread is not None and not any(
            (each.ts, each.channel) == (thread, request["channel"]) for each in self.messages
        ):
            return _refusal("thread_not_found")
        return None


def block_faults(blocks: list[dict[str, Any]]) -> Iterator[str]:
    """What Slack finds wrong with blocks."""
    if len(blocks) > BLOCKS:
        yield f"no more than {BLOCKS} items allowed"
    for index, block in enumerate(blocks):
        place = f"/blocks/{index}"
        match block:
            case {"type": "header", "text": {"type": "plain_text", "text": str()}}:
                yield from _text_faults(f"{place}/text", block["text"], HEADER)
            case {"type": "section", "text": {"type": "mrkdwn" | "plain_text", "text": str()}}:
                yield from _text_faults(f"{place}/text", block["text"], SECTION)
            case {"type": "section", "fields": [_, *_]}:
                if len(block["fields"]) > FIELDS:
                    yield f"no more than {FIELDS} items allowed [json-pointer:{place}/fields]"
                for number, each in enumerate(block["fields"]):
                    yield from _text_faults(f"{place}/fields/{number}", each, FIELD)
            case _:
                yield f"failed to match all allowed schemas [json-pointer:{place}]"


def _text_faults(place: str, text: Mapping[str, Any], limit: int) -> Iterator[str]:
    known = {"type", "text", "emoji"} if text["type"] == "plain_text" else {"type", "text", "verbatim"}
    if text.keys() - known:
        yield f"no more than the known properties allowed [json-pointer:{place}]"
    # Whichever way of counting Slack uses, this one counts most.
    length = len(text["text"].encode("utf-16-le")) // 2
    if not text["text"].strip():
        yield f"must be more than 0 characters [json-pointer:{place}/text]"
    if length > limit:
        yield f"must be less than {limit + 1} characters [json-pointer:{place}/text]"
    if text["type"] == "mrkdwn" and re.search(r"<|>|&(?!(amp|lt|gt);)", text["text"]):
        yield f"a character is not escaped [json-pointer:{place}/text]"


def _texts(blocks: list[dict[str, Any]]) -> Iterator[str]:
    for block in blocks:
        for part in (block.get("text"), *block.get("fields", [])):
            if part:
                yield part["text"]


def _standing(ts: str, request: Mapping[str, Any]) -> Standing:
    return Standing(
        ts=ts,
        channel=request["channel"],
        thread=request.get("thread_ts"),
        broadcast=bool(request.get("reply_broadcast")),
        text=request["text"],
        blocks=request.get("blocks", []),
    )


def _refusal(error: str, messages: list[str] | None = None) -> dict[str, Any]:
    more = {"response_metadata": {"messages": [f"[ERROR] {each}" for each in messages]}} if messages else {}
    return {"ok": False, "error": error, **more}
