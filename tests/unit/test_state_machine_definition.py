"""The definition by itself: every path is produced before it is read, and every way leads to an end."""

from __future__ import annotations

import copy
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from interlock_tf.definition import DEFINITION, definition
from interlock_tf.shipped import shipped
from tests.state_machine_contract import IDENTITY, contract

ROOT = Path(__file__).resolve().parents[2]

ORCHESTRATOR = "arn:aws:lambda:eu-west-1:123456789012:function:dev-interlock-orchestrator"
SLA_MONITOR = "arn:aws:lambda:eu-west-1:123456789012:function:dev-interlock-sla-monitor"
FILLED = definition(
    orchestrator_arn=ORCHESTRATOR, sla_monitor_arn=SLA_MONITOR, sfn_timeout_seconds=14400, trigger_max_attempts=3
)
STATES: dict[str, dict[str, Any]] = FILLED["States"]
TASKS = {name: state for name, state in STATES.items() if state["Type"] == "Task"}
CONTRACT = contract()

#: What Step Functions itself always provides.
CONTEXT = {"$$.Execution.Id", "$$.Execution.StartTime"}

_PATH = re.compile(r"(?<!\$)\$\.[\w.]+")
_CONTEXT_PATH = re.compile(r"\$\$\.[\w.]+")


def ways(state: dict[str, Any]) -> Iterator[tuple[str, str | None, bool]]:
    """Each way out of a state: where to, the path that it writes on the way, and whether an error opened it."""
    written = state.get("ResultPath")
    for step in (state, *state.get("Choices", ())):
        for key in ("Next", "Default"):
            if key in step:
                yield step[key], written, False
    for catcher in state.get("Catch", ()):
        yield catcher["Next"], catcher["ResultPath"], True


