"""Whatever comes, in whatever order, as often as it likes, dying anywhere: the trigger row stays right."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from interlock_runtime.core.errors import InterlockError
from interlock_runtime.core.instants import rfc3339
from interlock_runtime.core.rows import Status
from interlock_runtime.core.run import Run
from tests.fakes.calls import Killed
from tests.fakes.gold import DATE, READY, gold
from tests.fakes.world import World

pytestmark = pytest.mark.slow

MAX_RETRIES, MAX_MANUAL, MAX_DRIFT = 2, 2, 1

#: After how many AWS calls the function dies, if it does.
deaths = st.none() | st.integers(1, 12)
which = st.integers(0, 10**6)


class TriggerRow(RuleBasedStateMachine):
    """One date of one pipeline, under everything that can happen to it."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.seen: dict[int, Run] = {}
        self.started: dict[int, dict[str, Any]] = {}
        self.last: Run | None = None
        self.writes = 0
        self.delivered: set[str] = set()

    @initialize()
    def deploy(self) -> None:
        limits = {"maxRetries": MAX_RETRIES, "maxManualReruns": MAX_MANUAL, "maxDriftReruns": MAX_DRIFT}
        self.world.pipeline(gold(job=limits))
        self.world.write_sensor("gold", "rates", x=1)
        self.write_a_sensor(1000)
        self.the_router_gets_a_fresh_record(None)

    # What happens outside

    @rule(count=st.sampled_from([5, 1000, 2000]))
    def write_a_sensor(self, count: int) -> None:
        self.writes += 1
        self.world.write_sensor("gold", "orders", **READY | {"count": count}, write=self.writes)

    @rule(event=st.sampled_from(["success", "fail", "timeout"]), attempt=st.none() | st.integers(0, 3))
    def an_outside_job_reports(self, event: str, attempt: int | None) -> None:
        told = {} if attempt is None else {"attempt": attempt}
        self.world.advance(seconds=1)
        self.world.log_job("gold", DATE, event, **told)

    @rule(reason=st.sampled_from(["manual", "late-data", "data-drift"]), timed=st.booleans())
    def somebody_asks_for_a_rerun(self, reason: str, timed: bool) -> None:
        told = {"requestedAt": rfc3339(self.world.now)} if timed else {}
        self.world.request("gold", DATE, reason=reason, **told)

    @rule(state=st.sampled_from(["SUCCEEDED", "FAILED", "TIMEOUT"]))
    def the_job_ends(self, state: str) -> None:
        if self.world.jobs.jobs:
            self.world.jobs.end(state)

    @rule(seconds=st.sampled_from([1, 40, 4000]))
    def time_passes(self, seconds: int) -> None:
        self.world.advance(seconds=seconds)

    # What the functions do, each of which may die at any call

    @rule(death=deaths)
    def the_router_gets_a_fresh_record(self, death: int | None) -> None:
        streams = (self.world.control.stream, self.world.joblog.stream)
        fresh = [record for stream in streams for record in stream if record["eventID"] not in self.delivered]
        if fresh:
            self.delivered.add(fresh[-1]["eventID"])
            self.perhaps_dying(death, lambda: self.world.deliver(fresh[-1]))

    @rule(number=which, death=deaths)
    def the_router_gets_any_record_in_any_order(self, number: int, death: int | None) -> None:
        records = [*self.world.control.stream, *self.world.joblog.stream]
        self.perhaps_dying(death, lambda: self.world.deliver(records[number % len(records)]))

    @precondition(lambda self: self.seen)
    @rule(number=which, death=deaths)
    def an_execution_evaluates(self, number: int, death: int | None) -> None:
        run = self.any_run(number)
        window = {"evaluationWindowSeconds": 3600}
        start = rfc3339(run.started_at)
        task = self.world.task
        self.perhaps_dying(death, lambda: task("evaluate", run, executionStartTime=start, config=window))

    @precondition(lambda self: self.seen)
    @rule(number=which, death=deaths)
    def an_execution_triggers(self, number: int, death: int | None) -> None:
        run = self.any_run(number)
        answer = self.perhaps_dying(death, lambda: self.world.task("trigger", run))
        if answer is not None and answer["status"] == "started":
            self.started[run.attempt] = answer

    @precondition(lambda self: self.started)
    @rule(number=which, death=deaths)
    def an_execution_checks_its_job(self, number: int, death: int | None) -> None:
        attempt = sorted(self.started)[number % len(self.started)]
        kept = {name: self.started[attempt][name] for name in ("jobType", "runId", "metadata", "triggeredAt")}
        window = {"jobPollWindowSeconds": 3600}
        run = self.seen[attempt]
        self.perhaps_dying(death, lambda: self.world.task("check-job", run, **kept, config=window))

    @precondition(lambda self: self.seen)
    @rule(
        number=which,
        mode=st.sampled_from(["complete-trigger"] * 4 + ["validation-exhausted", "trigger-exhausted", "infra-failure"]),
        outcome=st.sampled_from(["success", "fail", "timeout", "exhausted"]),
        death=deaths,
    )
    def an_execution_ends(self, number: int, mode: str, outcome: str, death: int | None) -> None:
        run = self.any_run(number)
        self.perhaps_dying(death, lambda: self.world.task(mode, run, outcome=outcome, results=[], error=None))

    def perhaps_dying(self, death: int | None, step: Any) -> Any:
        self.world.calls.reset()
        self.world.calls.kill_after = death
        try:
            with contextlib.suppress(Killed, InterlockError):
                return step()
            return None
        finally:
            self.world.calls.reset()
            run = self.world.run("gold", DATE)
            if run is not None:
                self.seen.setdefault(run.attempt, run)

    def any_run(self, number: int) -> Run:
        return self.seen[sorted(self.seen)[number % len(self.seen)]]

    # What must hold

    @invariant()
    def attempts_count_up_one_by_one(self) -> None:
        run = self.world.run("gold", DATE)
        if run is None:
            assert self.last is None
            return
        if self.last is not None:
            assert run.attempt in (self.last.attempt, self.last.attempt + 1)
            if run.attempt == self.last.attempt and not self.last.is_running:
                assert run.status == self.last.status
        self.last = run

    @invariant()
    def only_an_ended_row_expires(self) -> None:
        run = self.world.run("gold", DATE)
        if run is not None:
            row = self.world.control.rows()[run.key]
            assert ("ttl" in row) == ("completedAt" in row) == (run.status != Status.RUNNING)
            assert (row.get("interlockKind") == "RUNNING") == run.is_running

    @invariant()
    def every_attempt_has_one_execution_with_its_own_input(self) -> None:
        assert len(self.world.executions.inputs) <= len(self.seen)
        for run in self.seen.values():
            assert self.world.executions.inputs.get(run.execution_name, run.input) == run.input

    @invariant()
    def every_attempt_has_one_job_at_most(self) -> None:
        tokens = [job["Arguments"]["--interlock_run"] for job in self.world.jobs.jobs]
        assert len(tokens) == len(set(tokens))

    @invariant()
    def no_budget_is_overspent(self) -> None:
        reasons = [row["reason"] for row in self.world.rerun.rows().values()]
        assert reasons.count("job-fail-retry") <= MAX_RETRIES
        assert reasons.count("manual") <= MAX_MANUAL
        assert reasons.count("data-drift") + reasons.count("late-data") <= MAX_DRIFT

    @invariant()
    def every_rerun_that_was_started_is_on_record(self) -> None:
        recorded = {int(sk.rpartition("#")[2]) for _, sk in self.world.rerun.rows()}
        launched = {run.attempt for run in self.seen.values() if run.execution_name in self.world.executions.inputs}
        assert launched - {0} <= recorded <= set(self.seen)


TriggerRow.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestTriggerRow = TriggerRow.TestCase
