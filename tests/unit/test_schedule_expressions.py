"""EventBridge's expressions: which of them the watchdog may have, and why not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from interlock_tf.schedule_expressions import check_schedule, rate


@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 minute)",
        "rate(90 minutes)",
        "rate(24 hours)",
        "rate(1 day)",
        "cron(0/5 * * * ? *)",
        "cron(*/10 8-18 ? * MON-FRI *)",
        "cron(0,30 6 1,15 JAN-jun,12 ? 2026-2030)",
        "cron(0 8 L * ? *)",
        "cron(0 8 L-3,LW,15W * ? *)",
        "cron(0 8 ? * 6L *)",
        "cron(0 8 ? * FRI#3,L *)",
        "cron(0 8 ? * 7 *)",
    ],
)
def test_what_eventbridge_takes_is_taken(expression: str) -> None:
    check_schedule(expression)


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("rate(0 minutes)", "the shortest rate is a minute"),
        ("rate(1 hours)", r"EventBridge wants rate\(1 hour\)"),
        ("rate(5 minute)", r"EventBridge wants rate\(5 minutes\)"),
        ("rate(1441 minutes)", "once a day at least"),
        ("rate(25 hours)", "once a day at least"),
        ("rate(99999999999 days)", "once a day at least"),
        (
            "cron(0/5 * * * ?)",
            r"six fields \(minute, hour, day of the month, month, day of the week, year\), here are 5",
        ),
        ("cron(0/5 * * * * *)", r"wants \? as the day of the month or the day of the week, and not as both"),
        ("cron(0/5 * ? * ? *)", r"wants \? as the day of the month or the day of the week, and not as both"),
        ("cron(a * * * ? *)", "minute: 'A' is not 0 to 59"),
        ("cron(0 24 * * ? *)", "hour: '24' is not 0 to 23"),
        ("cron(0 0-24 * * ? *)", "hour: '24' is not 0 to 23"),
        ("cron(0 0 32 * ? *)", "day of the month: '32' is not 1 to 31"),
        ("cron(0 0 32W * ? *)", "day of the month: '32' is not 1 to 31"),
        ("cron(0 0 * ? ? *)", r"month: '\?' is not a value, a range or a step"),
        ("cron(0 0 * 13 ? *)", "month: '13' is not 1 to 12 or JAN to DEC"),
        ("cron(0 0 ? * 0 *)", "day of the week: '0' is not 1 to 7 or SUN to SAT"),
        ("cron(0 0 ? * 2#6 *)", "day of the week: '2#6' is not a value"),
        ("cron(0 0 * * ? 1969)", "year: '1969' is not 1970 to 2199"),
        ("cron(0/0 * * * ? *)", "minute: '0/0' has a step that is not 1 to 59"),
        ("cron(0/60 * * * ? *)", "minute: '0/60' has a step that is not 1 to 59"),
        ("cron(0,, * * * ? *)", "minute: '' is not a value, a range or a step"),
    ],
)
def test_what_eventbridge_does_not_take_is_refused_with_the_reason(expression: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        check_schedule(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "5 minutes",
        "rate(05 minutes)",
        "rate(٣ minutes)",
        "rate(5  minutes)",
        "rate(5 minutes) ",
        "cron()",
        "cron(٣)",
    ],
)
def test_what_is_no_such_expression_at_all_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r"^$"):
        check_schedule(expression)


def test_a_rate_is_a_time_and_a_cron_is_none() -> None:
    assert rate("rate(90 minutes)") == timedelta(minutes=90)
    assert rate("cron(0/5 * * * ? *)") is None
