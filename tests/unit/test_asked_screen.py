"""What people see: times, widths, colours, and how far a long answer is."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from rich.text import Text

from interlock_runtime.core.errors import ConfigError
from interlock_tf.installation.deployed import near
from interlock_tf.installation.history import event_type, since_of
from interlock_tf.installation.screen import Progress, clean, console, show
from interlock_tf.installation.times import distance, local, rough

NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)


class Terminal(io.StringIO):
    """A file that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1.2, "0s"),
        (0, "0s"),
        (59.9, "59s"),
        (61, "1m1s"),
        (659, "10m"),
        (3 * 3600 + 61, "3h1m"),
        (100_000, "1d3h"),
        (86_400, "1d"),
    ],
)
def test_a_duration_has_two_units_at_most(seconds: float, text: str) -> None:
    assert rough(timedelta(seconds=seconds)) == text


def test_instants_are_those_of_a_zone() -> None:
    assert local(NOW, ZoneInfo("America/New_York")) == "2026-03-03 07:00 EST"
    assert local(NOW + timedelta(seconds=5), ZoneInfo("UTC")) == "2026-03-03 12:00:05 UTC"
    assert distance(NOW + timedelta(hours=1), NOW) == "in 1h"
    assert distance(NOW - timedelta(hours=1), NOW) == "1h ago"
    assert distance(NOW, NOW) == "now"


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2h", "2026-03-03T10:00:00+00:00"),
        ("1d12h", "2026-03-02T00:00:00+00:00"),
        ("2026-03-03", "2026-03-02T23:00:00+00:00"),
        ("2026-03-03T08:00:00+01:00", "2026-03-03T07:00:00+00:00"),
    ],
)
def test_since_is_a_duration_a_date_or_a_time(text: str, instant: str) -> None:
    assert since_of(text, now=NOW, zone=ZoneInfo("Europe/Berlin")).isoformat() == instant


@pytest.mark.parametrize("text", ["yesterday", "12", "2026-13-01", ""])
def test_another_since_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"--since: .* is no time; expected such as 2h"):
        since_of(text, now=NOW)


def test_an_event_type_may_be_written_as_people_write() -> None:
    assert event_type("job-completed") == "JOB_COMPLETED"
    with pytest.raises(ConfigError, match="did you mean JOB_COMPLETED"):
        event_type("JOB_COMPLETE")


def test_near_names_are_similar_ones_and_those_that_hold_the_text() -> None:
    known = ["gold-revenue", "silver-revenue", "fx-rates"]
    assert near("gold-revenu", known)[0] == "gold-revenue"
    assert near("revenue", known) == ["gold-revenue", "silver-revenue"]
    assert near("zzz", known) == []


def test_what_a_terminal_would_obey_is_shown_and_not_sent() -> None:
    assert clean("a\x1b[2Jb\nc\u202e") == r"a\x1b[2Jb\nc\u202e"
    assert clean("ä – 日本") == "ä – 日本"


@pytest.mark.parametrize(("no_color", "coloured"), [(None, True), ("1", False)])
def test_colours_are_for_terminals_that_want_them(
    monkeypatch: pytest.MonkeyPatch, no_color: str | None, coloured: bool
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_color:
        monkeypatch.setenv("NO_COLOR", no_color)
    terminal, file = Terminal(), io.StringIO()
    for out in (terminal, file):
        show(lambda _: [Text("amiss", "red")], out)
    assert ("\x1b[31m" in terminal.getvalue()) is coloured
    assert file.getvalue() == "amiss\n"


def test_text_that_is_piped_is_wide_and_columns_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert console(io.StringIO()).width == 160
    monkeypatch.setenv("COLUMNS", "70")
    assert console(io.StringIO()).width == 70


def test_progress_is_told_to_a_terminal_when_it_takes_long() -> None:
    seconds = iter([0.0, 0.0, 0.5, 1.5, 2.0])
    err = Terminal()
    progress = Progress(err, clock=lambda: next(seconds))
    with progress:
        progress(100)
        assert err.getvalue() == ""
        progress(1900)
        assert err.getvalue() == "\r\x1b[K2,000 rows read …"
    assert err.getvalue().endswith("\r\x1b[K")


def test_no_progress_is_written_to_a_file() -> None:
    err = io.StringIO()
    progress = Progress(err, clock=iter([0.0, 0.0, 100.0]).__next__)
    with progress:
        progress(1)
    assert err.getvalue() == ""
