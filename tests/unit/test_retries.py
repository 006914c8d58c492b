"""What follows from the job log: completed, failed, retried, given up."""

from __future__ import annotations

from typing import Any

import pytest

from interlock_runtime.control import runs
from interlock_runtime.core.errors import TransientError
from interlock_runtime.core.rows import Kind, Status
from interlock_runtime.core.run import Reason, Run
from tests.fakes.gold import DATE, READY, gold
from tests.fakes.world import World


@pytest.fixture
def world() -> World:
    return started(gold())


def started(document: dict[str, Any]) -> World:
    world = World()
    world.pipeline(document)
    world.deliver(world.write_sensor("gold", "orders", **READY))
    world.advance(minutes=1)
    return world


def the_run(world: World) -> Run:
    run = world.run("gold", DATE)
    assert run is not None
    return run


def fail(world: World, event: str = "fail", **attributes: Any) -> dict[str, Any]:
    record = world.log_job("gold", DATE, event, **attributes)
    assert world.deliver(record) == []
    world.advance(minutes=1)
    return record


def end(world: World, status: Status = Status.FAILED_FINAL, kind: Kind | None = Kind.UNDECIDED) -> None:
    made = runs.finish(world.ports, the_run(world), status=status, reason=Reason.FAIL, kind=kind, now=world.now)
    assert made.made


def test_a_success_of_the_current_attempt_is_told(world: World) -> None:
    fail(world, "success", attempt=0, runId="jr_1", duration=1500)
    event = world.bus.the("JOB_COMPLETED")
    assert event.detail == {"runId": "jr_1", "durationMs": 1500}
    assert event.attempt == 0


def test_a_success_whose_record_comes_after_a_rerun_has_begun_is_told_all_the_same(world: World) -> None:
    record = world.log_job("gold", DATE, "success", attempt=0, runId="jr_1", writer="interlock")
    end(world, Status.COMPLETED, kind=None)
    world.deliver(world.request("gold", DATE))
    assert the_run(world).attempt == 1
    assert world.deliver(record) == []
    event = world.bus.the("JOB_COMPLETED")
    assert (event.attempt, event.detail["runId"]) == (0, "jr_1")
    assert the_run(world).is_running


def test_a_success_that_an_outside_job_tells_of_an_earlier_attempt_is_passed_over(world: World) -> None:
    end(world)
    fail(world, attempt=0)
    fail(world, "success", attempt=0)
    assert "JOB_COMPLETED" not in world.bus.types


def test_a_failed_attempt_is_retried_while_the_budget_lasts(world: World) -> None:
    fail(world, attempt=0, category="TRANSIENT", error="out of memory")
    run = the_run(world)
    assert (run.attempt, run.reason, run.status) == (1, "job-fail-retry", "RUNNING")
    assert len(world.executions.inputs) == 2
    assert "RETRY_EXHAUSTED" not in world.bus.types


def test_a_retry_may_come_before_or_after_the_execution_has_ended_the_attempt(world: World) -> None:
    end(world)
    fail(world, attempt=0)
    assert (the_run(world).attempt, the_run(world).status) == (1, "RUNNING")


def test_a_timeout_is_retried_as_a_failure_is(world: World) -> None:
    fail(world, "timeout", attempt=0, category="TIMEOUT")
    assert the_run(world).attempt == 1


def test_when_the_budget_is_spent_the_failure_is_final(world: World) -> None:
    fail(world, attempt=0)
    fail(world, attempt=1, category="TRANSIENT", error="again")
    run = the_run(world)
    assert (run.attempt, run.status, run.reason) == (1, "FAILED_FINAL", "fail")
    event = world.bus.the("RETRY_EXHAUSTED")
    assert event.attempt == 1
    assert (event.detail["used"], event.detail["allowed"], event.detail["error"]) == (1, 1, "again")


