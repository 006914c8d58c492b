"""What each job service is told, where the service's own form is more than the document's."""

from __future__ import annotations

import json
import socket
from dataclasses import replace
from typing import Any

import pytest

from interlock_runtime.core.errors import PermanentError, TransientError
from interlock_runtime.jobs import registry
from interlock_runtime.jobs.contract import Category, Failed, Running, Services, Started, Succeeded
from interlock_runtime.jobs.network import Network
from tests.fakes.hostile import Resolver
from tests.fakes.job_peers import ACCESS_TOKEN, ROLE, of
from tests.fakes.job_services import TOKEN, Disturbed, job_of, run_context, services
from tests.fakes.web_server import Received, Reply, WebServer


def sent(client: Disturbed) -> Any:
    """The parameters of the latest AWS call."""
    return client.calls[-1][1]


def start(world: Services, kind: str, *, hour: int | None = None, **config: Any) -> Started:
    return registry.start(job_of(kind, **config), run_context(hour=hour), world)


@of("glue")
def test_glue_is_given_the_period_the_token_and_the_arguments_as_text(
    peer: Any, world: Services, client: Disturbed
) -> None:
    day = {"--par_day": "20260303", "--interlock_run": TOKEN}
    arguments = {"--level": 3, "--ratio": 0.5, "--full": True, "--flag": None, "--map": {"a": [1]}, "--day": "${DATE}"}
    start(world, "glue", jobName="gold-etl", arguments=arguments)
    assert sent(client)["Arguments"] == day | {
        "--level": "3",
        "--ratio": "0.5",
        "--full": "true",
        "--flag": "",
        "--map": '{"a": [1]}',
        "--day": "2026-03-03",
    }
    start(world, "glue", jobName="gold-etl", hour=7)
    assert sent(client)["Arguments"] == day | {"--par_hour": "07"}


@of("glue")
def test_glue_keeps_a_period_that_the_document_gives_and_never_another_token(
    peer: Any, world: Services, client: Disturbed
) -> None:
    arguments = {"--par_day": "mine", "--par_hour": "", "--interlock_run": "mine"}
    start(world, "glue", jobName="gold-etl", hour=7, arguments=arguments)
    assert sent(client)["Arguments"] == {"--par_day": "mine", "--par_hour": "", "--interlock_run": TOKEN}


@of("emr")
def test_emr_is_given_a_map_as_pairs_in_its_order_and_a_list_as_it_is(
    peer: Any, world: Services, client: Disturbed
) -> None:
    config = {"clusterId": peer.cluster_id, "stepName": "gold ${DATE}", "command": "s3://jars/${PIPELINE}.jar"}
    start(world, "emr", **config, arguments={"z": "${HOUR}", "a": 1, "b": False}, hour=7)
    step = sent(client)["Steps"][0]
    assert step == {
        "Name": f"gold 2026-03-03 [{TOKEN}]",
        "ActionOnFailure": "CONTINUE",
        "HadoopJarStep": {"Jar": "s3://jars/gold.jar", "Args": ["z=07", "a=1", "b=false"]},
    }
    start(world, "emr", **config, arguments=["--z", 1, "a=${ATTEMPT}"])
    assert sent(client)["Steps"][0]["HadoopJarStep"]["Args"] == ["--z", "1", "a=0"]


@of("emr")
def test_a_long_step_name_keeps_the_token_at_its_end(peer: Any, world: Services, client: Disturbed) -> None:
    start(world, "emr", clusterId=peer.cluster_id, stepName="g" * 300, command="x.jar")
    name = sent(client)["Steps"][0]["Name"]
    assert len(name) == 256
    assert name.endswith(f"g [{TOKEN}]")


@of("emr")
def test_a_step_is_found_behind_many_others(peer: Any, world: Services, client: Disturbed) -> None:
    first = registry.start(peer.job, run_context(), world)
    other = {"Name": "other", "HadoopJarStep": {"Jar": "other.jar"}}
    for _ in range(12):
        client("emr").add_job_flow_steps(JobFlowId=peer.cluster_id, Steps=[other] * 10)
    again = registry.start(peer.job, run_context(previous_intent=True), world)
    assert again.run_id == first.run_id
    assert peer.jobs() == 121


@of("glue")
def test_a_run_is_found_among_many_others(peer: Any, world: Services) -> None:
    first = registry.start(peer.job, run_context(), world)
    for number in range(450):
        registry.start(peer.job, run_context(token=f"gold-cron-2026-03-02-{number}-mmaaa000"), world)
    again = registry.start(peer.job, run_context(previous_intent=True), world)
    assert again.run_id == first.run_id
    assert peer.jobs() == 451


