"""Slack was down for an hour: every alert arrives afterwards, in its thread, once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from interlock_runtime.core.events import Event
from tests.fakes.alerting import AlertQueue, Consumers
from tests.fakes.slack import FakeSlack

DATE = "2026-03-03"
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with FakeSlack() as slack:
        yield slack


@pytest.fixture
def consumers(slack: FakeSlack) -> Consumers:
    return Consumers(slack)


@pytest.fixture
def queue(consumers: Consumers) -> AlertQueue:
    return AlertQueue(consumers)


def alert(kind: str, pipeline_id: str, *, date: str | None = DATE) -> Event:
    schedule_id = None if date is None else "cron"
    return Event(type=kind, pipeline_id=pipeline_id, schedule_id=schedule_id, date=date, message=f"this is {kind}")


def threads(slack: FakeSlack) -> dict[str, list[str]]:
    """What stands in the channel: under each message's title, the types of its answers."""
    openers = [each for each in slack.messages if each.thread is None]
    return {
        opener.title.partition(" ")[2]: [each.event_type for each in slack.thread_of(opener.ts)[1:]]
        for opener in openers
    }


def test_slack_was_down_for_an_hour(slack: FakeSlack, consumers: Consumers, queue: AlertQueue) -> None:
    # 06:00. The job of gold fails, and the channel hears of it.
    queue.send(alert("JOB_FAILED", "gold"))
    queue.run(MINUTE)
    assert threads(slack) == {f"JOB_FAILED · gold · {DATE}": []}

    # 06:01. Slack goes down. What happens meanwhile waits in the queue: a breach of gold, which has a
    # thread already; two alerts of silver, which has none; one that was published twice; an alert about no date.
    slack.outage = 503
    queue.send(alert("SLA_WARNING", "gold"))
    queue.run(10 * MINUTE)
    queue.send(alert("SLA_BREACH", "gold"))
    queue.send(alert("SCHEDULE_MISSED", "silver"))
    queue.send(alert("SLA_BREACH", "silver"))
    queue.send(alert("SLA_BREACH", "silver"))
    queue.run(10 * MINUTE)
    queue.send(alert("WATCHDOG_DEGRADED", "INFRASTRUCTURE", date=None))
    queue.run(40 * MINUTE)
    assert len(slack.messages) == 1
    assert len(queue) == 6

    # 07:01. Slack is back, and first wants everybody to be patient.
    slack.outage, slack.retry_after = 429, "60"
    queue.run(2 * MINUTE)
    assert len(slack.messages) == 1

    # 07:03. Ten minutes later all have arrived. Whichever alert of silver came first opened its thread.
    slack.outage = None
    queue.run(10 * MINUTE)
    assert len(queue) == 0
    assert queue.dead_letters == []
    found = threads(slack)
    assert found[f"JOB_FAILED · gold · {DATE}"] == ["SLA_WARNING", "SLA_BREACH"]
    assert found["WATCHDOG_DEGRADED · INFRASTRUCTURE"] == []
    (silver,) = (title for title in found if "silver" in title)
    assert sorted([silver.split(" ")[0], *found[silver]]) == ["SCHEDULE_MISSED", "SLA_BREACH"]
    assert len(slack.messages) == 6

    # And each of them was counted once.
    assert sorted(consumers.alert_lines()) == sorted(each.event_type for each in slack.messages)


def test_slacks_answers_got_lost(slack: FakeSlack, consumers: Consumers, queue: AlertQueue) -> None:
    # Slack takes the message and its answer is lost, twice. Nobody can know, so the alert is posted again.
    slack.lose_next = 2
    queue.send(alert("JOB_FAILED", "gold"))
    queue.send(alert("SLA_BREACH", "gold"))
    queue.run(15 * MINUTE)

    # It stands there once for each lost answer, and once more. What comes after is in the thread of the one
    # that was heard of, and is not told twice.
    assert [(each.event_type, each.thread is None) for each in slack.messages] == [("JOB_FAILED", True)] * 3 + [
        ("SLA_BREACH", False)
    ]
    assert slack.messages[3].thread == slack.messages[2].ts
    assert len(queue) == 0
    assert sorted(consumers.alert_lines()) == ["JOB_FAILED", "SLA_BREACH"]


def test_the_token_was_revoked_and_nobody_looked(slack: FakeSlack, consumers: Consumers, queue: AlertQueue) -> None:
    # The token is revoked at night. Each attempt says so in the log, with what to do.
    slack.error = "token_revoked"
    for pipeline in ("gold", "silver"):
        queue.send(alert("SLA_BREACH", pipeline))
    queue.run(2 * HOUR)
    assert len(queue) == 2
    assert "token_revoked; put the bot token" in consumers.log.text("error")

    # After two and a half hours the alerts become dead letters, whose alarm rings.
    queue.run(HOUR)
    assert len(queue) == 0
    assert len(queue.dead_letters) == 2

    # In the morning there is a new token, and the dead letters go back into the queue: nothing was lost.
    slack.error = None
    for letter in queue.dead_letters:
        queue.send(letter)
    queue.run(MINUTE)
    assert sorted(threads(slack)) == [f"SLA_BREACH · gold · {DATE}", f"SLA_BREACH · silver · {DATE}"]
