"""The page about a simulated time: its lanes, where things stand, and what is written."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock_tf.local.page import page
from interlock_tf.local.page.lanes import INSTALLATION, Item, Look, Track, lanes
from interlock_tf.local.page.packing import NARROW, WALL, WIDE, Format, Placed, Scale, packed, ticks
from interlock_tf.local.timeline import Entry, Kind
from tests.fakes.timelines import END, START, entry, pipeline, run

GOLD = {"gold": pipeline()}
BERLIN = ZoneInfo("Europe/Berlin")


def items(*entries: Entry) -> list[Item]:
    (lane,) = lanes(entries, GOLD, start=START, end=END, zone=UTC)
    return list(lane.items)


def looks(*entries: Entry) -> list[str]:
    return [str(item.look) for item in items(*entries)]


def at(clock: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-03T{clock}+00:00")


ABOUT = {"date": "2026-03-03"}


def test_a_wait_is_a_band_with_its_looks_and_a_job_is_a_bar_with_its_attempt() -> None:
    waits = [
        entry(clock, Kind.EVALUATION, "not ready", "no refunds", attempt=0, **ABOUT) for clock in ("08:00", "08:05")
    ]
    band, bar = items(*waits, *run("08:10", "08:20"))
    assert (band.look, band.at, band.until) == (Look.WAITING, at("08:00"), at("08:10"))
    assert band.looks == ((at("08:00"), False), (at("08:05"), False), (at("08:10"), True))
    assert "no refunds" in band.title
    assert (bar.look, bar.at, bar.until, bar.label) == (Look.SUCCESS, at("08:10"), at("08:20"), "0")


def test_what_is_not_over_goes_on_to_the_end() -> None:
    waits = entry("08:00", Kind.EVALUATION, "not ready", "no refunds", attempt=1, **ABOUT)
    starts = entry("07:00", Kind.JOB, "starts", "glue gold-etl", attempt=0, **ABOUT)
    assert [(item.look, item.until) for item in items(starts, waits)] == [(Look.RUNNING, END), (Look.WAITING, END)]


def test_a_retry_has_a_bar_of_its_own() -> None:
    failed, again = items(*run("08:00", "08:10", outcome="fail, TIMEOUT"), *run("08:10", "08:20", attempt=1))[:2]
    assert (failed.look, failed.label, again.look, again.label) == (Look.FAIL, "0", Look.SUCCESS, "1")


def test_what_people_and_clocks_do_is_on_the_track_of_the_data() -> None:
    assert looks(
        entry("08:00", Kind.SENSOR, "orders", "rows=3"),
        entry("08:01", Kind.REQUEST, "rerun", "please"),
        entry("08:02", Kind.TICK, "cron", "cron(0 8) fires"),
    ) == ["sensor", "request", "tick"]


def test_deadlines_are_flags_and_when_something_is_due_is_shown_once() -> None:
    due = {"deadline": "10:00", "breachAt": "2026-03-03T10:00:00.000Z", **ABOUT}
    warned = entry("09:30", Kind.EVENT, "SLA_WARNING", "soon", **due)
    assert looks(warned, entry("09:40", Kind.EVENT, "SLA_MET", "done", **due)) == ["warned", "met", "due"]
    assert looks(warned, entry("10:00", Kind.EVENT, "SLA_BREACH", "late", **due)) == ["warned", "breached"]
    assert looks(entry("10:00", Kind.EVENT, "RELATIVE_SLA_BREACH", "late", **due)) == ["breached"]


def test_alerts_have_the_severity_of_their_event() -> None:
    assert looks(
        *(
            entry("08:00", Kind.EVENT, name, "because")
            for name in ("RERUN_ACCEPTED", "LATE_DATA_ARRIVAL", "SCHEDULE_MISSED", "VALIDATION_PASSED", "JOB_COMPLETED")
        )
    ) == ["notice", "warning", "critical"]


def test_a_dry_run_shows_when_the_job_would_have_run() -> None:
    told = {"estimatedCompletion": "2026-03-03T09:00:00.000Z", "status": "met"}
    (bar,) = items(entry("08:00", Kind.EVENT, "DRY_RUN_SLA_PROJECTION", "it would be met", **told, **ABOUT))
    assert (bar.look, bar.until) == (Look.REHEARSED, at("09:00"))


def test_failures_of_the_installation_have_a_lane_of_their_own() -> None:
    broken = entry("08:00", Kind.FAILURE, "dev-interlock-watchdog", "KeyError: 'x'", pipeline=None)
    gold, own = lanes([broken], GOLD, start=START, end=END, zone=UTC)
    assert not gold.items
    assert (own.name, own.items[0].look) == (INSTALLATION, Look.CRITICAL)
    text = written(broken)
    assert '<section class="lane critical">' in text
    assert f"{INSTALLATION}: alarms and failures of the installation" in text


def test_many_alerts_are_shown_without_words_those_that_matter_keep_them_longer() -> None:
    accepted = [entry(f"{hour:02}:00", Kind.EVENT, "RERUN_ACCEPTED") for hour in range(14)]
    missed = entry("20:00", Kind.EVENT, "SCHEDULE_MISSED")
    assert {item.label for item in items(*accepted, missed)} == {"", "schedule missed"}
    assert {item.label for item in items(*[missed] * 14)} == {""}
    breached = [entry(f"{hour:02}:00", Kind.EVENT, "SLA_BREACH") for hour in range(14)]
    met = [entry(f"{hour:02}:30", Kind.EVENT, "SLA_MET") for hour in range(14)]
    assert {item.label for item in items(*breached)} == {""}
    assert {item.label for item in items(*met, breached[0])} == {"", "SLA breach"}


# Where things stand


MARKS = [look for look in Look if look not in (Look.WAITING, Look.SUCCESS, Look.FAIL, Look.RUNNING, Look.REHEARSED)]
SOME_ITEMS = st.lists(
    st.builds(
        lambda minute, look, length, label: Item(
            track=Track.RUNS if length else Track.ALERTS,
            look=Look.SUCCESS if length else look,
            at=START + timedelta(minutes=minute),
            until=START + timedelta(minutes=minute + length) if length else None,
            title="",
            label=label,
        ),
        st.integers(0, 24 * 60),
        st.sampled_from(MARKS),
        st.sampled_from([0, 0, 1, 10, 300]),
        st.sampled_from(["", "0", "schedule missed", "a very long name of an event that nobody has thought of"]),
    ),
    max_size=40,
)


@given(SOME_ITEMS, st.sampled_from([WIDE, WALL, NARROW]))
def test_nothing_stands_where_something_else_is(told: list[Item], form: Format) -> None:
    scale = Scale(start=START, end=END, format=form)
    tracks = packed(told, scale)
    assert sum(len(row) for rows in tracks.values() for row in rows) == len(told)
    for row in (row for rows in tracks.values() for row in rows):
        boxes = sorted(_box(each, scale) for each in row)
        assert all(0 <= start <= end <= scale.format.width for start, end in boxes)
        assert all(end <= start for (_, end), (start, _) in pairwise(boxes))


def _box(placed: Placed, scale: Scale) -> tuple[float, float]:
    """From where to where something is drawn, its words included."""
    if not placed.label:
        return placed.left, placed.right
    start = placed.label_x - (scale.format.length(placed.label) if placed.before else 0)
    return min(placed.left, start), max(placed.right, start + scale.format.length(placed.label))


def test_two_marks_of_the_same_minute_stand_below_each_other() -> None:
    both = [Item(track=Track.ALERTS, look=look, at=at("08:00"), title="") for look in (Look.WARNING, Look.CRITICAL)]
    assert [len(row) for row in packed(both, Scale(start=START, end=END, format=WIDE))[Track.ALERTS]] == [1, 1]


@pytest.mark.parametrize(
    ("length", "room", "shown"),
    [
        (timedelta(hours=1), 200, ["00:00", "00:15", "00:30", "00:45", "01:00"]),
        (timedelta(days=1), 200, ["00:00", "06:00", "12:00", "18:00", "00:00"]),
        (timedelta(days=8), 200, ["00:00"] * 5),
    ],
)
def test_the_axis_has_round_times_of_its_zone(length: timedelta, room: float, shown: list[str]) -> None:
    start = datetime(2026, 3, 3, tzinfo=BERLIN)
    found = list(ticks(Scale(start=start, end=start + length, format=WIDE), BERLIN, room=room))
    assert [f"{local:%H:%M}" for _, local in found] == shown
    assert all(after - before >= room for (before, _), (after, _) in pairwise(found))


def test_the_axis_keeps_to_the_clock_when_it_is_put_back() -> None:
    start = datetime(2026, 10, 25, tzinfo=BERLIN).astimezone(UTC)
    scale = Scale(start=start, end=start + timedelta(hours=25), format=WIDE)
    assert [f"{local:%H:%M}" for _, local in ticks(scale, BERLIN, room=200)] == [
        "00:00",
        "06:00",
        "12:00",
        "18:00",
        "00:00",
    ]


# The document


class Reader(HTMLParser):
    """Reads a page: whether its elements are closed as they were opened, its texts, and what it would load."""

    VOID = frozenset({"meta", "br", "hr", "img", "link", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


EVIL = "</title><script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


def written(*entries: Entry, zone: ZoneInfo = BERLIN, description: str = "Gold & silver") -> str:
    pipelines = {"gold": pipeline(zone="America/New_York", description=description)}
    return page(entries, pipelines, start=START, end=END, zone=zone)


def test_the_page_is_whole_and_loads_nothing() -> None:
    text = written(
        entry("07:00", Kind.SENSOR, "orders", "rows=3", rows=3),
        *run("08:00", "08:10"),
        entry("08:10", Kind.EVENT, "SLA_MET", "in time", breachAt="2026-03-03T10:00:00Z", **ABOUT),
    )
    read = Reader(text)
    assert {"script", "img", "link", "iframe", "object", "use", "image"}.isdisjoint(read.tags)
    assert {"src", "href", "srcset", "data"}.isdisjoint(name for name, _ in read.attributes)
    assert not re.search(r"url\((?!#hatch\))|@import|https?://", text)
    assert ("lang", "en") in read.attributes
    assert ("name", "viewport") in read.attributes
    assert read.tags.count("section") == 2  # a lane, and the legend
    labels = [value for name, value in read.attributes if name == "aria-label"]
    assert labels.count("gold: 1 run · 1 job · 1 deadline met") == 3


def test_times_are_those_of_the_page_with_those_of_the_pipeline_beside_them() -> None:
    text = written(*run("08:00", "08:10"))
    assert '<time datetime="2026-03-03T08:00:00+00:00">09:00<small>03:00 EST</small></time>' in text
    assert "<strong>Europe/Berlin</strong>" in text


def test_whatever_is_in_a_text_stays_a_text() -> None:
    text = written(
        entry("07:00", Kind.SENSOR, EVIL, EVIL, field=EVIL, **{"a<b": EVIL}),
        entry("07:00", Kind.REQUEST, "rerun", EVIL),
        entry("07:10", Kind.EVENT, "RERUN_REJECTED", EVIL, date=EVIL),
        entry("07:20", Kind.FAILURE, EVIL, EVIL, pipeline=EVIL),
        entry("07:30", Kind.EVENT, EVIL, EVIL),
        *run("08:00", "08:10", outcome="fail, TRANSIENT", date=EVIL),
        description=EVIL,
    )
    read = Reader(text)
    assert "script" not in read.tags
    assert "img" not in read.tags
    assert "onerror" not in dict(read.attributes)


def test_the_same_entries_are_the_same_page() -> None:
    entries = run("08:00", "08:10")
    assert written(*entries) == written(*entries)


def test_a_lane_in_which_nothing_happened_says_so() -> None:
    assert "Nothing happened." in written()


@pytest.mark.parametrize(
    ("hours", "title"),
    [
        (24, "Tuesday 3 March 2026"),
        (12, "3 March 2026 00:00 to 12:00"),
        (36, "3 March 2026 00:00 to 4 March 2026 12:00"),
    ],
)
def test_the_title_says_which_time_it_is_about(hours: int, title: str) -> None:
    text = page([], GOLD, start=START, end=START + timedelta(hours=hours), zone=ZoneInfo("UTC"))
    assert f"<h1>{title}</h1>" in text
