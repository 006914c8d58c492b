"""Two workers that want the same: exactly one has its way, on a simulated AWS, many times over."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from interlock_runtime.aws.clients import Clients
from interlock_runtime.control import outcomes, reruns, runs, starts
from interlock_runtime.control.ports import StartPorts
from interlock_runtime.control.starts import SensorWrite
from interlock_runtime.core.config_rows import Config
from interlock_runtime.core.dates import ExecutionDate
from interlock_runtime.core.errors import TransientError
from interlock_runtime.core.job_entries import Entry
from interlock_runtime.core.rerun_requests import Request
from interlock_runtime.core.rows import RunKey, Status
from interlock_runtime.core.run import Reason, Run
from tests.fakes.aws import simulated_aws
from tests.fakes.deployed import deploy, start_ports, store
from tests.fakes.gold import gold

pytestmark = pytest.mark.slow

NOW = datetime(2026, 3, 3, 6, tzinfo=UTC)
ROUNDS = 15
WORKERS = 2


@pytest.fixture
def workers() -> Iterator[list[StartPorts]]:
    """Ports for each worker, which share nothing but the tables."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    with simulated_aws() as clients:
        machine, lock = deploy(clients), threading.Lock()
        warm(clients)
        yield [start_ports(clients, machine, lock) for _ in range(WORKERS)]
    sys.setswitchinterval(interval)


def warm(clients: Clients) -> None:
    """Make the clients before threads ask for them."""
    for service in ("dynamodb", "events", "stepfunctions"):
        clients.repeating(service)


def race(workers: list[StartPorts], step: Callable[[StartPorts, int], Any]) -> list[Any]:
    """Let every worker take the step at once; what each returned or raised."""
    barrier = threading.Barrier(len(workers))
    results: list[Any] = [None] * len(workers)

    def work(number: int) -> None:
        barrier.wait()
        try:
            results[number] = step(workers[number], number)
        except TransientError as error:
            results[number] = error

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(workers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def config_of(ports: StartPorts) -> Config:
    config = ports.configs.get("gold", NOW)
    assert config is not None
    return config


def executions(workers: list[StartPorts], date: str) -> int:
    """How many different executions the workers say they started for a date."""
    lines = [line for ports in workers for line in ports.log.lines]  # type: ignore[attr-defined]
    started = {fields["execution"] for _, message, fields in lines if message == "run started"}
    return len([arn for arn in started if date in arn])


def failed(ports: StartPorts, date: str) -> Run:
    """A run of the date that has failed for good."""
    made = runs.begin(ports, config_of(ports), date, cause="record:0", arrival=None, now=NOW)
    assert made.run is not None
    runs.launch(ports, made.run, now=NOW)
    ended = runs.finish(ports, made.run, status=Status.FAILED_FINAL, reason=Reason.FAIL, kind=None, now=NOW)
    assert ended.run is not None
    return ended.run


def dates() -> list[str]:
    return [str(NOW.date() + timedelta(days=number)) for number in range(ROUNDS)]


def the_run(ports: StartPorts, date: str) -> Run:
    run = runs.read(ports, "gold", RunKey("stream", date))
    assert run is not None
    return run


def test_two_sensors_of_a_date_start_one_run(workers: list[StartPorts]) -> None:
    store(workers[0], gold())
    for date in dates():

        def start(ports: StartPorts, number: int, date: str = date) -> None:
            write = SensorWrite(key="orders", written_at=NOW, cause=f"record:{number}")
            starts.by_sensor(ports, config_of(ports), ExecutionDate.parse(date), write, now=NOW)

        race(workers, start)
        run = the_run(workers[0], date)
        assert (run.attempt, run.execution_arn is not None) == (0, True)
        assert executions(workers, date) == 1


def test_two_reruns_of_an_attempt_start_one(workers: list[StartPorts]) -> None:
    store(workers[0], gold())
    for date in dates():
        run = failed(workers[0], date)

        def again(ports: StartPorts, number: int, run: Run = run) -> bool:
            cause = f"request:{number}"
            return runs.again(ports, config_of(ports), run, cause=cause, reason="manual", now=NOW).made

        assert sorted(race(workers, again)) == [False, True]
        assert the_run(workers[0], date).attempt == 1


def test_two_requests_at_once_accept_one_and_reject_the_other(workers: list[StartPorts]) -> None:
    store(workers[0], gold(job={"maxManualReruns": 5}))
    for date in dates():
        failed(workers[0], date)

        def ask(ports: StartPorts, number: int, date: str = date) -> None:
            row = {
                "PK": "PIPELINE#gold",
                "SK": f"RERUN_REQUEST#stream#{date}",
                "requestedAt": "2026-03-03T06:00:00Z",
                "requestedBy": f"person {number}",
            }
            request = Request.of_row(row, event_id=f"e{number}", written_at=NOW)
            assert request is not None
            reruns.handle(ports, request, now=NOW + timedelta(minutes=1))

        race(workers, ask)
        assert the_run(workers[0], date).attempt == 1
        log = workers[0].joblog.query("PIPELINE#gold", f"JOB#stream#{date}#")
        assert sorted(row["event"] for row in log) == ["rerun-accepted", "rerun-rejected"]


def test_the_same_failure_seen_twice_at_once_is_retried_once(workers: list[StartPorts]) -> None:
    store(workers[0], gold(job={"maxRetries": 5}))
    for date in dates():
        failed(workers[0], date)
        entry = Entry(key=RunKey("stream", date), at=NOW, event="fail", attempt=0)

        def retry(ports: StartPorts, number: int, entry: Entry = entry) -> None:
            outcomes.handle(ports, "gold", entry, now=NOW)

        race(workers, retry)
        assert the_run(workers[0], date).attempt == 1
        assert len(list(workers[0].rerun.query("PIPELINE#gold", f"RERUN#stream#{date}#"))) == 1
        assert executions(workers, date) == 2


def test_a_retry_and_a_request_at_once_lead_to_one_next_attempt(workers: list[StartPorts]) -> None:
    store(workers[0], gold(job={"maxRetries": 5, "maxManualReruns": 5}))
    for date in dates():
        failed(workers[0], date)

        def either(ports: StartPorts, number: int, date: str = date) -> None:
            if number == 0:
                entry = Entry(key=RunKey("stream", date), at=NOW, event="fail", attempt=0)
                outcomes.handle(ports, "gold", entry, now=NOW)
                return
            row = {"PK": "PIPELINE#gold", "SK": f"RERUN_REQUEST#stream#{date}"}
            request = Request.of_row(row, event_id="e", written_at=NOW)
            assert request is not None
            reruns.handle(ports, request, now=NOW)

        race(workers, either)
        run = the_run(workers[0], date)
        assert (run.attempt, run.status) == (1, "RUNNING")
        assert executions(workers, date) == 2


def test_of_two_triggers_at_once_one_steps_back(workers: list[StartPorts]) -> None:
    store(workers[0], gold())
    for date in dates():
        made = runs.begin(workers[0], config_of(workers[0]), date, cause="record:0", arrival=None, now=NOW)
        run = made.run
        assert run is not None

        def intend(ports: StartPorts, number: int, run: Run = run) -> Run | None:
            return runs.intend(ports, run, now=NOW)

        results = race(workers, intend)
        assert len([result for result in results if isinstance(result, TransientError)]) == 1
        assert len([result for result in results if isinstance(result, Run)]) == 1
