"""The Slack client, against a Slack on this machine."""

from __future__ import annotations

import gc
import logging
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from interlock_runtime.core.errors import InterlockError, PermanentError, TransientError
from interlock_runtime.slack import Message, ThreadGoneError
from tests.fakes.hostile import breaking_off, raw_server, saying
from tests.fakes.slack import CHANNEL, TOKEN, FakeSlack

MESSAGE = Message(
    text="*SLA_BREACH* gold", blocks=[{"type": "section", "text": {"type": "mrkdwn", "text": "the deadline passed"}}]
)
TOO_LONG = Message(
    text="*SLA_BREACH* gold", blocks=[{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}]
)


@dataclass
class Watch:
    """A monotonic clock that moves when told to."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as slack:
        yield slack


def test_a_message_stands_in_the_channel(slack: FakeSlack) -> None:
    posted = slack.client().post(MESSAGE, thread=None)
    (standing,) = slack.messages
    assert (standing.ts, standing.channel, standing.thread) == (posted.ts, CHANNEL, None)
    assert (standing.text, standing.blocks) == (MESSAGE.text, [*MESSAGE.blocks])
    assert posted.blocks_refused is None
    assert len(slack.received) == 1


def test_an_answer_stands_in_its_thread_and_in_the_channel_when_asked(slack: FakeSlack) -> None:
    client = slack.client()
    opener = client.post(MESSAGE, thread=None)
    client.post(MESSAGE, thread=opener.ts)
    client.post(MESSAGE, thread=opener.ts, broadcast=True)
    assert [(each.thread, each.broadcast) for each in slack.messages[1:]] == [(opener.ts, False), (opener.ts, True)]


def test_links_in_a_message_are_not_unfolded(slack: FakeSlack) -> None:
    slack.client().post(MESSAGE, thread=None)
    assert b'"unfurl_links": false' in slack.received[0].body
    assert b'"unfurl_media": false' in slack.received[0].body


@pytest.mark.parametrize(
    ("channel", "token", "is_set_up"), [("", TOKEN, False), (CHANNEL, "", False), ("C", "t", True)]
)
def test_without_a_channel_or_a_token_nothing_can_be_posted(
    slack: FakeSlack, channel: str, token: str, is_set_up: bool
) -> None:
    assert slack.client(channel=channel, token=token).is_set_up() is is_set_up


def test_blocks_that_slack_refuses_give_way_to_the_text(slack: FakeSlack) -> None:
    posted = slack.client().post(TOO_LONG, thread=None)
    (standing,) = slack.messages
    assert (standing.ts, standing.text, standing.blocks) == (posted.ts, TOO_LONG.text, [])
    assert posted.blocks_refused is not None
    assert posted.blocks_refused.startswith("invalid_blocks")
    assert "must be less than 3001 characters" in posted.blocks_refused


def test_the_text_that_stands_for_blocks_goes_into_the_thread_too(slack: FakeSlack) -> None:
    client = slack.client()
    opener = client.post(MESSAGE, thread=None)
    client.post(TOO_LONG, thread=opener.ts, broadcast=True)
    assert (slack.messages[-1].thread, slack.messages[-1].broadcast) == (opener.ts, True)


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("invalid_auth", "put the bot token"),
        ("token_revoked", "put the bot token"),
        ("missing_scope", "chat:write"),
        ("not_in_channel", "invite the app"),
        ("channel_not_found", "slack_channel_id"),
        ("is_archived", "slack_channel_id"),
        ("restricted_action", "restricted_action"),
    ],
)
def test_a_refusal_that_a_person_must_mend_says_how(slack: FakeSlack, code: str, advice: str) -> None:
    slack.error = code
    with pytest.raises(PermanentError, match=code) as caught:
        slack.client().post(MESSAGE, thread=None)
    assert advice in str(caught.value)
    assert len(slack.received) == 1


@pytest.mark.parametrize("code", ["internal_error", "ratelimited", "service_unavailable"])
def test_a_refusal_that_passes_is_transient(slack: FakeSlack, code: str) -> None:
    slack.error = code
    with pytest.raises(TransientError, match=code):
        slack.client().post(MESSAGE, thread=None)


@pytest.mark.parametrize("code", ["thread_not_found", "cannot_reply_to_message"])
def test_a_thread_that_takes_no_answer_is_told_apart(slack: FakeSlack, code: str) -> None:
    slack.error = code
    with pytest.raises(ThreadGoneError, match=code):
        slack.client().post(MESSAGE, thread="1772300001.000100")


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_slack_that_is_down_is_asked_once(slack: FakeSlack, status: int) -> None:
    slack.outage = status
    with pytest.raises(TransientError, match=f"status {status}"):
        slack.client().post(MESSAGE, thread=None)
    assert len(slack.received) == 1


@pytest.mark.parametrize(("header", "pause"), [("120", 120), ("0", 0), (None, 30), ("soon", 30), ("-5", 30)])
def test_slack_is_left_alone_for_as_long_as_it_asks(slack: FakeSlack, header: str | None, pause: int) -> None:
    watch = Watch()
    client = slack.client(monotonic=watch)
    slack.outage, slack.retry_after = 429, header
    with pytest.raises(TransientError, match=f"left alone for {pause} s"):
        client.post(MESSAGE, thread=None)
    slack.outage = None
    watch.seconds += pause - 1
    if pause:
        with pytest.raises(TransientError, match="left alone for another 1 s"):
            client.post(MESSAGE, thread=None)
        assert len(slack.received) == 1
    watch.seconds += 1
    assert client.post(MESSAGE, thread=None).ts


def test_a_slack_that_hangs_is_given_up_in_time(slack: FakeSlack) -> None:
    slack.hangs = True
    started = time.monotonic()
    with pytest.raises(TransientError, match="timed out"):
        slack.client(timeout=1).post(MESSAGE, thread=None)
    assert time.monotonic() - started < 5


def test_a_lost_answer_counts_as_not_posted(slack: FakeSlack) -> None:
    slack.lose_next = 1
    with pytest.raises(TransientError, match="Slack did not answer"):
        slack.client().post(MESSAGE, thread=None)
    assert len(slack.messages) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsomething",
        b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=wingdings\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n",
        b"not HTTP at all\r\n\r\n",
        b"",
    ],
)
def test_an_answer_that_is_not_slacks_is_transient(slack: FakeSlack, answer: bytes) -> None:
    with raw_server(saying(answer)) as port:
        client = slack.client(url=f"http://127.0.0.1:{port}/api/")
        with pytest.raises(InterlockError):
            client.post(MESSAGE, thread=None)


@pytest.mark.parametrize("status", ["200 OK", "404 Not Found"])
def test_an_answer_that_breaks_off_leaves_no_connection_open(slack: FakeSlack, status: str) -> None:
    with raw_server(breaking_off(f"HTTP/1.1 {status}\r\nContent-Length: 900\r\n\r\n{{".encode())) as port:
        client = slack.client(url=f"http://127.0.0.1:{port}/api/")
        with pytest.raises(TransientError, match="Slack did not answer: ConnectionResetError"):
            client.post(MESSAGE, thread=None)
    gc.collect()  # warns of a connection that is still open, and a warning is an error


def test_a_port_where_nobody_listens_is_transient() -> None:
    with FakeSlack() as slack:
        client = slack.client()
    with pytest.raises(TransientError, match="refused"):
        client.post(MESSAGE, thread=None)


def test_a_refused_token_is_forgotten(slack: FakeSlack) -> None:
    tokens, forgotten = ["xoxb-old", TOKEN], []

    def forget() -> None:
        forgotten.append(tokens.pop(0))

    client = slack.client(token=lambda: tokens[0], forget_token=forget)
    with pytest.raises(PermanentError, match="invalid_auth"):
        client.post(MESSAGE, thread=None)
    assert forgotten == ["xoxb-old"]
    assert client.post(MESSAGE, thread=None).ts


@pytest.mark.parametrize("disturb", ["refused", "outage", "hangs", "lost", "malformed"])
def test_the_token_is_in_no_error_and_in_no_log(
    slack: FakeSlack, disturb: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    secret = "xoxb-very-secret"
    slack.tokens = {secret}
    slack.error = "account_inactive" if disturb == "refused" else None
    slack.outage = 500 if disturb == "outage" else None
    slack.hangs = disturb == "hangs"
    slack.lose_next = int(disturb == "lost")
    client = slack.client(token=f"{secret}\nX: 1" if disturb == "malformed" else secret, timeout=1)
    with caplog.at_level(logging.DEBUG), pytest.raises(InterlockError) as caught:
        client.post(MESSAGE, thread=None)
    assert secret not in "".join(traceback.format_exception(caught.value))
    assert secret not in caplog.text
    assert not any(secret in text for text in capfd.readouterr())


def test_the_sdk_says_nothing_of_its_own(slack: FakeSlack, capfd: pytest.CaptureFixture[str]) -> None:
    slack.outage = 500
    with pytest.raises(TransientError):
        slack.client().post(MESSAGE, thread=None)
    assert capfd.readouterr() == ("", "")
