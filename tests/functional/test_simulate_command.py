"""``interlock-tf simulate``, as a user runs it, and the endpoint of ``interlock-tf local up``."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import boto3
import pytest

from interlock_tf.cli import main
from interlock_tf.local.endpoint import Endpoint
from interlock_tf.local.synthesis import stack_of_pipelines
from interlock_tf.local.terraform_json import Configuration

pytestmark = pytest.mark.slow

FX_RATES = Path(__file__).resolve().parents[2] / "pipelines" / "fx-rates.yaml"
DAY = ("--from", "2026-11-24T15:00Z", "--to", "2026-11-24T18:00Z")

LINES = (
    {"at": "2026-11-24T15:01:00Z", "pipeline": "fx-rates", "job": "fail", "category": "TRANSIENT"},
    {"at": "2026-11-24T15:00:00Z", "pipeline": "fx-rates", "key": "feed-primary", "data": {"healthy": True}},
    {"at": "2026-11-24T15:02:00Z", "pipeline": "fx-rates", "key": "fx-published", "data": {"rates": 41}},
    {"at": "2026-11-24T16:00:00Z", "pipeline": "fx-rates", "rerun": "a correction"},
)


def sensor(data: object) -> object:
    return {"at": "2026-11-24T15:02:00Z", "pipeline": "fx-rates", "key": "fx-published", "data": data}


def lines(tmp_path: Path, *told: object) -> str:
    file = tmp_path / "day.jsonl"
    file.write_text("\n".join(json.dumps(each) for each in told))
    return str(file)


def test_the_timeline_tells_what_happened_and_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", str(FX_RATES), *DAY, "--sensors", lines(tmp_path, *LINES), "--json"]) == 0
    first = capsys.readouterr().out
    told = [json.loads(line) for line in first.splitlines()]
    events = [each["what"] for each in told if each["kind"] == "event"]
    assert events[:3] == ["VALIDATION_PASSED", "JOB_TRIGGERED", "JOB_FAILED"]
    assert {"JOB_COMPLETED", "SLA_MET", "RERUN_ACCEPTED"} <= set(events)
    assert [each["at"] for each in told] == sorted(each["at"] for each in told)
    assert main(["simulate", str(FX_RATES), *DAY, "--sensors", lines(tmp_path, *LINES), "--json"]) == 0
    assert capsys.readouterr().out == first


def test_the_text_has_local_times(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--sensors", lines(tmp_path, *LINES), "--timezone", "Europe/Berlin"]
    assert main(["simulate", str(FX_RATES), *DAY, *options]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Tuesday 2026-11-24 CET\n")
    assert "16:02:00  fx-rates 2026-11-24  event JOB_TRIGGERED" in out


def test_a_page_is_written_beside_what_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = [str(FX_RATES), *DAY, "--sensors", lines(tmp_path, *LINES), "--timezone", "Europe/Berlin"]
    pages = [tmp_path / name for name in ("first.html", "second.html")]
    assert main(["simulate", *given, "--json", "--html", str(pages[0])]) == 0
    printed = capsys.readouterr()
    assert [json.loads(line)["kind"] for line in printed.out.splitlines()]
    assert printed.err == f"The page is {pages[0].as_uri()}\n"
    assert main(["simulate", *given, "--html", str(pages[1])]) == 0
    assert "16:02:00  fx-rates 2026-11-24  event JOB_TRIGGERED" in capsys.readouterr().out
    text = pages[0].read_text("utf-8")
    assert "<h1>24 November 2026 16:00 to 19:00</h1>" in text
    assert "<strong>Europe/Berlin</strong>" in text
    assert "job failed" in text
    assert text == pages[1].read_text("utf-8")


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("missing/day.html", "--html: there is no directory "),
        (".", "expected a file to write"),
        ("long" * 100 + ".html", "cannot be written: File name too long"),
    ],
)
def test_a_page_that_cannot_be_written_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str, told: str
) -> None:
    assert main(["simulate", str(FX_RATES), *DAY, "--html", str(tmp_path / place)]) == 1
    printed = capsys.readouterr()
    assert told in printed.err
    assert "Traceback" not in printed.err


def test_a_terminal_gets_what_matters_in_colour_and_everything_on_request(tmp_path: Path) -> None:
    given = ["simulate", str(FX_RATES), *DAY, "--sensors", lines(tmp_path, *LINES)]
    brief = on_a_terminal(*given)
    assert "\x1b[" in brief
    assert "▶ job starts" in brief
    assert "VALIDATION_PASSED" not in brief
    assert "prevented" in brief  # the table
    assert "event VALIDATION_PASSED" in on_a_terminal(*given, "--full")


def on_a_terminal(*arguments: str) -> str:
    """What ``interlock-tf`` writes to a terminal."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", "from interlock_tf.cli import main; main()", *arguments]
    with subprocess.Popen(command, stdout=theirs, stderr=subprocess.DEVNULL, env=environment) as process:
        os.close(theirs)
        told = b""
        with contextlib.suppress(OSError):  # the other end is closed
            while chunk := os.read(ours, 4096):
                told += chunk
    os.close(ours)
    assert process.returncode == 0
    return told.decode()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ({"at": "today", "pipeline": "fx-rates", "rerun": "x"}, "'at' must be a time"),
        ({"at": "2026-11-25T00:00:00Z", "pipeline": "fx-rates", "rerun": "x"}, "outside of the simulated time"),
        ({"at": "2026-11-24T15:00:00Z", "pipeline": "fx", "rerun": "x"}, "expected one of fx-rates"),
        ({"at": "2026-11-24T15:00:00Z", "pipeline": "fx-rates"}, "exactly one of"),
        ({"at": "2026-11-24T15:00:00Z", "pipeline": "fx-rates", "key": "a"}, "wrong is data"),
        ({"at": "2026-11-24T15:00:00Z", "pipeline": "fx-rates", "job": "ok"}, "expected success, fail or hang"),
        ({"at": "2026-11-24T15:00:00Z", "pipeline": "fx-rates", "job": "fail", "category": "BAD"}, "TRANSIENT"),
        ({"at": "2026-11-24T15:00:00Z", "pipeline": "fx-rates", "rerun": "x", "date": "2026-13-45"}, "2026-13-45"),
        ({"at": "2026-11-24T15:00:00Z", "pipeline": "fx-rates", "rerun": "x", "date": "today"}, "such as 2026-03-03"),
        ({"at": "2026-11-24T15:00:00Z", "pipeline": "fx-rates", "rerun": "x"}, "has had no run yet"),
        (sensor({"rates": float("nan")}), "DynamoDB has no number nan"),
        (sensor({"rates": "\ud800"}), "half of a surrogate pair"),
    ],
)
def test_a_wrong_line_is_told_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: object, told: str
) -> None:
    file = lines(tmp_path, LINES[1], line)
    assert main(["simulate", str(FX_RATES), *DAY, "--sensors", file]) == 1
    error = capsys.readouterr().err
    assert f"{file}:2: " in error
    assert told in error