def texts(part: Any) -> Iterator[str]:
    """Every string in a part of the definition, but the paths that are written and the comments."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, list):
        for each in part:
            yield from texts(each)
    elif isinstance(part, dict):
        for key, each in part.items():
            if key not in ("ResultPath", "Comment", "Resource"):
                yield from texts(each)


def read_by(state: dict[str, Any]) -> set[str]:
    """The paths that a state reads from its input."""
    return {path for text in texts(state) for path in _PATH.findall(text)}


def produced(path: str | None, *, caught: bool) -> set[str]:
    """The paths that exist once an answer, an error or a value is written to ``path``."""
    if path is None:
        return set()
    keys = () if caught else CONTRACT.answers.get(path.removeprefix("$."), ())
    return {path, *(f"{path}.{key}" for key in keys)}


def available(states: dict[str, dict[str, Any]], start: str) -> dict[str, frozenset[str]]:
    """For each state that can be reached, the paths that exist there whichever way led to it."""
    found = {start: CONTRACT.input}
    waiting = [start]
    while waiting:
        name = waiting.pop()
        for target, path, caught in ways(states[name]):
            here = found[name]
            if path is not None:
                here = frozenset(each for each in here if not each.startswith(f"{path}."))
            reached = here | produced(path, caught=caught)
            both = found[target] & reached if target in found else reached
            if found.get(target) != both:
                found[target] = both
                waiting.append(target)
    return found


def missing(states: dict[str, dict[str, Any]]) -> dict[str, set[str]]:
    """The paths that some way to a state does not produce although the state reads them."""
    there = available(states, FILLED["StartAt"])
    absent = {name: read_by(states[name]) - there[name] for name in there}
    return {name: paths for name, paths in absent.items() if paths}


def test_every_path_is_there_on_every_way_to_the_state_that_reads_it() -> None:
    assert missing(STATES) == {}


@pytest.mark.parametrize(
    ("name", "key", "path"),
    [
        ("TriggerExhausted", "runId.$", "$.job.runId"),
        ("CheckJob", "outcome.$", "$.outcome"),
        ("CompleteTrigger", "error.$", "$.error"),
        ("RecordInfraFailure", "cause.$", "$.error.Cause"),
        ("Evaluate", "answer.$", "$.evaluation.message"),
    ],
)
def test_a_path_that_one_way_does_not_produce_is_noticed(name: str, key: str, path: str) -> None:
    broken = copy.deepcopy(STATES)
    broken[name]["Parameters"][key] = path

    assert missing(broken) == {name: {path}}


def test_what_is_read_of_the_execution_itself_is_always_there() -> None:
    read = {path for text in texts(STATES) for path in _CONTEXT_PATH.findall(text)}

    assert read == CONTEXT


def test_every_state_can_be_reached() -> None:
    assert set(available(STATES, FILLED["StartAt"])) == set(STATES)


def test_every_state_leads_to_an_end() -> None:
    ending = {name for name, state in STATES.items() if state["Type"] in ("Succeed", "Fail")}
    while more := {
        name for name, state in STATES.items() if name not in ending and any(to in ending for to, _, _ in ways(state))
    }:
        ending |= more

    assert ending == set(STATES)
    assert {name for name in STATES if STATES[name]["Type"] == "Fail"} == {"InfraFailure"}


def test_only_a_recorded_failure_of_the_infrastructure_fails_an_execution() -> None:
    assert {name for name, state in STATES.items() for to, _, _ in ways(state) if to == "InfraFailure"} == {
        "RecordInfraFailure"
    }


@pytest.mark.parametrize("name", [name for name, state in STATES.items() if state["Type"] == "Choice"])
def test_every_choice_has_a_way_for_everything_else(name: str) -> None:
    assert STATES[name]["Default"] in STATES


@pytest.mark.parametrize(("name", "answer"), [("IsReady", "evaluation"), ("JobEnded", "job"), ("IsJobDone", "check")])
def test_every_status_but_the_one_that_waits_is_named(name: str, answer: str) -> None:
    named = [choice["StringEquals"] for choice in STATES[name]["Choices"]]

    assert len(CONTRACT.statuses[answer] - set(named)) == 1
    assert set(named) < CONTRACT.statuses[answer]
    assert len(named) == len(set(named))
    assert STATES[STATES[name]["Default"]]["Type"] == "Wait"
    assert {choice["Variable"] for choice in STATES[name]["Choices"]} == {f"$.{answer}.status"}


@pytest.mark.parametrize("loop", [("Evaluate", "IsReady", "WaitForSensors"), ("CheckJob", "IsJobDone", "WaitForJob")])
def test_a_waiting_loop_is_three_states_long(loop: tuple[str, ...]) -> None:
    assert [STATES[loop[0]]["Next"], STATES[loop[1]]["Default"], STATES[loop[2]]["Next"]] == [*loop[1:], loop[0]]


def test_the_tasks_send_and_keep_what_the_contract_says() -> None:
    sent = {}
    for name, state in TASKS.items():
        keys = [key.removesuffix(".$") for key in state["Parameters"]]
        kept = state["ResultPath"]
        assert tuple(keys[: len(IDENTITY)]) == IDENTITY
        sent[name] = (
            state["Parameters"]["mode"],
            frozenset(keys[len(IDENTITY) :]),
            kept and kept.removeprefix("$."),
        )

    assert sent == {name: (each.mode, each.besides, each.kept_as) for name, each in CONTRACT.sent.items()}


@pytest.mark.parametrize("name", TASKS)
def test_every_key_of_a_task_is_a_path_but_its_mode(name: str) -> None:
    assert {key for key in TASKS[name]["Parameters"] if not key.endswith(".$")} == {"mode"}


def test_only_deadlines_go_to_the_sla_monitor() -> None:
    called = {name for name, state in TASKS.items() if state["Resource"] == SLA_MONITOR}

    assert called == {"ScheduleSLA", "CancelSLA"}
    assert {state["Resource"] for state in TASKS.values()} == {ORCHESTRATOR, SLA_MONITOR}


BURST = {
    "ErrorEquals": ["Lambda.TooManyRequestsException"],
    "IntervalSeconds": 1,
    "BackoffRate": 2,
    "MaxAttempts": 20,
    "MaxDelaySeconds": 60,
    "JitterStrategy": "FULL",
}
FAULT = {
    "ErrorEquals": [
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        "States.TaskFailed",
    ],
    "IntervalSeconds": 2,
    "BackoffRate": 2,
    "MaxAttempts": 3,
    "JitterStrategy": "FULL",
}


@pytest.mark.parametrize("name", [name for name in TASKS if name != "Trigger"])
def test_a_task_outlives_a_burst_and_a_fault(name: str) -> None:
    # In this order: a burst is a task that failed, too, and the first match counts.
    assert TASKS[name]["Retry"] == [BURST, FAULT]


def test_the_trigger_outlives_a_burst_and_never_repeats_what_cannot_succeed() -> None:
    assert TASKS["Trigger"]["Retry"] == [
        BURST,
        {"ErrorEquals": ["PermanentError"], "MaxAttempts": 0},
        {"ErrorEquals": ["States.ALL"], "IntervalSeconds": 30, "BackoffRate": 2, "MaxAttempts": 3},
    ]


@pytest.mark.parametrize("name", TASKS)
def test_every_error_of_a_task_is_caught(name: str) -> None:
    goes_on = {"ScheduleSLA": "Evaluate", "CancelSLA": "Done", "RecordInfraFailure": "InfraFailure"}
    expected = (
        {"ErrorEquals": ["States.ALL"], "ResultPath": None, "Next": goes_on[name]}
        if name in goes_on
        else {
            "ErrorEquals": ["States.ALL"],
            "ResultPath": "$.error",
            "Next": "TriggerExhausted" if name == "Trigger" else "RecordInfraFailure",
        }
    )

    assert TASKS[name]["Catch"] == [expected]


def test_numbers_become_numbers_and_nothing_is_left_to_fill_in() -> None:
    assert FILLED["TimeoutSeconds"] == 14400
    assert STATES["Trigger"]["Retry"][-1]["MaxAttempts"] == 3
    assert "${" not in json.dumps(FILLED)


def test_the_file_itself_is_valid_json_with_four_placeholders() -> None:
    text = shipped(DEFINITION).read_text(encoding="utf-8")

    json.loads(text)
    assert set(re.findall(r'"\$\{(\w+)\}"', text)) == {
        "orchestrator_arn",
        "sla_monitor_arn",
        "sfn_timeout_seconds",
        "trigger_max_attempts",
    }
    assert text.count("${") == len(re.findall(r'"\$\{(\w+)\}"', text))


@pytest.mark.linter
def test_the_validator_of_the_states_language_accepts_the_definition(tmp_path: Path) -> None:
    path = tmp_path / "pipeline.asl.json"
    path.write_text(json.dumps(FILLED), encoding="utf-8")

    checked = validated(path)

    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.linter
def test_the_validator_of_the_states_language_refuses_a_dangling_state(tmp_path: Path) -> None:
    broken = copy.deepcopy(FILLED)
    broken["States"]["WaitForJob"]["Next"] = "Nowhere"
    path = tmp_path / "broken.asl.json"
    path.write_text(json.dumps(broken), encoding="utf-8")

    assert validated(path).returncode != 0


def validated(path: Path) -> subprocess.CompletedProcess[str]:
    """What asl-validator says about a file. Without the validator the test fails: it is never passed over."""
    local = ROOT / "node_modules" / ".bin" / "asl-validator"
    validator = str(local) if local.exists() else shutil.which("asl-validator")
    assert validator, "asl-validator is not installed; make setup installs it"
    return subprocess.run(
        [validator, "--json-path", str(path)], capture_output=True, text=True, timeout=120, check=False
    )