@of("emr-serverless")
def test_emr_serverless_runs_the_script_that_the_job_name_is(peer: Any, world: Services, client: Disturbed) -> None:
    registry.start(peer.job, run_context(), world)
    assert sent(client) == {
        "applicationId": peer.application_id,
        "clientToken": TOKEN,
        "executionRoleArn": ROLE,
        "name": "gold.py",
        "jobDriver": {
            "sparkSubmit": {"entryPoint": "s3://scripts/gold.py", "entryPointArguments": ["--day", "2026-03-03"]}
        },
    }


@of("emr-serverless")
def test_emr_serverless_passes_a_driver_and_overrides_through(peer: Any, world: Services, client: Disturbed) -> None:
    driver = {"hive": {"query": "select '${DATE}'", "parameters": "--hiveconf a=b"}}
    overrides = {"monitoringConfiguration": {"s3MonitoringConfiguration": {"logUri": "s3://logs/${PIPELINE}/"}}}
    start(
        world,
        "emr-serverless",
        applicationId=peer.application_id,
        executionRoleArn=ROLE,
        jobDriver=driver,
        configurationOverrides=overrides,
    )
    assert sent(client)["name"] == "gold"
    assert sent(client)["jobDriver"] == {"hive": {"query": "select '2026-03-03'", "parameters": "--hiveconf a=b"}}
    log_uri = sent(client)["configurationOverrides"]["monitoringConfiguration"]["s3MonitoringConfiguration"]["logUri"]
    assert log_uri == "s3://logs/gold/"


@of("emr-serverless")
def test_a_driver_that_is_none_is_refused_for_good(peer: Any, world: Services) -> None:
    config = {"applicationId": peer.application_id, "executionRoleArn": ROLE}
    with pytest.raises(PermanentError, match="sparkSubmitt"):
        start(world, "emr-serverless", **config, jobDriver={"sparkSubmitt": {}})
    with pytest.raises(PermanentError, match="neither jobDriver nor jobName"):
        start(world, "emr-serverless", **config)


@of("step-function")
@pytest.mark.parametrize(
    ("given", "passed"),
    [
        ({"input": {"day": "${DATE}", "n": [1, None]}}, {"day": "2026-03-03", "n": [1, None]}),
        ({"arguments": {"day": "${PAR_DAY}"}}, {"day": "20260303"}),
        ({}, {}),
    ],
)
def test_a_state_machine_is_given_its_input_and_the_token_as_name(
    peer: Any, world: Services, client: Disturbed, given: dict[str, Any], passed: Any
) -> None:
    start(world, "step-function", stateMachineArn=peer.machine_arn, **given)
    assert json.loads(sent(client)["input"]) == passed
    assert sent(client)["name"] == TOKEN


@of("step-function")
def test_the_execution_of_a_version_is_found_again(peer: Any, world: Services, client: Disturbed) -> None:
    started = registry.start(peer.job, run_context(), world)
    qualified = job_of("step-function", stateMachineArn=f"{peer.machine_arn}:7")
    metadata = {"type": "step-function", "address": {"state_machine_arn": f"{peer.machine_arn}:7"}}
    assert registry.status(qualified, metadata, run_context(), world) == Running()
    assert sent(client)["executionArn"] == started.run_id


@of("step-function")
def test_an_express_state_machine_is_started_but_cannot_be_watched(
    peer: Any, world: Services, client: Disturbed
) -> None:
    arn = f"arn:aws:states:eu-west-1:123456789012:express:gold:{TOKEN}:0b7c"
    client("stepfunctions").meta.events.register(
        "after-call.stepfunctions.StartExecution", lambda parsed, **_: parsed.update(executionArn=arn)
    )
    ended = registry.start(peer.job, run_context(), world).ended
    assert isinstance(ended, Failed)
    assert ended.category is Category.PERMANENT


@of("lambda")
@pytest.mark.parametrize(
    ("payload", "event"),
    [
        ({"day": "${DATE}"}, {"interlockRun": TOKEN, "day": "2026-03-03"}),
        ('{"day": "${DATE}"}', {"interlockRun": TOKEN, "day": "2026-03-03"}),
        ({"interlockRun": "mine"}, {"interlockRun": "mine"}),
        (None, {"interlockRun": TOKEN}),
        (["${DATE}"], ["2026-03-03"]),
        ("[1]", [1]),
    ],
)
def test_a_function_is_given_the_payload_with_the_token_where_it_is_an_object(
    peer: Any, world: Services, payload: Any, event: Any
) -> None:
    assert start(world, "lambda", functionName="gold", payload=payload).ended == Succeeded()
    assert peer.events == [event]


