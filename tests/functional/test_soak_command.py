"""``interlock-tf soak``, as a user runs it, and how a day that goes wrong is cut down."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from interlock_tf.cli import main
from interlock_tf.local import soak
from interlock_tf.local.faults import Fault, Kind
from interlock_tf.local.random_days import Day, random_day, read_day
from interlock_tf.local.synthesis import stack_of_pipelines
from interlock_tf.local.terraform_json import Configuration

pytestmark = pytest.mark.slow

FX_RATES = Path(__file__).resolve().parents[2] / "pipelines" / "fx-rates.yaml"

HEAD = {
    "seed": 4,
    "from": "2026-11-24T12:00:00Z",
    "calmFrom": "2026-11-24T18:00:00Z",
    "to": "2026-11-24T18:00:00Z",
    "pipelines": ["fx-rates"],
}
SENSORS = (
    {"at": "2026-11-24T15:00:00Z", "pipeline": "fx-rates", "key": "feed-primary", "data": {"healthy": True}},
    {"at": "2026-11-24T15:02:00Z", "pipeline": "fx-rates", "key": "fx-published", "data": {"rates": 41}},
)
#: It lasts longer than the day: what waits for it is left at the end.
HELD = {"at": "2026-11-24T15:01:00Z", "fault": "held", "where": "stream-router", "seconds": 20000}
TWICE = {"at": "2026-11-24T14:00:00Z", "fault": "twice", "where": "event-sink"}


def written(tmp_path: Path, *lines: object) -> Path:
    file = tmp_path / "day.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)))
    return file


def test_days_that_go_well_are_counted(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    failures = tmp_path / "failures"
    options = ["--days", "3", "--seed", "40", "--processes", "2", "--failures", str(failures)]
    assert main(["soak", str(FX_RATES), *options]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("3 days in ")
    assert first.endswith("; 0 days went wrong")
    assert second.partition(" ")[2].startswith("faults: ")
    assert not failures.exists()


def test_where_failing_days_cannot_go_is_told_before_the_work(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    assert main(["soak", str(FX_RATES), "--failures", str(tmp_path / "file" / "soak")]) == 1
    assert capsys.readouterr().err == f"--failures: nothing can be written into {tmp_path}/file\n"


def test_a_day_is_lived_through_again(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["soak", str(FX_RATES), "--replay", str(written(tmp_path, HEAD, *SENSORS, TWICE))]) == 0
    out = capsys.readouterr().out
    assert "event JOB_COMPLETED" in out
    assert "failure twice event-sink" in out
    assert main(["soak", str(FX_RATES), "--replay", str(written(tmp_path, HEAD, *SENSORS, HELD))]) == 1
    assert "wrong: nothing_waits: records are left in" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([], "it is empty"),
        ([{**HEAD, "from": "noon"}], "day.jsonl:1: 'from' is 'noon', expected a time"),
        ([{**HEAD, "pipelines": ["gold"]}], "day.jsonl:1: there is no pipeline gold; expected fx-rates"),
        ([HEAD, {**HELD, "where": "glue"}], "day.jsonl:2: 'where' is 'glue', expected one of orchestrator"),
        ([HEAD, {**SENSORS[0], "data": 1}], "day.jsonl:2: 'data' is 1, expected an object"),
        ([HEAD, [1]], "day.jsonl:2: '[1]' is not a JSON object"),
    ],
)
def test_a_file_that_is_no_day_is_refused(
    lines: list[object], told: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["soak", str(FX_RATES), "--replay", str(written(tmp_path, *lines))]) == 1
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--days", "--processes"])
def test_a_number_below_one_is_refused(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["soak", str(FX_RATES), option, "0"]) == 1
    assert f"{option}: must be 1 or more" in capsys.readouterr().err


def test_a_day_that_goes_wrong_is_cut_down_to_the_least_of_it(tmp_path: Path) -> None:
    stack = Configuration.read(stack_of_pipelines([FX_RATES], **soak.CHANNEL), variables=soak.TOKEN)
    short = read_day(written(tmp_path, HEAD, *SENSORS, HELD), pipeline_ids=["fx-rates"])
    around = random_day(40, stack.pipelines())
    shift = short.start - around.start
    faults = [replace(fault, at=fault.at + shift) for fault in around.faults if fault.kind is not Kind.HELD]
    day: Day = replace(short, faults=(*faults, *short.faults))
    whole = soak.live(stack, day)
    assert "nothing_waits" in whole.checks

    least = soak.least(stack, whole)
    assert "nothing_waits" in least.checks
    assert len(least.day.lines) == 1
    assert [fault.kind for fault in least.day.faults] == [Kind.HELD]
    # As a file, it goes wrong in the same way.
    file = tmp_path / "least.jsonl"
    file.write_text(least.day.text())
    assert soak.live(stack, read_day(file, pipeline_ids=["fx-rates"])).wrong == least.wrong
    assert Fault.of(least.day.faults[0].describe()) == least.day.faults[0]