def test_a_final_failure_leaves_the_index_when_it_was_undecided(world: World) -> None:
    fail(world, attempt=0)
    end(world)
    assert the_run(world).kind == Kind.UNDECIDED
    fail(world, attempt=1)
    assert the_run(world).kind is None


def test_a_permanent_failure_draws_on_the_budget_for_code_failures() -> None:
    world = started(gold(job={"maxRetries": 3, "maxCodeRetries": 0}))
    fail(world, attempt=0, category="PERMANENT")
    assert world.bus.the("RETRY_EXHAUSTED").detail["allowed"] == 0
    assert "maxCodeRetries" in world.bus.the("RETRY_EXHAUSTED").message


def test_retries_of_either_kind_count_together() -> None:
    world = started(gold(job={"maxRetries": 3, "maxCodeRetries": 1}))
    fail(world, attempt=0)
    fail(world, attempt=1, category="PERMANENT")
    assert world.bus.the("RETRY_EXHAUSTED").attempt == 1


def test_a_failure_on_an_excluded_date_is_not_retried(world: World) -> None:
    world.pipeline(gold(schedule={"exclude": {"dates": [DATE]}}))
    end(world)
    fail(world, attempt=0)
    assert the_run(world).attempt == 0
    assert the_run(world).kind is None
    assert world.bus.the("PIPELINE_EXCLUDED")
    assert "RETRY_EXHAUSTED" not in world.bus.types


def test_without_a_configuration_nothing_is_retried_and_that_is_told(world: World) -> None:
    world.control.delete(("PIPELINE#gold", "CONFIG"))
    world.ports.configs.forget()
    fail(world, attempt=0)
    assert "the pipeline was removed" in world.bus.the("RETRY_EXHAUSTED").message
    assert the_run(world).status == "FAILED_FINAL"


def test_an_outcome_is_told_though_the_configuration_cannot_be_read(world: World) -> None:
    document = world.control.rows()["PIPELINE#gold", "CONFIG"]
    world.control.write(document | {"config": "{"})
    world.ports.configs.forget()
    fail(world, "success", attempt=0)
    fail(world, attempt=0)
    assert world.bus.types == ["JOB_COMPLETED", "JOB_FAILED"]
    assert the_run(world).status == "RUNNING"


def test_a_pipeline_that_has_become_a_dry_run_is_not_retried(world: World) -> None:
    world.pipeline(gold(dryRun=True))
    fail(world, attempt=0)
    assert "has become a dry run" in world.bus.the("RETRY_EXHAUSTED").message
    assert the_run(world).status == "FAILED_FINAL"
    assert len(world.executions.inputs) == 1


def test_the_duplicate_failure_after_the_retry_has_succeeded_is_passed_over(world: World) -> None:
    fail(world, attempt=0)
    fail(world, "success", attempt=1)
    end(world, Status.COMPLETED, kind=None)
    fail(world, attempt=0)
    fail(world, attempt=0, error="told twice")
    assert (the_run(world).attempt, the_run(world).status) == (1, "COMPLETED")
    assert "RETRY_EXHAUSTED" not in world.bus.types


def test_the_same_failure_again_spends_no_budget(world: World) -> None:
    record = fail(world, attempt=0)
    world.deliver(record, record)
    assert the_run(world).attempt == 1
    assert len(world.rerun.rows()) == 1


def test_a_retry_whose_execution_could_not_be_started_is_resumed_by_the_replay(world: World) -> None:
    record = world.log_job("gold", DATE, "fail", attempt=0)
    world.calls.fail["states:StartExecution"] = TransientError("throttled")
    assert world.deliver(record) != []
    assert the_run(world).attempt == 1
    world.calls.reset()
    assert world.deliver(record) == []
    assert the_run(world).execution_arn is not None
    assert len(world.rerun.rows()) == 1


def test_a_failure_after_completion_is_passed_over(world: World) -> None:
    end(world, Status.COMPLETED, kind=None)
    fail(world, attempt=0)
    assert the_run(world).status == "COMPLETED"
    assert "RETRY_EXHAUSTED" not in world.bus.types


