"""Names stay within AWS's limits and never meet."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock_runtime.core import names
from interlock_runtime.core.instants import EPOCH

START = datetime(2026, 3, 3, 10, tzinfo=UTC)
ALLOWED = re.compile(r"[A-Za-z0-9_-]+")

pipeline_ids = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", fullmatch=True)
dates = st.dates().map(str) | st.datetimes().map(lambda at: f"{at:%Y-%m-%dT%H}")
starts = st.integers(0, 10**13).map(lambda millis: EPOCH + timedelta(milliseconds=millis))
runs = st.tuples(pipeline_ids, st.sampled_from(["cron", "stream"]), dates, st.integers(0, 40), starts)


def test_a_name_that_fits_is_left_as_it_is() -> None:
    assert names.execution_name("gold", "cron", "2026-03-03", 0, START) == "gold-cron-2026-03-03-0-mmafscg0"


def test_a_replaced_character_earns_a_hash_of_the_original() -> None:
    name = names.execution_name("gold.eu", "cron", "2026-03-03", 1, START)
    assert re.fullmatch(r"gold_eu-cron-2026-03-03-1-mmafscg0-[0-9a-f]{10}", name)


def test_a_long_name_keeps_its_date_and_attempt() -> None:
    name = names.execution_name("p" * 63, "stream", "2026-03-03T10", 12, START)
    assert len(name) == names.EXECUTION_NAME_LENGTH
    assert "-stream-2026-03-03T10-12-mmafscg0-" in name


@given(runs)
def test_every_name_is_within_the_limits(run: tuple[str, str, str, int, datetime]) -> None:
    assert ALLOWED.fullmatch(names.execution_name(*run))
    assert len(names.execution_name(*run)) <= 80
    assert ALLOWED.fullmatch(names.job_token(*run))
    assert len(names.job_token(*run)) <= 64


@given(runs, runs)
def test_two_runs_never_share_a_name(
    one: tuple[str, str, str, int, datetime], other: tuple[str, str, str, int, datetime]
) -> None:
    assert (one == other) == (names.execution_name(*one) == names.execution_name(*other))
    assert (one == other) == (names.job_token(*one) == names.job_token(*other))


@given(st.lists(st.tuples(pipeline_ids, st.integers(1, 3)), min_size=2, max_size=2, unique=True))
def test_two_cron_schedules_never_share_a_name(schedules: list[tuple[str, int]]) -> None:
    one, other = (names.cron_schedule_name("dev-interlock", pipeline, part=part) for pipeline, part in schedules)
    assert one != other
    assert max(len(one), len(other)) <= 64


def test_the_second_schedule_of_a_pipeline_is_not_the_first_of_another() -> None:
    second = names.cron_schedule_name("dev-interlock", "a", part=2)
    assert second != names.cron_schedule_name("dev-interlock", "a-2")
    assert second != names.cron_schedule_name("dev-interlock", "a_2")


@given(pipeline_ids, st.sampled_from(["cron", "stream"]), dates)
def test_the_entries_of_an_sla_each_have_a_name_of_their_own(pipeline: str, schedule: str, date: str) -> None:
    found = {
        names.sla_schedule_name(pipeline, schedule, date, clock=clock, moment=moment, at=at)
        for clock in ("sla", "relative")
        for moment in ("warning", "breach")
        for at in (START, START + timedelta(minutes=30))
    }
    assert len(found) == 8
    assert max(map(len, found)) <= 64


def test_an_execution_arn_follows_from_machine_and_name() -> None:
    machine = "arn:aws-cn:states:cn-north-1:123456789012:stateMachine:dev-interlock-pipeline"
    assert (
        names.execution_arn(machine, "x")
        == "arn:aws-cn:states:cn-north-1:123456789012:execution:dev-interlock-pipeline:x"
    )


@pytest.mark.parametrize(("number", "text"), [(0, "0"), (35, "z"), (36, "10"), (36**5, "100000")])
def test_base36_counts_with_letters(number: int, text: str) -> None:
    assert names.base36(number) == text
