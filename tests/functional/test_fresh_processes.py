"""The two handlers in a process of their own, with nothing but their environment, against a simulated AWS."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from interlock_runtime import settings
from interlock_runtime.aws.clients import Clients
from interlock_runtime.aws.tables import Table
from interlock_runtime.core import rows
from interlock_runtime.core.attributes import encode_item
from tests.fakes import fresh_process
from tests.fakes.aws import CREDENTIALS
from tests.fakes.deployed import deploy
from tests.fakes.gold import DATE, READY, gold

pytestmark = pytest.mark.slow

RUNTIME = Path(settings.__file__).parents[1]
FUNCTION = "dev-interlock-stream-router"


class Installation:
    """An endpoint with our tables, and the environment of the functions that use them."""

    def __init__(self, endpoint: str) -> None:
        self.environment = CREDENTIALS | {"AWS_ENDPOINT_URL": endpoint, "AWS_REGION": CREDENTIALS["AWS_DEFAULT_REGION"]}
        os.environ.update(self.environment)
        self.clients = Clients()
        self.environment |= {
            "CONTROL_TABLE": "dev-control",
            "JOBLOG_TABLE": "dev-joblog",
            "RERUN_TABLE": "dev-rerun",
            "EVENT_BUS_NAME": "dev-events",
            "STATE_MACHINE_ARN": deploy(self.clients),
            "SFN_TIMEOUT_SECONDS": "14400",
            "TRIGGER_RETENTION_DAYS": "400",
            "ALLOWED_PRIVATE_HOSTS": "",
            "AWS_LAMBDA_FUNCTION_NAME": FUNCTION,
        }
        self.control = Table("dev-control", lambda: self.clients("dynamodb"))

    def invoke(self, module: str, *events: Any, without: tuple[str, ...] = ()) -> tuple[dict[str, Any], list[Any]]:
        """Invoke a handler in a fresh process; what was measured, and the lines it logged."""
        environment = {name: value for name, value in self.environment.items() if name not in without}
        told = {
            "module": f"interlock_runtime.handlers.{module}",
            "invocations": [{"event": event, "request_id": f"req-{number}"} for number, event in enumerate(events)],
        }
        done = subprocess.run(
            [sys.executable, fresh_process.__file__],
            input=json.dumps(told),
            env=environment | {"PYTHONPATH": str(RUNTIME), "PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            timeout=120,
        )
        if done.returncode:
            raise RuntimeError(done.stderr)
        *lines, measured = done.stdout.splitlines()
        return json.loads(measured), [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def installation() -> Iterator[Installation]:
    before = dict(os.environ)
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield Installation(f"http://{host}:{port}")
    finally:
        server.stop()
        os.environ.clear()
        os.environ.update(before)


def sensor_record(event_id: str, **fields: Any) -> dict[str, Any]:
    """A stream record as Lambda gives it."""
    row = {"PK": "PIPELINE#gold", "SK": "SENSOR#orders", "data": READY | fields}
    return {
        "eventID": event_id,
        "eventName": "MODIFY",
        "dynamodb": {
            "ApproximateCreationDateTime": 1772517600,
            "Keys": encode_item({"PK": row["PK"], "SK": row["SK"]}),
            "NewImage": encode_item(row),
            "SequenceNumber": "1",
        },
    }


def test_a_run_is_started_and_evaluated_by_functions_that_have_just_begun(installation: Installation) -> None:
    installation.control.put({"PK": "PIPELINE#gold", "SK": "CONFIG", "config": json.dumps(gold())})
    installation.control.put({"PK": "PIPELINE#gold", "SK": "SENSOR#orders", "data": READY})
    measured, lines = installation.invoke("stream_router", {"Records": [sensor_record("1"), {"eventName": "X"}]})
    assert measured["answers"] == [{"batchItemFailures": []}]
    row = installation.control.get(("PIPELINE#gold", rows.trigger("stream", DATE)))
    assert row is not None
    assert row["executionArn"].endswith(f"gold-stream-{DATE}-0-{row['executionArn'].rpartition('-')[2]}")

    logs, metrics = [line for line in lines if "_aws" not in line], [line for line in lines if "_aws" in line]
    started = next(line for line in logs if line["message"] == "run started")
    wanted = {
        "level": "INFO",
        "function": FUNCTION,
        "request_id": "req-0",
        "correlation_id": "1",
        "pipeline": "gold",
        "schedule": "stream",
        "date": DATE,
        "attempt": 0,
    }
    assert wanted.items() <= started.items()
    dropped = next(line for line in logs if line["level"] == "ERROR")
    assert "dropped" in dropped["message"]
    (counted,) = metrics
    assert counted["function"] == FUNCTION
    assert (counted["RecordsProcessed"], counted["RunsStarted"], counted["RulesEvaluated"]) == ([2], [1], [1])
    assert counted["RecordsRefused"] == [1]
    assert counted["HandlerDuration"][0] > 0
    units = {each["Name"]: each["Unit"] for each in counted["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
    assert (units["HandlerDuration"], units["RunsStarted"]) == ("Milliseconds", "Count")
    assert counted["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Interlock"

    told = json.loads(row["input"])
    identity = {name: told[name] for name in ("pipelineId", "scheduleId", "date", "attempt")}
    evaluate = identity | {
        "mode": "evaluate",
        "executionId": row["executionArn"],
        "executionStartTime": told["startedAt"],
        "config": told["config"],
    }
    measured, _ = installation.invoke("orchestrator", evaluate)
    (answer,) = measured["answers"]
    assert answer["status"] == "not_ready"
    assert [result["passed"] for result in answer["results"]] == [True, False]


@pytest.mark.parametrize("module", ["stream_router", "orchestrator"])
def test_nothing_is_imported_before_it_is_needed(installation: Installation, module: str) -> None:
    measured, _ = installation.invoke(module)
    imported = set(measured["imported"])
    heavy = {
        "boto3",
        "botocore.session",
        "botocore.client",
        "pydantic",
        "slack_sdk",
        "yaml",
        "jinja2",
        "requests",
        "cdktf",
    }
    assert imported & heavy == set()
    assert not [name for name in imported if name.startswith(("interlock_tf", "interlock_runtime.jobs.aws_lambda"))]
    assert len(imported) < 320, "a module more is paid for in every cold start"
    assert measured["peak_megabytes"] < 35


def test_the_first_event_fits_the_memory_of_the_smallest_function(installation: Installation) -> None:
    measured, _ = installation.invoke("stream_router", {"Records": [sensor_record("2", state="loading")]})
    assert measured["peak_megabytes"] < 90
    assert measured["first_event_cpu_seconds"] < 1.2, "0.6 s of wall time on a machine that does nothing else"


@pytest.mark.parametrize("module", ["stream_router", "orchestrator"])
def test_an_incomplete_environment_is_one_line_that_names_what_is_missing(
    installation: Installation, module: str
) -> None:
    with pytest.raises(RuntimeError) as caught:
        installation.invoke(module, {"Records": []}, without=("CONTROL_TABLE", "EVENT_BUS_NAME"))
    last = str(caught.value).strip().splitlines()[-1]
    assert "CONTROL_TABLE is missing; EVENT_BUS_NAME is missing" in last