# Attribution


def test_a_row_with_the_run_id_belongs_to_the_attempt_that_has_it(world: World) -> None:
    runs.record_job(world.ports, the_run(world), {"status": "started"}, run_id="jr_1")
    fail(world, runId="jr_1")
    assert the_run(world).attempt == 1


def test_a_row_with_the_token_belongs_to_the_attempt_that_was_given_it(world: World) -> None:
    fail(world, runId=the_run(world).token)
    assert the_run(world).attempt == 1


def test_a_row_with_another_run_id_belongs_to_nobody(world: World) -> None:
    fail(world, runId="jr_other")
    assert the_run(world).attempt == 0
    assert world.bus.events == []
    assert "jr_other" in world.log.text("warning")


def test_a_row_with_neither_counts_for_the_first_attempt_only(world: World) -> None:
    fail(world)
    assert the_run(world).attempt == 1
    fail(world)
    assert the_run(world).attempt == 1
    assert the_run(world).status == "RUNNING"
    assert "RETRY_EXHAUSTED" not in world.bus.types


def test_an_old_failure_never_ends_a_retry(world: World) -> None:
    old = the_run(world)
    fail(world, attempt=0)
    fail(world, runId=old.token)
    assert (the_run(world).attempt, the_run(world).status) == (1, "RUNNING")


def test_an_attempt_may_be_written_as_text(world: World) -> None:
    fail(world, attempt="0")
    assert the_run(world).attempt == 1


@pytest.mark.parametrize("attempt", ["first", "1e400", 7, -1, 1.5, True, {"N": 0}])
def test_a_row_with_an_attempt_that_is_none_belongs_to_nobody(world: World, attempt: Any) -> None:
    fail(world, attempt=attempt)
    assert the_run(world).attempt == 0
    assert "belongs to no attempt" in world.log.text("warning")


def test_a_row_of_a_date_without_a_run_is_passed_over(world: World) -> None:
    assert world.deliver(world.log_job("gold", "2026-03-09", "fail")) == []
    assert world.bus.events == []
    assert "no such run" in world.log.text("warning")


@pytest.mark.parametrize(
    "event", ["infra-trigger-failure", "validation-exhausted", "rerun-accepted", "late-data-arrival", "something else"]
)
def test_what_is_no_outcome_has_no_consequence(world: World, event: str) -> None:
    world.calls.reset()
    fail(world, event, attempt=0)
    assert world.calls.made == []


# Who tells of a failure


def test_the_failure_of_an_outside_job_is_told_when_its_row_arrives(world: World) -> None:
    fail(world, attempt=0, error="disk full", category="PERMANENT")
    event = world.bus.the("JOB_FAILED")
    assert "disk full" in event.message
    assert event.detail["category"] == "PERMANENT"


def test_a_failure_that_interlock_logged_was_told_before(world: World) -> None:
    fail(world, attempt=0, writer="interlock")
    assert "JOB_FAILED" not in world.bus.types


@pytest.mark.parametrize(
    "reason",
    [
        Reason.JOB_POLL_EXHAUSTED,
        Reason.INFRA_FAILURE,
        Reason.SFN_TIMEOUT,
        Reason.TRIGGER_EXHAUSTED,
        Reason.VALIDATION_EXHAUSTED,
    ],
)
def test_a_failure_that_a_job_reports_after_its_attempt_had_ended_otherwise_is_retried_within_budget(
    world: World, reason: Reason
) -> None:
    runs.finish(world.ports, the_run(world), status=Status.FAILED_FINAL, reason=reason, kind=None, now=world.now)
    world.advance(hours=1)
    record = fail(world, attempt=0)
    assert (the_run(world).attempt, the_run(world).reason) == (1, "job-fail-retry")
    world.deliver(record)
    assert the_run(world).attempt == 1
