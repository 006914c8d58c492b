"""The judge of the whole suite's calls can tell what is allowed from what is not, and whose a call is."""

from __future__ import annotations

import re
from typing import Any

import pytest

from interlock_runtime.aws.tables import Table
from tests.fakes import call_judge
from tests.fakes.aws import create_table, simulated_aws

ROW = {"PK": {"S": "PIPELINE#gold"}, "SK": {"S": "CONFIG"}}


@pytest.mark.parametrize(
    ("function", "operation", "table", "problem"),
    [
        ("watchdog", "DeleteItem", "dev-control", None),
        ("orchestrator", "DeleteItem", "dev-control", "not authorized to perform: dynamodb:DeleteItem"),
        ("event_sink", "GetItem", "dev-events", "What comes nearest: dynamodb-events-write: dynamodb:PutItem on"),
        ("sla_monitor", "GetItem", "dev-joblog", "on resource: .*:table/dev-interlock-joblog because"),
        ("watchdog", "UpdateTable", "dev-control", "not known here which rights UpdateTable of dynamodb takes"),
        (call_judge.NOBODY, "DeleteItem", "dev-joblog", None),
        (call_judge.NOBODY, "BatchWriteItem", "dev-joblog", "no role of a function may do dynamodb:BatchWriteItem"),
    ],
)
def test_a_call_is_judged_by_its_function(function: str, operation: str, table: str, problem: str | None) -> None:
    call: dict[str, Any] = {"TableName": table, "Key": ROW, "RequestItems": {table: [{"DeleteRequest": {"Key": ROW}}]}}
    found = call_judge.judge(function, "dynamodb", operation, call)
    assert (found is None) is (problem is None)
    assert problem is None or re.search(problem, found or "")


def test_targets_of_jobs_are_judged_by_the_action() -> None:
    run = {"JobName": "whatever", "RunId": "jr_1"}
    assert call_judge.judge("orchestrator", "glue", "GetJobRun", run) is None
    assert "glue:GetJobRun" in (call_judge.judge("watchdog", "glue", "GetJobRun", run) or "")


@pytest.mark.refusals
@pytest.mark.parametrize(
    ("module", "refusals"),
    [
        ("interlock_runtime.handlers.event_sink", 1),
        ("interlock_runtime.handlers.watchdog", 0),
        ("interlock_runtime.control.watchdog.passes", 0),
        ("interlock_runtime.jobs.glue", 1),
        ("interlock_runtime.aws.tables", 0),
        ("tests.anywhere", 0),
    ],
)
def test_a_call_is_that_of_the_function_whose_module_makes_it(module: str, refusals: int) -> None:
    with simulated_aws() as clients:
        create_table(clients, "dev-control")
        code = compile("client.delete_item(TableName='dev-control', Key=row)", module, "exec")
        exec(code, {"__name__": module, "client": clients("dynamodb"), "row": ROW})
    assert len(call_judge.refused) == refusals


@pytest.mark.refusals
def test_a_call_is_judged_even_if_somebody_above_swallows_its_error() -> None:
    with simulated_aws() as clients:
        table = Table("dev-missing", lambda: clients("dynamodb"))
        source = "try:\n  table.delete(('a', 'b'))\nexcept Exception:\n  pass"
        exec(compile(source, "sink", "exec"), {"__name__": "interlock_runtime.handlers.event_sink", "table": table})
    (refusal,) = call_judge.refused
    assert "dev-interlock-event-sink is not authorized to perform: dynamodb:DeleteItem" in refusal