@of("lambda")
@pytest.mark.parametrize(("payload", "sent_as"), [("${DATE}", '"2026-03-03"'), ("7", '"7"'), (7, "7"), ("{", '"{"')])
def test_a_payload_that_is_no_object_is_sent_as_json(
    peer: Any, world: Services, client: Disturbed, payload: Any, sent_as: str
) -> None:
    client.refuse("Invoke", "ServiceException", status=500)
    with pytest.raises(TransientError):
        start(world, "lambda", functionName="gold", payload=payload)
    assert sent(client)["Payload"].decode() == sent_as


@of("lambda")
def test_what_a_function_says_of_its_failure_is_told(peer: Any, world: Services) -> None:
    peer.answer = (json.dumps({"errorType": "ValueError", "errorMessage": "no rows\nfor 2026-03-03"}), True)
    ended = registry.start(peer.job, run_context(), world).ended
    assert ended == Failed("the function failed: ValueError: no rows for 2026-03-03", Category.TRANSIENT)
    peer.answer = ("out of " + "memory" * 1000, True)
    ended = registry.start(peer.job, run_context(), world).ended
    assert isinstance(ended, Failed)
    assert len(ended.message) < 600


@of("airflow")
def test_airflow_2_is_given_the_token_as_run_id_and_the_conf(peer: Any, world: Services) -> None:
    registry.start(peer.job, run_context(), world)
    assert peer.server.received[0].json() == {"dag_run_id": TOKEN, "conf": {"day": "2026-03-03"}}


@of("airflow-3")
def test_airflow_3_is_given_a_logical_date_of_null_besides(peer: Any, world: Services) -> None:
    registry.start(peer.job, run_context(), world)
    assert peer.server.received[0].json() == {
        "dag_run_id": TOKEN,
        "conf": {"day": "2026-03-03"},
        "logical_date": None,
    }


@of("airflow")
def test_a_dag_that_does_not_exist_is_refused_for_good(peer: Any, world: Services) -> None:
    headers = {"Authorization": f"Bearer {ACCESS_TOKEN}"}
    with pytest.raises(PermanentError, match=r"DAG silver/x: answered with HTTP 404: .*was not found"):
        start(world, "airflow", url=peer.server.url + "/", dagId="silver/x", headers=headers)
    assert peer.server.received[0].path == "/api/v1/dags/silver%2Fx/dagRuns"


@pytest.mark.parametrize(("timeout", "waits"), [(3, [3.0, 3.0, 3.0]), (12, [10.0, 9.625, 12.0])])
def test_a_poll_of_airflow_waits_no_longer_than_the_document_says(timeout: float, waits: list[float]) -> None:
    waited: list[float] = []

    def dead(address: str, port: int, timeout: float) -> socket.socket:
        waited.append(timeout)
        raise TimeoutError(address)

    network = Network(resolve=Resolver(["1.1.1.1"]), dial=dead, monotonic=lambda: 0.0)
    airflow = job_of("airflow", url="http://airflow.example", dagId="gold", timeout=timeout)
    with pytest.raises(TransientError, match="did not answer within"):
        registry.status(airflow, {"type": "airflow", "address": {}}, run_context(), services(network=network))
    assert waited == waits  # of the 20 s of a poll: half, half of the rest after a pause, and the rest


@pytest.mark.parametrize("kind", ["airflow", "databricks"])
@pytest.mark.parametrize("body", [b"<html>Sign in</html>", b"", b"[]", b"{}", b'{"state": 7}', b"[" * 60000])
def test_a_sign_in_page_instead_of_an_answer_is_an_error(kind: str, body: bytes) -> None:
    with WebServer(lambda received: Reply(200, body)) as server:
        config = {
            "airflow": {"url": server.url, "dagId": "gold"},
            "databricks": {"workspaceUrl": server.url, "jobId": 42},
        }[kind]
        metadata = {"type": kind, "address": {}, "runId": 1}
        with pytest.raises(TransientError, match="not with what was expected"):
            registry.status(job_of(kind, **config), metadata, run_context(), services())


@pytest.mark.parametrize("body", [b"<html>Sign in</html>", b"{}", b'{"dag_run_id": "another"}'])
def test_a_sign_in_page_is_no_proof_that_a_dag_was_started(body: bytes) -> None:
    server = WebServer(lambda received: Reply(200, body))
    with server, pytest.raises(TransientError, match="not with what was expected"):
        start(services(), "airflow", url=server.url, dagId="gold")


