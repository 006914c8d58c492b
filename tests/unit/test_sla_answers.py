"""What sla-monitor answers for a date never changes as the clock moves, nor does any bell ring outside its time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from interlock_runtime.core.instants import rfc3339
from interlock_runtime.core.timestamps import parse_timestamp
from tests.fakes.gold import gold
from tests.fakes.world import World

#: Ahead of UTC, behind it, with half an hour, with and without changes of the clock, some at midnight.
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Africa/Cairo",
)
#: Days on which a clock is changed somewhere, ends of years and months, and any other.
DAYS = st.dates(date(2024, 1, 1), date(2028, 12, 31)) | st.sampled_from(
    [
        date(2026, 3, 28),
        date(2026, 3, 29),
        date(2026, 10, 25),
        date(2026, 3, 8),
        date(2026, 11, 1),
        date(2026, 12, 31),
        date(2027, 1, 1),
        date(2028, 2, 29),
    ]
)
CLOCKS = st.tuples(st.integers(0, 23), st.integers(0, 59))
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2032, 1, 1), timezones=st.just(UTC))

hourly = st.builds(
    lambda day, hour, minute, zone: (f"{day}T{hour:02}", {"deadline": f":{minute:02}"}, zone),
    DAYS,
    st.integers(0, 23) | st.just(23),
    st.integers(0, 59),
    st.sampled_from(ZONES),
)
daily = st.builds(
    lambda day, clock, offset, zone: (
        str(day),
        {"deadline": f"{clock[0]:02}:{clock[1]:02}"} | ({} if offset is None else {"dayOffset": offset}),
        zone,
    ),
    DAYS,
    CLOCKS,
    st.none() | st.integers(0, 7),
    st.sampled_from(ZONES),
)


def asked(world: World, day: str, arrival: datetime) -> dict[str, Any]:
    return world.sla("calculate", pipelineId="gold", date=day, sensorArrivalAt=rfc3339(arrival))


@given(case=daily | hourly, arrival=MOMENTS, moments=st.lists(MOMENTS, min_size=2, max_size=4))
def test_the_answer_for_a_date_is_the_same_whenever_it_is_asked(
    case: tuple[str, dict[str, Any], str], arrival: datetime, moments: list[datetime]
) -> None:
    day, sla, zone = case
    world = World()
    world.pipeline(gold(sla={**sla, "expectedDuration": "30m", "maxDuration": "2h"}, schedule={"timezone": zone}))
    answers = []
    for moment in moments:
        world.now = moment
        answers.append(asked(world, day, arrival))
    assert all(answer == answers[0] for answer in answers)


@given(case=daily | hourly, offset=st.integers(-5, 5 * 24 * 60))
def test_a_bell_never_rings_early_and_its_event_says_when_it_was_due(
    case: tuple[str, dict[str, Any], str], offset: int
) -> None:
    day, sla, zone = case
    world = World()
    world.pipeline(gold(sla={**sla, "expectedDuration": "30m"}, schedule={"timezone": zone}))
    answer = world.sla("calculate", pipelineId="gold", date=day)["absolute"]
    warning, breach = (parse_timestamp(answer[name]) for name in ("warningAt", "breachAt"))
    assert warning is not None
    assert breach is not None
    world.now = breach - timedelta(days=10)
    world.sla("reconcile", pipelineId="gold", date=day)
    assert world.schedules.instants() == [warning, breach]
    world.now = breach + timedelta(minutes=offset)
    world.ring()
    expected = {"SLA_WARNING"} if offset < 0 else {"SLA_BREACH"}
    assert set(world.bus.types) == expected
    assert all(event.detail["breachAt"] == answer["breachAt"] for event in world.bus.events)