def test_a_sensor_that_no_table_holds_is_told_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = lines(tmp_path, LINES[1], sensor({"rates": 1e300}))
    assert main(["simulate", str(FX_RATES), *DAY, "--sensors", file]) == 1
    assert capsys.readouterr().err.startswith(f"{file}:2: the table refuses it: Number overflow")


def test_a_text_may_hold_a_separator_of_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "day.jsonl"
    file.write_text(json.dumps(sensor({"note": "a\u2028b"}), ensure_ascii=False), encoding="utf-8")
    assert main(["simulate", str(FX_RATES), *DAY, "--sensors", str(file)]) == 0
    assert 'note="a\\u2028b"' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--from", "yesterday"], "--from: 'yesterday' is not a time"),
        (["--from", "2026-11-24", "--to", "2026-11-23"], "--to: must be later"),
        (["--from", "0001-01-01", "--timezone", "Asia/Tokyo"], "--from: '0001-01-01' is not in the years 1970 to 2999"),
        (["--from", "2026-11-24", "--to", "9999-12-31"], "--to: '9999-12-31' is not in the years 1970 to 2999"),
        (["--from", "2026-11-24", "--timezone", "Mars/One"], "--timezone: there is no time zone"),
    ],
)
def test_wrong_options_are_told(capsys: pytest.CaptureFixture[str], options: list[str], told: str) -> None:
    assert main(["simulate", str(FX_RATES), *options]) == 1
    assert told in capsys.readouterr().err