@of("airflow")
def test_a_conf_so_long_that_the_answer_is_cut_off_is_started_once(peer: Any, world: Services) -> None:
    long = replace(peer.job, config=replace(peer.job.config, body={"list": ["x" * 1000] * 100}))
    with pytest.raises(TransientError, match="not with what was expected"):
        registry.start(long, run_context(), world)
    assert registry.start(long, run_context(previous_intent=True), world).run_id == TOKEN
    assert peer.jobs() == 1


@of("databricks")
def test_databricks_is_given_the_job_its_parameters_as_text_and_the_token(peer: Any, world: Services) -> None:
    registry.start(peer.job, run_context(), world)
    assert peer.server.received[0].json() == {
        "job_id": 42,
        "job_parameters": {"day": "2026-03-03", "level": "3"},
        "idempotency_token": TOKEN,
    }


@of("databricks-submit")
def test_databricks_is_given_a_one_time_run_as_it_is(peer: Any, world: Services) -> None:
    registry.start(peer.job, run_context(), world)
    assert peer.server.received[0].path == "/api/2.1/jobs/runs/submit"
    assert peer.server.received[0].json() == {
        "run_name": "gold",
        "tasks": [{"task_key": "gold", "notebook_task": {"notebook_path": "/gold/2026-03-03"}}],
        "idempotency_token": TOKEN,
    }


@of("databricks")
def test_a_databricks_job_that_is_none_is_refused_for_good(peer: Any, world: Services) -> None:
    config = {"workspaceUrl": peer.server.url, "headers": {"Authorization": f"Bearer {ACCESS_TOKEN}"}}
    with pytest.raises(PermanentError, match="'gold' is not a number"):
        start(world, "databricks", **config, jobId="gold")
    with pytest.raises(PermanentError, match="neither jobId nor body"):
        start(world, "databricks", **config)
    with pytest.raises(PermanentError, match="Job 43 does not exist"):
        start(world, "databricks", **config, jobId=43)


@of("databricks")
def test_a_run_of_so_many_tasks_that_its_answer_is_cut_off_still_tells_its_state(peer: Any, world: Services) -> None:
    started = registry.start(peer.job, run_context(), world)
    run = peer.server.runs[int(started.metadata["runId"])]
    run["tasks"] = [{"task_key": f"task-{number}", "description": "d" * 900} for number in range(100)]
    peer.turn("TERMINATED/SUCCESS")
    assert len(json.dumps(run)) > 65536
    assert registry.status(peer.job, started.metadata, run_context(), world) == Succeeded()


@pytest.mark.parametrize(
    ("config", "content_type", "content"),
    [
        ({"body": {"day": "${DATE}", "n": 1}}, "application/json", b'{"day": "2026-03-03", "n": 1}'),
        ({"body": ["${DATE}"]}, "application/json", b'["2026-03-03"]'),
        ({"body": "day=${DATE}"}, None, b"day=2026-03-03"),
        ({"body": "<a/>", "headers": {"content-TYPE": "text/xml"}}, "text/xml", b"<a/>"),
        ({"body": {}, "headers": {"content-type": "application/x"}}, "application/x", b"{}"),
        ({}, None, b""),
        ({"method": "GET"}, None, b""),
    ],
)
def test_a_body_is_sent_as_it_is_or_as_json(config: dict[str, Any], content_type: str | None, content: bytes) -> None:
    with WebServer() as server:
        start(services(), "http", url=server.url, **config)
    received = server.received[0]
    assert received.method == config.get("method", "POST")
    assert received.headers.get("content-type") == content_type
    assert received.body == content
    assert received.headers["idempotency-key"] == TOKEN
    assert received.headers["user-agent"].startswith("interlock/")
    assert received.headers["accept-encoding"] == "identity"  # what is compressed could not be read, nor told


def test_a_documents_own_idempotency_key_wins() -> None:
    with WebServer() as server:
        start(services(), "http", url=server.url, headers={"idempotency-key": "gold-${DATE}"})
    assert server.received[0].headers["idempotency-key"] == "gold-2026-03-03"


def test_what_an_http_service_says_of_its_refusal_is_told() -> None:
    def refuse(received: Received) -> Reply:
        return Reply(422, {"detail": "no such report"})

    with WebServer(refuse) as server:
        ended = start(services(), "http", url=server.url).ended
    assert ended == Failed('answered with HTTP 422: {"detail": "no such report"}', Category.PERMANENT)
