"""alert-dispatcher against a Slack on this machine: once each, in threads, whatever dies or fails on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from interlock_runtime.control.ports import Metric
from interlock_runtime.control.threads import Place
from interlock_runtime.core.errors import PermanentError, TransientError
from interlock_runtime.core.events import Event
from interlock_runtime.core.instants import epoch_seconds, millis, rfc3339
from interlock_runtime.core.names import digest
from interlock_runtime.core.received import ReceivedEvent
from interlock_runtime.handlers import alert_dispatcher
from tests.fakes.alerting import VISIBILITY, Consumers
from tests.fakes.calls import Killed
from tests.fakes.slack import CHANNEL, FakeSlack
from tests.fakes.world import START

DATE = "2026-03-03"


def event(kind: str = "SLA_WARNING", **changes: Any) -> Event:
    values = {"pipeline_id": "gold", "schedule_id": "cron", "date": DATE, "message": f"this is {kind}"}
    return Event(type=kind, **values | changes)


DEGRADED = event("WATCHDOG_DEGRADED", pipeline_id="INFRASTRUCTURE", schedule_id=None, date=None)
THREAD = ("PIPELINE#gold", f"THREAD#cron#{DATE}")


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as slack:
        yield slack


@pytest.fixture
def consumers(slack: FakeSlack) -> Consumers:
    return Consumers(slack)


def tell(consumers: Consumers, *events: Event) -> list[int]:
    """Dispatch events as one batch; the numbers of those that are to come again."""
    return consumers.dispatch(*map(consumers.body, events))


def come_again(consumers: Consumers) -> None:
    """Let the time pass after which the queue shows a message again."""
    consumers.now += VISIBILITY


# Once


def test_an_alert_is_posted_and_remembered(consumers: Consumers, slack: FakeSlack) -> None:
    assert tell(consumers, event()) == []
    (standing,) = slack.messages
    assert standing.title == f"⚠️ SLA_WARNING · gold · {DATE}"
    key = event().dedupe_key
    assert consumers.stored("ALERT#") == [
        {
            "PK": "PIPELINE#gold",
            "SK": f"ALERT#{digest(key)}",
            "toldAt": rfc3339(START),
            "messageTs": standing.ts,
            "opensThread": True,
            "ttl": epoch_seconds(START + timedelta(days=30)),
        }
    ]


def test_an_alert_that_comes_again_is_not_posted_again(consumers: Consumers, slack: FakeSlack) -> None:
    for _ in range(3):
        assert tell(consumers, event()) == []
        come_again(consumers)
    assert len(slack.messages) == 1
    assert "it was told before" in consumers.log.text("info")


def test_an_alert_that_comes_twice_in_one_batch_is_posted_once(consumers: Consumers, slack: FakeSlack) -> None:
    assert tell(consumers, event(), event()) == []
    assert len(slack.messages) == 1


def test_an_alert_that_somebody_else_is_at_comes_again(consumers: Consumers, slack: FakeSlack) -> None:
    key = ("PIPELINE#gold", f"ALERT#{digest(event().dedupe_key)}")
    consumers.events.write({"PK": key[0], "SK": key[1], "claimedUntil": millis(START + timedelta(seconds=60))})
    assert tell(consumers, event()) == [0]
    consumers.advance(seconds=59, milliseconds=999)
    assert tell(consumers, event()) == [0]
    assert slack.messages == []
    consumers.advance(milliseconds=1)
    assert tell(consumers, event()) == []
    assert len(slack.messages) == 1


def test_an_alert_whose_dispatcher_died_is_posted_after_a_minute(consumers: Consumers, slack: FakeSlack) -> None:
    consumers.calls.kill_after = 1  # the alert's claim
    with pytest.raises(Killed):
        tell(consumers, event())
    consumers.calls.reset()
    consumers.advance(seconds=59, milliseconds=999)
    assert tell(consumers, event()) == [0]
    consumers.advance(milliseconds=1)
    assert tell(consumers, event()) == []
    assert len(slack.messages) == 1


def test_different_occurrences_are_different_alerts(consumers: Consumers, slack: FakeSlack) -> None:
    assert tell(consumers, event("JOB_FAILED", attempt=0), event("JOB_FAILED", attempt=1)) == []
    assert len(slack.messages) == 2


# Threads


def test_the_alerts_of_a_date_share_a_thread(consumers: Consumers, slack: FakeSlack) -> None:
    tell(consumers, event("JOB_FAILED"), event("RERUN_ACCEPTED"), event("SLA_WARNING"))
    opener, *answers = slack.messages
    assert opener.thread is None
    assert {each.thread for each in answers} == {opener.ts}
    assert consumers.events.rows()[THREAD] == {
        "PK": THREAD[0],
        "SK": THREAD[1],
        "threadTs": opener.ts,
        "channelId": CHANNEL,
        "createdAt": rfc3339(START),
        "ttl": epoch_seconds(START + timedelta(days=90)),
    }


@pytest.mark.parametrize("other", [{"pipeline_id": "silver"}, {"schedule_id": "stream"}, {"date": "2026-03-04"}])
def test_another_pipeline_schedule_or_date_has_a_thread_of_its_own(
    consumers: Consumers, slack: FakeSlack, other: dict[str, str]
) -> None:
    tell(consumers, event(), event(**other))
    assert [each.thread for each in slack.messages] == [None, None]


def test_what_is_about_no_date_stands_by_itself(consumers: Consumers, slack: FakeSlack) -> None:
    again = event("WATCHDOG_DEGRADED", pipeline_id="INFRASTRUCTURE", schedule_id=None, date=None, cause="later")
    tell(consumers, DEGRADED, again)
    assert [each.thread for each in slack.messages] == [None, None]
    assert consumers.stored("THREAD#") == []


def test_a_critical_answer_is_shown_in_the_channel_too(consumers: Consumers, slack: FakeSlack) -> None:
    tell(consumers, event("SLA_WARNING"), event("JOB_FAILED"), event("SLA_BREACH"))
    assert [(each.event_type, each.broadcast) for each in slack.messages] == [
        ("SLA_WARNING", False),
        ("JOB_FAILED", False),
        ("SLA_BREACH", True),
    ]


def test_alerts_wait_for_the_thread_to_be_opened(consumers: Consumers, slack: FakeSlack) -> None:
    consumers.events.write(
        {"PK": THREAD[0], "SK": THREAD[1], "claimedUntil": millis(START + timedelta(seconds=60)), "ttl": 1}
    )
    assert tell(consumers, event()) == [0]
    assert slack.messages == []
    assert "about to open its thread" in consumers.log.text("info")


def test_an_opener_that_died_is_replaced(consumers: Consumers, slack: FakeSlack) -> None:
    consumers.calls.kill_after = 3  # the alert's claim, the look at the thread, the thread's claim
    with pytest.raises(Killed):
        tell(consumers, event("JOB_FAILED"))
    consumers.calls.reset()
    assert tell(consumers, event("SLA_WARNING")) == [0]
    come_again(consumers)
    assert tell(consumers, event("SLA_WARNING"), event("JOB_FAILED")) == []
    opener, answer = slack.messages
    assert (opener.event_type, answer.event_type, answer.thread) == ("SLA_WARNING", "JOB_FAILED", opener.ts)


def test_a_thread_that_was_deleted_is_opened_anew(consumers: Consumers, slack: FakeSlack) -> None:
    tell(consumers, event("JOB_FAILED"))
    slack.delete(slack.messages[0].ts)
    tell(consumers, event("SLA_WARNING"), event("SLA_BREACH"))
    opener, answer = slack.messages
    assert (opener.event_type, opener.thread) == ("SLA_WARNING", None)
    assert (answer.event_type, answer.thread) == ("SLA_BREACH", opener.ts)


def test_of_two_that_find_the_thread_deleted_one_opens_it_anew(consumers: Consumers, slack: FakeSlack) -> None:
    tell(consumers, event("JOB_FAILED"))
    slack.delete(slack.messages[0].ts)
    threads, about = consumers.alert_ports.threads, _received(consumers, event("SLA_WARNING"))
    place = threads.find(about, now=consumers.now)
    assert place is not None
    assert place.thread is not None
    assert threads.replace(about, place.thread, now=consumers.now) == Place(opens_thread=True)
    assert threads.replace(about, place.thread, now=consumers.now) is None
    assert tell(consumers, event("SLA_BREACH")) == [0]


def test_an_opener_that_comes_again_later_does_not_take_the_thread_back(consumers: Consumers, slack: FakeSlack) -> None:
    tell(consumers, event("JOB_FAILED"))
    slack.delete(slack.messages[0].ts)
    tell(consumers, event("SLA_WARNING"))
    assert tell(consumers, event("JOB_FAILED")) == []
    assert consumers.events.rows()[THREAD]["threadTs"] == slack.messages[0].ts


def test_a_new_channel_gets_new_threads(consumers: Consumers, slack: FakeSlack) -> None:
    tell(consumers, event("JOB_FAILED"))
    slack.channels.add("C0OTHER")
    moved = Consumers(slack, channel="C0OTHER")
    moved.events.copy_from(consumers.events.rows())
    assert tell(moved, event("SLA_WARNING"), event("SLA_BREACH")) == []
    _, opener, answer = slack.messages
    assert (opener.channel, opener.thread, answer.thread) == ("C0OTHER", None, opener.ts)
    assert moved.events.rows()[THREAD]["channelId"] == "C0OTHER"


def test_dispatchers_at_the_same_time_open_one_thread_and_post_each_alert_once(
    consumers: Consumers, slack: FakeSlack
) -> None:
    kinds = ["JOB_FAILED", "RERUN_ACCEPTED", "SLA_WARNING", "SLA_BREACH"]
    waiting = [consumers.body(event(kind)) for kind in kinds for _ in range(2)]
    with ThreadPoolExecutor(max_workers=3) as pool:
        while waiting:
            failed = pool.map(consumers.dispatch, waiting)
            waiting = [body for body, failures in zip(waiting, failed, strict=True) if failures]
            come_again(consumers)
    opener, *answers = slack.messages
    assert sorted(each.event_type for each in slack.messages) == sorted(kinds)
    assert {each.thread for each in answers} == {opener.ts}


def _received(consumers: Consumers, about: Event) -> ReceivedEvent:
    return ReceivedEvent.parse(consumers.body(about))


# Dying at any point


PUT, GET, UPDATE, POST = "dynamodb:PutItem", "dynamodb:GetItem", "dynamodb:UpdateItem", "slack:chat.postMessage"
#: Claim the alert, look for the thread, claim it, post, confirm the alert, record the thread.
CALLS = {"opener": [PUT, GET, PUT, POST, UPDATE, UPDATE], "answer": [PUT, GET, POST, UPDATE]}


@pytest.mark.parametrize(
    ("role", "survived"), [(role, number + 1) for role, calls in CALLS.items() for number in range(len(calls))]
)
def test_a_dispatcher_that_dies_after_any_call_comes_to_the_same_end(
    slack: FakeSlack, role: str, survived: int
) -> None:
    undisturbed, disturbed = Consumers(slack), Consumers(slack)
    for consumers in (undisturbed, disturbed):
        if role == "answer":
            tell(consumers, event("JOB_FAILED"))
        consumers.calls.reset()
    assert tell(undisturbed, event("SLA_BREACH")) == []
    assert undisturbed.calls.made == CALLS[role]
    slack.received.clear()

    disturbed.calls.kill_after = survived
    with pytest.raises(Killed):
        tell(disturbed, event("SLA_BREACH"))
    disturbed.calls.reset()
    come_again(disturbed)
    assert tell(disturbed, event("SLA_BREACH")) == []

    assert _timeless(disturbed.events.rows()) == _timeless(undisturbed.events.rows())
    # Only a death between the post and its confirmation costs a second message.
    assert len(slack.received) == (2 if CALLS[role][survived - 1] == POST else 1)


def _timeless(rows: dict[Any, Any]) -> dict[Any, Any]:
    """Rows without what differs from run to run: times, and the ids that Slack gives."""
    volatile = {"toldAt", "createdAt", "ttl", "messageTs", "threadTs"}
    return {
        key: {name: name if name in volatile else value for name, value in row.items()} for key, row in rows.items()
    }


# Failing


@pytest.mark.parametrize("failure", ["outage", "429", "one 500", "dead table", "refused", "secret"])
def test_an_alert_that_fails_comes_again_and_is_told_then(consumers: Consumers, slack: FakeSlack, failure: str) -> None:
    slack.outage = {"outage": 503, "429": 429}.get(failure)
    slack.error = "not_in_channel" if failure == "refused" else None
    slack.retry_after = "0"
    slack.refuse_next = [500] if failure == "one 500" else []
    if failure == "dead table":
        consumers.calls.fail["dynamodb:PutItem"] = TransientError("throttled")
    if failure == "secret":
        consumers.calls.fail["slack:chat.postMessage"] = PermanentError("the secret has no value under the key 'token'")
    assert tell(consumers, event()) == [0]
    assert consumers.alert_lines() == []
    slack.outage = slack.error = None
    consumers.calls.reset()
    come_again(consumers)
    assert tell(consumers, event()) == []
    assert consumers.alert_lines() == ["SLA_WARNING"]
    assert len(slack.messages) == 1


def test_one_alert_that_fails_does_not_hold_up_the_others(consumers: Consumers, slack: FakeSlack) -> None:
    slack.refuse_next = [503]
    assert tell(consumers, event("JOB_FAILED"), DEGRADED, event("SLA_WARNING", pipeline_id="silver")) == [0]
    assert [each.event_type for each in slack.messages] == ["WATCHDOG_DEGRADED", "SLA_WARNING"]


def test_a_refusal_that_needs_a_person_is_logged_as_an_error_with_what_to_do(
    consumers: Consumers, slack: FakeSlack
) -> None:
    slack.error = "not_in_channel"
    assert tell(consumers, event()) == [0]
    assert "not_in_channel; check slack_channel_id, and invite the app to the channel" in consumers.log.text("error")


def test_an_outage_is_logged_as_a_warning(consumers: Consumers, slack: FakeSlack) -> None:
    slack.outage = 503
    assert tell(consumers, event()) == [0]
    assert "status 503" in consumers.log.text("warning")
    assert consumers.log.text("error") == ""


def test_a_lost_answer_costs_a_second_message_and_no_alert(consumers: Consumers, slack: FakeSlack) -> None:
    """Slack took the message and the dispatcher never heard: it posts again, and everything after is in one thread."""
    slack.lose_next = 1
    assert tell(consumers, event("JOB_FAILED")) == [0]
    come_again(consumers)
    assert tell(consumers, event("JOB_FAILED"), event("SLA_WARNING")) == []
    first, second, answer = slack.messages
    assert first.text == second.text
    assert answer.thread == second.ts
    assert consumers.alert_lines() == ["JOB_FAILED", "SLA_WARNING"]


def test_blocks_that_slack_does_not_take_are_told_as_text(consumers: Consumers, slack: FakeSlack) -> None:
    slack.takes_blocks = False
    assert tell(consumers, event("SLA_BREACH")) == []
    assert slack.messages[0].text.startswith(f"*🚨 SLA_BREACH · gold · {DATE}*\nthis is SLA_BREACH")
    assert "plain text only" in consumers.log.text("warning")


# Log only


@pytest.mark.parametrize(("channel", "token"), [("", "xoxb-1"), (CHANNEL, "")])
def test_without_channel_or_token_alerts_are_logged_once_and_done(slack: FakeSlack, channel: str, token: str) -> None:
    consumers = Consumers(slack, channel=channel, token=token)
    assert tell(consumers, event("SLA_BREACH", detail={"actionHint": "call them"})) == []
    assert tell(consumers, event("SLA_BREACH")) == []
    assert consumers.alert_lines() == ["SLA_BREACH"]
    level, message, fields = consumers.log.lines[0]
    assert (level, message) == ("warning", "alert not posted: there is no Slack channel or no token")
    assert (fields["pipeline"], fields["date"], fields["severity"]) == ("gold", DATE, "critical")
    assert (fields["text"], fields["hint"]) == ("this is SLA_BREACH", "call them")
    assert slack.received == []
    assert Metric.ALERTS_SENT not in consumers.metrics.counts


# What is said


def test_exactly_one_line_counts_an_alert(consumers: Consumers, slack: FakeSlack) -> None:
    slack.outage = 503
    tell(consumers, event("SLA_BREACH"))
    slack.outage = None
    for _ in range(3):
        come_again(consumers)
        tell(consumers, event("SLA_BREACH"))
    assert consumers.alert_lines() == ["SLA_BREACH"]
    assert consumers.metrics.counts == {Metric.RECORDS_PROCESSED: 4, Metric.ALERTS_SENT: 1}


def test_log_lines_name_the_alert_and_its_message(consumers: Consumers) -> None:
    tell(consumers, event(attempt=2))
    _, _, fields = consumers.log.lines[-1]
    assert {name: fields[name] for name in ("pipeline", "schedule", "date", "attempt", "message_id")} == {
        "pipeline": "gold",
        "schedule": "cron",
        "date": DATE,
        "attempt": 2,
        "message_id": "message-0",
    }


def test_what_is_no_event_is_told_rather_than_lost(consumers: Consumers, slack: FakeSlack) -> None:
    assert consumers.dispatch("{not JSON", json.dumps({"detail-type": "JOB_FAILED", "detail": "gone"})) == []
    assert [each.title for each in slack.messages] == ["⚠️ UNREADABLE · UNKNOWN", "⚠️ JOB_FAILED · UNKNOWN"]
    assert "{not JSON" in slack.messages[0].blocks[-1]["text"]["text"]


@pytest.mark.parametrize("event", [None, {}, {"Records": None}, []])
def test_what_is_no_batch_is_refused(consumers: Consumers, event: Any) -> None:
    with pytest.raises(PermanentError, match="Records of a queue"):
        alert_dispatcher.handle(event, consumers.alert_ports, clock=consumers.clock)


def test_the_calls_of_an_alert(consumers: Consumers) -> None:
    tell(consumers, event("JOB_FAILED"))
    opener = list(consumers.calls.made)
    consumers.calls.reset()
    tell(consumers, event("SLA_WARNING"))
    answer = list(consumers.calls.made)
    consumers.calls.reset()
    tell(consumers, DEGRADED)
    assert {"opener": opener, "answer": answer} == CALLS
    assert consumers.calls.made == [PUT, POST, UPDATE]