def test_a_wrong_pipeline_is_told_by_its_own_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text("pipeline: {id: x}\n")
    assert main(["simulate", str(file), *DAY]) == 1
    assert f"{file}:1:" in capsys.readouterr().err


def client_of(service: str, endpoint: Endpoint) -> Any:
    """Somebody's client of a service, on a stack that runs here."""
    credentials = {"aws_access_key_id": "anybody", "aws_secret_access_key": "anybody"}
    return boto3.client(service, endpoint_url=endpoint.url, region_name="us-east-1", **credentials)  # type: ignore[call-overload]


def test_a_sensor_that_is_put_over_http_starts_a_run() -> None:
    endpoint = Endpoint(Configuration.read(stack_of_pipelines([FX_RATES])))
    tables, states = client_of("dynamodb", endpoint), client_of("stepfunctions", endpoint)
    machine = endpoint.world.configuration.outputs()["sfn_arn"]
    with endpoint:
        row = {"PK": {"S": "PIPELINE#fx-rates"}, "SK": {"S": "SENSOR#fx-published#20261124"}}
        with pytest.raises(tables.exceptions.ConditionalCheckFailedException):
            tables.put_item(TableName="dev-interlock-control", Item=row, ConditionExpression="attribute_exists(PK)")
        tables.put_item(TableName="dev-interlock-control", Item=row)
        end = time.monotonic() + 30
        (router,) = (each for each in endpoint.world.functions.by_arn.values() if "router" in each.name)
        while time.monotonic() < end and not router.invocations:
            time.sleep(0.05)
        assert router.invocations == 1
        assert isinstance(states.list_executions(stateMachineArn=machine)["executions"], list)


@pytest.mark.parametrize(
    ("service", "operation", "given"),
    [
        ("sts", "get_caller_identity", {}),
        ("lambda", "list_functions", {}),
        ("scheduler", "list_schedules", {}),
        ("s3", "list_buckets", {}),
        ("s3", "put_object", {"Bucket": "one", "Key": "two", "Body": b"three"}),
        ("logs", "describe_log_groups", {}),
    ],
)
def test_a_service_that_is_not_simulated_says_so(service: str, operation: str, given: Any) -> None:
    endpoint = Endpoint(Configuration.read(stack_of_pipelines([FX_RATES])))
    client = client_of(service, endpoint)
    with endpoint, pytest.raises(client.exceptions.ClientError) as refused:
        getattr(client, operation)(**given)
    assert refused.value.response["Error"]["Code"] in ("NotImplemented", "UnknownOperationException")
    assert "here" in refused.value.response["Error"]["Message"]


def test_a_port_that_is_none_or_taken_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    stack = str(stack_of_pipelines([FX_RATES]))
    with pytest.raises(SystemExit) as caught:
        main(["local", "up", stack, "--port", "99999"])
    assert caught.value.code == 2
    assert "'99999' is not a port: a number from 0 to 65535" in capsys.readouterr().err
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["local", "up", stack, "--port", str(port)]) == 1
    assert capsys.readouterr().err == f"--port: {port} cannot be listened on: Address already in use\n"
