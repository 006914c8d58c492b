"""HTTP as the job types speak it: JSON out, a status and a JSON object back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from interlock_runtime.core.errors import PermanentError, TransientError
from interlock_runtime.jobs.contract import Call, Category, Services
from interlock_runtime.jobs.network import Request

_RETRIABLE_REFUSALS = frozenset({408, 429})


@dataclass(frozen=True)
class Reply:
    """An answer: its status and as much of its body as was read."""

    status: int
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether the service did as it was told."""
        return 200 <= self.status < 300

    def member(self, name: str) -> Any:
        """The value under ``name`` in the JSON object that the body is, or None.

        A body that was cut off still gives the members that came whole.
        """
        return _members(self.body.decode("utf-8", "replace")).get(name)


def send(
    services: Services, method: str, url: str, *, headers: Mapping[str, str], body: Any = None, timeout: float
) -> Reply:
    """Send one request, in one attempt, and read the answer. ``headers`` win over those that are set here.

    Raises:
        PermanentError: the request, the host or its TLS is refused.
        TransientError: no answer within ``timeout`` seconds.
    """
    content, defaults = content_of(body)
    request = Request(method=method, url=url, headers=merged(defaults, headers), body=content)
    with services.network.exchange(request, timeout=timeout) as answer:
        return Reply(answer.status, answer.body())


def content_of(body: Any) -> tuple[bytes, Mapping[str, str]]:
    """The bytes to send for ``body`` and the headers that describe them: text as it is, all else as JSON."""
    if body is None:
        return b"", {}
    if isinstance(body, str):
        return body.encode(), {}
    return json.dumps(body).encode(), {"Content-Type": "application/json"}


def merged(defaults: Mapping[str, str], headers: Mapping[str, str]) -> Mapping[str, str]:
    """``headers`` with those ``defaults`` that are not among them in any case of letters."""
    given = {name.lower() for name in headers}
    return {**{name: value for name, value in defaults.items() if name.lower() not in given}, **headers}


def category(status: int) -> Category:
    """What an HTTP status of 400 or more means for a retry."""
    refused = 400 <= status < 500 and status not in _RETRIABLE_REFUSALS
    return Category.PERMANENT if refused else Category.TRANSIENT


def refusal(call: Call[Any], reply: Reply, doing: str) -> PermanentError | TransientError:
    """The error for an answer that is not what was asked for."""
    if 300 <= reply.status < 400:
        return PermanentError(f"{doing}: answered with a redirect (HTTP {reply.status}), which is not followed")
    headline = f"{doing}: answered with HTTP {reply.status}"
    if reply.ok:
        headline += ", but not with what was expected"
    kind = PermanentError if category(reply.status) is Category.PERMANENT else TransientError
    return kind(call.message(headline, reply.body))


def _members(text: str) -> Mapping[str, Any]:
    """The members of a JSON object; of one that was cut off, those before the cut."""
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        return _members_before_the_cut(text)
    return whole if isinstance(whole, dict) else {}


def _members_before_the_cut(text: str) -> Mapping[str, Any]:
    decode, found = json.JSONDecoder().raw_decode, {}
    rest = text.lstrip()
    while rest[:1] in ("{", ","):
        try:
            key, end = decode(rest := rest[1:].lstrip())
            value, end = decode(rest := rest[end:].lstrip().removeprefix(":").lstrip())
        except (ValueError, RecursionError):
            break
        rest = rest[end:].lstrip()
        if rest[:1] not in (",", "}") or not isinstance(key, str):
            break  # a number that nothing follows may have lost digits, or its exponent
        found[key] = value
    return found
