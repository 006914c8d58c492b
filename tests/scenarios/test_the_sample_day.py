"""The day that ``make demo`` shows: what is in it, and how its page looks in a browser."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, timedelta
from itertools import chain
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from interlock_tf.local import demo
from interlock_tf.local.moments import folded, moments
from interlock_tf.local.page import page
from interlock_tf.local.simulation import read_lines, simulate
from interlock_tf.local.synthesis import stack_of_pipelines
from interlock_tf.local.tally import Tally, tallies
from interlock_tf.local.terraform_json import Configuration
from interlock_tf.local.timeline import Entry, Kind
from tests.fakes.browser import Browser
from tests.fakes.timelines import END, START, entry, pipeline, run

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
END_OF_DAY = demo.DAY + timedelta(days=1)


@pytest.fixture(scope="module")
def configuration() -> Configuration:
    return Configuration.read(stack_of_pipelines([ROOT / "pipelines"], calendars=ROOT / "calendars"))


@pytest.fixture(scope="module")
def entries(configuration: Configuration) -> Sequence[Entry]:
    ids = configuration.pipeline_ids()
    lines = read_lines(ROOT / demo.LINES, after=demo.DAY, until=END_OF_DAY, pipeline_ids=ids)
    return list(simulate(configuration, lines, start=demo.DAY, end=END_OF_DAY))


@pytest.fixture(scope="module")
def written(configuration: Configuration, entries: Sequence[Entry]) -> str:
    return page(entries, configuration.pipelines(), start=demo.DAY, end=END_OF_DAY, zone=ZoneInfo("UTC"))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Browser:
    return Browser.found(tmp_path_factory.mktemp("browser"))


def events(entries: Sequence[Entry], pipeline_id: str) -> list[str]:
    return [each.what for each in entries if each.kind is Kind.EVENT and each.pipeline_id == pipeline_id]


def test_gold_revenue_waits_for_the_refunds_is_retried_and_is_in_time(entries: Sequence[Entry]) -> None:
    gold = [each for each in entries if each.pipeline_id == "gold-revenue"]
    waits = [each for each in gold if each.what == "not ready"]
    assert all("refunds-loaded" in each.why for each in waits)
    started = next(each for each in gold if each.what == "JOB_TRIGGERED")
    assert started.at - waits[0].at == timedelta(minutes=35)
    assert [what for what in events(entries, "gold-revenue") if what not in ("VALIDATION_PASSED", "JOB_TRIGGERED")] == [
        "JOB_FAILED",
        "JOB_COMPLETED",
        "SLA_MET",
        "RERUN_REJECTED",
        "RERUN_ACCEPTED",
        "JOB_COMPLETED",
    ]


@pytest.mark.parametrize(
    ("pipeline_id", "shown"),
    [
        ("board-pack", ["IRREGULAR_SCHEDULE_MISSED", "VALIDATION_EXHAUSTED", "RELATIVE_SLA_WARNING", "RERUN_ACCEPTED"]),
        ("clickstream-hourly", ["POST_RUN_DRIFT", "SENSOR_DEADLINE_EXPIRED", "SLA_WARNING", "SLA_BREACH"]),
        ("customer-360", ["JOB_FAILED", "SLA_WARNING", "SLA_MET", "PIPELINE_EXCLUDED"]),
        ("fx-rates", ["SLA_MET", "LATE_DATA_ARRIVAL", "RERUN_ACCEPTED"]),
        ("inventory-snapshot", ["DRY_RUN_WOULD_TRIGGER", "DRY_RUN_SLA_PROJECTION", "DRY_RUN_DRIFT"]),
    ],
)
def test_each_of_the_others_shows_something_else(entries: Sequence[Entry], pipeline_id: str, shown: list[str]) -> None:
    told = iter(events(entries, pipeline_id))
    assert all(wanted in told for wanted in shown)  # in this order


def test_nothing_broke_and_the_numbers_are_those_that_the_page_shows(
    configuration: Configuration, entries: Sequence[Entry], written: str
) -> None:
    assert not [each for each in entries if each.kind in (Kind.FAILURE, Kind.ALARM)]
    total = sum(tallies(entries, configuration.pipeline_ids()).values(), Tally())
    assert (total.held, total.prevented, total.refused, total.breached, total.failed) == (3, 1, 2, 1, 2)
    assert "<strong>3</strong> <span>starts held back</span>" in written


def test_the_hours_in_which_nothing_happened_do_not_swamp_the_rest(
    configuration: Configuration, entries: Sequence[Entry]
) -> None:
    pipelines = configuration.pipelines()
    told = folded(moments(entries, pipelines, UTC), pipelines)
    assert len(entries) > 400
    assert len(told) < 100


# The page in a browser


SIZES = [
    pytest.param(390, 844, id="phone"),
    pytest.param(820, 1180, id="tablet"),
    pytest.param(1280, 800, id="laptop"),
    pytest.param(2560, 1440, id="wall"),
    pytest.param(3840, 2160, id="big-wall"),
]


def crowded() -> str:
    """A page with long names, and everything at once."""
    name = "a-pipeline-with-a-name-as-long-as-a-name-may-be-" + "x" * 15
    about = {"pipeline": name, "date": "2026-03-03"}
    due = {"deadline": "12:00", "breachAt": "2026-03-03T12:00:00Z"}
    minutes = [f"{hour:02}:{minute:02}" for hour in (0, 11, 23) for minute in (0, 1, 30, 59)]
    told = [
        *(entry(at, Kind.SENSOR, f"sensor-{number}", "x=1", pipeline=name) for at in minutes for number in range(3)),
        *(entry(at, Kind.EVENT, "IRREGULAR_SCHEDULE_MISSED", "missed " * 30, **about) for at in minutes),  # type: ignore[arg-type]
        *(entry(at, Kind.EVENT, "RELATIVE_SLA_WARNING", "W" * 200, **due, **about) for at in minutes),  # type: ignore[arg-type]
        *chain.from_iterable(run(at, at, attempt=number, **about) for number, at in enumerate(minutes)),
    ]
    pipelines = {name: pipeline(name, zone="America/Argentina/ComodRivadavia", description="D" * 300)}
    ordered = sorted(told, key=lambda each: each.at)
    return page(ordered, pipelines, start=START, end=END, zone=ZoneInfo("UTC"))


@pytest.mark.browser
@pytest.mark.parametrize("opened", [False, True], ids=["closed", "opened"])
@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("kind", ["day", "crowded"])
def test_nothing_overlaps_and_nothing_is_outside(
    browser: Browser, request: pytest.FixtureRequest, kind: str, width: int, height: int, opened: bool
) -> None:
    text = request.getfixturevalue("written") if kind == "day" else crowded()
    found = browser.measured(text, width=width, height=height, opened=opened)
    assert found["scrolled"] <= width
    assert found["outside"] == []
    assert found["texts"] == []
    assert found["marks"] == []
    assert found["smallest"] >= max(11, width * 0.0065)  # pixels


@pytest.mark.browser
def test_every_lane_is_drawn_once_and_a_wall_screen_shows_the_whole_day(browser: Browser, written: str) -> None:
    for width, height in ((390, 844), (1280, 800), (2560, 1440)):
        found = browser.measured(written, width=width, height=height)
        assert [each["drawn"] for each in found["lanes"]] == [1] * 6
    assert found["height"] <= 1440 * 1.02


@pytest.mark.browser
def test_there_is_a_light_and_a_dark_look(browser: Browser, written: str) -> None:
    grounds = [browser.measured(written, width=1280, height=800, dark=dark)["ground"] for dark in (False, True)]
    assert grounds == ["rgb(245, 247, 250)", "rgb(13, 18, 24)"]
