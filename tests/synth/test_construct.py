"""The construct as people use it: its resources, its attributes, its grants, and two of it in one stack."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import interlock_tf
from interlock_runtime import settings as runtime_settings
from interlock_tf import App, Concurrency, ConfigError, Interlock, InterlockStack, InterlockWarning, VpcConfig
from interlock_tf._cdk import (
    AwsProvider,
    DataAwsIamRole,
    IamRole,
    LocalBackend,
    TerraformOutput,
    TerraformStack,
    TerraformVariable,
)
from interlock_tf.functions import FUNCTIONS
from tests.fakes.stacks import MINIMAL, Synthesised, known, own_stack, synthesised, zips_in

MakeInterlock = Callable[..., Interlock]

TOPIC = "arn:aws:sns:eu-west-1:123456789012:on-call"

#: The services that limit a name to 64 characters or 80, and where the name stands.
NAME_LIMITS = {
    "lambda_function": ("function_name", 64),
    "iam_role": ("name", 64),
    "cloudwatch_event_rule": ("name", 64),
    "scheduler_schedule": ("name", 64),
    "scheduler_schedule_group": ("name", 64),
    "sfn_state_machine": ("name", 80),
    "sqs_queue": ("name", 80),
    "dynamodb_table": ("name", 255),
    "cloudwatch_event_bus": ("name", 256),
}


def test_the_public_names_are_there() -> None:
    assert list(interlock_tf.__all__) == sorted(interlock_tf.__all__, key=lambda name: (name.startswith("_"), name))
    assert [name for name in interlock_tf.__all__ if not hasattr(interlock_tf, name)] == []
    assert dir(interlock_tf) == sorted(interlock_tf.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        interlock_tf.__getattr__("Nothing")


@pytest.mark.parametrize("stack", ["minimal", "maximal"])
def test_every_function_has_the_variables_that_its_code_reads(stack: str, request: pytest.FixtureRequest) -> None:
    functions = request.getfixturevalue(stack).resources("lambda_function")
    for function in FUNCTIONS.values():
        given = functions[f"interlock_{function.key}"]["environment"]["variables"]
        own = {name: value for name, value in given.items() if not name.startswith("INTERLOCK_")}
        assert runtime_settings.read(runtime_settings.FUNCTIONS[function.name], dict.fromkeys(own, "1"))
        assert set(own) <= set(runtime_settings.VARIABLES[function.name])
        assert set(runtime_settings.VARIABLES[function.name]) - set(own) <= {"SLACK_BOT_TOKEN"}


def test_with_a_secret_the_token_is_not_even_a_variable(minimal: Synthesised, maximal: Synthesised) -> None:
    def variables(stack: Synthesised) -> dict[str, str]:
        found: dict[str, str] = stack.resources("lambda_function")["interlock_alert_dispatcher"]["environment"][
            "variables"
        ]
        return found

    assert "SLACK_BOT_TOKEN" not in variables(maximal)
    assert "variable" not in maximal.json
    assert variables(minimal)["SLACK_BOT_TOKEN"] == "${var.slack_bot_token}"
    assert minimal.json["variable"]["slack_bot_token"]["sensitive"] is True
    assert minimal.json["variable"]["slack_bot_token"]["default"] == ""


def test_with_a_channel_terraform_asks_for_the_token(tmp_path: Path) -> None:
    stack = synthesised(tmp_path, {**MINIMAL, "slack_channel_id": "C1"})
    assert "default" not in stack.json["variable"]["slack_bot_token"]


def test_functions_are_as_the_table_says(minimal: Synthesised) -> None:
    made = minimal.resources("lambda_function")
    assert {name.removeprefix("interlock_"): (f["memory_size"], f["timeout"]) for name, f in made.items()} == {
        "stream_router": (128, 60),
        "orchestrator": (128, 120),
        "sla_monitor": (128, 30),
        "watchdog": (512, 300),
        "event_sink": (128, 30),
        "alert_dispatcher": (128, 30),
    }
    for key, function in FUNCTIONS.items():
        emitted = made[f"interlock_{key}"]
        assert emitted["handler"] == f"interlock_runtime.handlers.{key}.handler"
        assert (emitted["runtime"], emitted["architectures"]) == ("python3.13", ["arm64"])
        assert emitted["function_name"] == f"dev-interlock-{function.name}"
        assert emitted["reserved_concurrent_executions"] == getattr(Concurrency(), key)
        assert "vpc_config" not in emitted


def test_code_lies_in_the_stack_s_folder(minimal: Synthesised) -> None:
    for name, function in minimal.resources("lambda_function").items():
        path = Path(function["filename"])
        assert not path.is_absolute()
        assert path.name == f"{name.removeprefix('interlock_').replace('_', '-')}.zip"
        assert (minimal.folder / path).is_file()


def test_no_path_of_this_machine_is_in_the_output(minimal: Synthesised, maximal: Synthesised) -> None:
    for stack in (minimal, maximal):
        text = (stack.folder / "cdk.tf.json").read_text()
        assert str(stack.folder.parents[2]) not in text
        assert str(Path(__file__).parents[2]) not in text
        assert stack.json["terraform"]["backend"] == {"local": {"path": "terraform.tfstate"}}


def test_the_lowest_versions_are_asked_for_that_know_what_is_used(minimal: Synthesised, tmp_path: Path) -> None:
    assert minimal.json["terraform"]["required_version"] == ">= 1.5"
    aws = {"source": "hashicorp/aws", "version": ">= 5.76"}
    assert minimal.json["terraform"]["required_providers"] == {"aws": aws}

    def mixed(_: TerraformStack, interlock: MakeInterlock) -> None:
        interlock("first", environment="first")
        interlock("second", environment="second", lambda_runtime="python3.12")

    assert own_stack(tmp_path, mixed).json["terraform"]["required_providers"] == {"aws": aws}


def test_there_are_twelve_outputs(minimal: Synthesised) -> None:
    outputs = {name: output["value"] for name, output in minimal.json["output"].items()}
    assert outputs == {
        "control_table_name": "${aws_dynamodb_table.interlock_control.name}",
        "control_table_arn": "${aws_dynamodb_table.interlock_control.arn}",
        "joblog_table_name": "${aws_dynamodb_table.interlock_joblog.name}",
        "rerun_table_name": "${aws_dynamodb_table.interlock_rerun.name}",
        "events_table_name": "${aws_dynamodb_table.interlock_events.name}",
        "events_table_arn": "${aws_dynamodb_table.interlock_events.arn}",
        "event_bus_name": "${aws_cloudwatch_event_bus.interlock_event_bus.name}",
        "event_bus_arn": "${aws_cloudwatch_event_bus.interlock_event_bus.arn}",
        "sfn_arn": "${aws_sfn_state_machine.interlock_state_machine.arn}",
        "sfn_name": "${aws_sfn_state_machine.interlock_state_machine.name}",
        "scheduler_group_name": "${aws_scheduler_schedule_group.interlock_sla_schedules.name}",
        "sla_monitor_arn": "${aws_lambda_function.interlock_sla_monitor.arn}",
    }


def test_tables(minimal: Synthesised, maximal: Synthesised) -> None:
    tables = minimal.resources("dynamodb_table")
    assert {name: table["name"] for name, table in tables.items()} == {
        f"interlock_{what}": f"dev-interlock-{what}" for what in ("control", "joblog", "rerun", "events")
    }
    for name, table in tables.items():
        assert (table["hash_key"], table["range_key"], table["billing_mode"]) == ("PK", "SK", "PAY_PER_REQUEST")
        assert table["ttl"] == {"attribute_name": "ttl", "enabled": True}
        assert table["point_in_time_recovery"] == {"enabled": True}
        streams = name in ("interlock_control", "interlock_joblog")
        assert table.get("stream_view_type") == ("NEW_IMAGE" if streams else None)
        assert table["deletion_protection_enabled"] is False
    indexes = {
        name: (index["name"], index["hash_key"], index["range_key"], index["projection_type"])
        for name, table in tables.items()
        for index in table.get("global_secondary_index", [])
    }
    assert indexes == {
        "interlock_control": ("kind-index", "interlockKind", "PK", "ALL"),
        "interlock_events": ("GSI1", "eventType", "timestamp", "ALL"),
    }
    assert all(table["deletion_protection_enabled"] for table in maximal.resources("dynamodb_table").values())


def test_a_row_holds_its_document_word_for_word(minimal: Synthesised) -> None:
    (row,) = [each for name, each in minimal.resources("dynamodb_table_item").items() if "arrival" in name]
    assert row["table_name"] == "${aws_dynamodb_table.interlock_control.name}"
    assert json.loads(row["item"].replace("$${", "${")) == {
        "PK": {"S": "PIPELINE#on.arrival"},
        "SK": {"S": "CONFIG"},
        "interlockKind": {"S": "CONFIG"},
        "config": {
            "S": '{"job":{"config":{"url":"https://jobs.example.com/on-arrival?date=${DATE}"},"type":"http"},'
            '"pipeline":{"id":"on.arrival"},"schedule":{"trigger":{"check":"exists","key":"landed"}},'
            '"validation":{"rules":[{"check":"exists","key":"landed"}]}}'
        },
    }


def test_streams_carry_only_what_the_router_handles(minimal: Synthesised) -> None:
    mappings = minimal.resources("lambda_event_source_mapping")

    def prefixes(name: str) -> list[str]:
        patterns = [json.loads(each["pattern"]) for each in mappings[name]["filter_criteria"]["filter"]]
        assert all(pattern["eventName"] == ["INSERT", "MODIFY"] for pattern in patterns)
        return [pattern["dynamodb"]["Keys"]["SK"]["S"][0]["prefix"] for pattern in patterns]

    assert prefixes("interlock_control_stream") == ["SENSOR#", "RERUN_REQUEST#"]
    assert prefixes("interlock_joblog_stream") == ["JOB#"]
    for what in ("control", "joblog"):
        mapping = mappings[f"interlock_{what}_stream"]
        assert mapping["starting_position"] == "TRIM_HORIZON"
        assert (mapping["batch_size"], mapping["maximum_retry_attempts"]) == (10, 3)
        assert mapping["bisect_batch_on_function_error"] is True
        assert mapping["function_response_types"] == ["ReportBatchItemFailures"]
        dlq = "${aws_sqs_queue.interlock_stream_%s_dlq.arn}" % what  # noqa: UP031
        assert mapping["destination_config"] == {"on_failure": {"destination_arn": dlq}}


def test_everything_taggable_is_tagged(maximal: Synthesised) -> None:
    untaggable = (
        "event_bus_policy event_target dashboard table_item role_policy invoke_config permission schedule queue_policy"
    )
    for kind, named in maximal.json["resource"].items():
        if not any(kind.endswith(word) for word in untaggable.split()):
            assert all(made["tags"] == {"team": "data"} for made in named.values()), kind


def test_names_carry_environment_and_suffix_and_stay_within_their_limits(tmp_path: Path) -> None:
    longest = synthesised(tmp_path, {**MINIMAL, "environment": "e" * 30, "name_suffix": "s" * 6})
    for kind, (attribute, limit) in NAME_LIMITS.items():
        for name, made in longest.resources(kind).items():
            physical = made[attribute]
            assert len(physical) <= limit, f"{kind}.{name}"
            assert re.fullmatch(r"[A-Za-z0-9_.-]+", physical)
            assert physical.startswith("e" * 30 + "-interlock-")
            if kind != "scheduler_schedule":  # a group of its own keeps schedules apart
                assert physical.endswith("-ssssss")


def test_only_what_calls_out_is_in_the_vpc(tmp_path: Path) -> None:
    vpc = VpcConfig(subnet_ids=("subnet-1", "subnet-2"), security_group_ids=("sg-1",))
    stack = synthesised(tmp_path, {**MINIMAL, "vpc_config": vpc})
    inside = {name for name, made in stack.resources("lambda_function").items() if "vpc_config" in made}
    assert inside == {"interlock_orchestrator", "interlock_alert_dispatcher"}
    may_attach = {name for name in stack.resources("iam_role_policy") if name.endswith("_vpc")}
    assert may_attach == {"interlock_orchestrator_vpc", "interlock_alert_dispatcher_vpc"}


def test_two_installations_in_one_stack_do_not_collide(tmp_path: Path) -> None:
    def two(_: TerraformStack, interlock: MakeInterlock) -> None:
        interlock("dev", environment="dev")
        interlock("test", environment="test")

    stack = own_stack(tmp_path, two)
    assert len(stack.resources("lambda_function")) == 12
    assert len(stack.resources("dynamodb_table_item")) == 4
    names = [made["name"] for kind in ("sqs_queue", "iam_role") for made in stack.resources(kind).values()]
    assert len(set(names)) == len(names) == 28
    assert len({path.name + str(path.parent) for path in stack.folder.rglob("*.zip")}) == 12
    needs = {name: each["depends_on"] for name, each in stack.resources("scheduler_schedule").items()}
    assert needs == {
        f"{each}_cron_daily": [f"aws_iam_role_policy.{each}_scheduler_cron_invoke"] for each in ("dev", "test")
    }


def test_two_installations_with_the_same_names_are_refused(tmp_path: Path) -> None:
    def same(_: TerraformStack, interlock: MakeInterlock) -> None:
        interlock("first")
        interlock("second")

    with pytest.raises(ConfigError, match="environment: 'dev' has an installation in this stack already"):
        own_stack(tmp_path, same)


def test_two_installations_with_the_same_address_are_refused(tmp_path: Path) -> None:
    def same(_: TerraformStack, interlock: MakeInterlock) -> None:
        # pipeline_<id> of the one is <id> of the other.
        pipelines = tmp_path / "pipelines"
        pipelines.mkdir()
        text = (Path(str(MINIMAL["pipelines_path"])) / "daily.yaml").read_text()
        (pipelines / "one.yaml").write_text(text.replace("id: daily", "id: pipeline_daily"))
        interlock("a", pipelines_path=pipelines)
        interlock("a_pipeline", environment="test")

    address = "aws_dynamodb_table_item.a_pipeline_pipeline_daily"
    with pytest.raises(ConfigError, match=re.escape(f"has the Terraform address {address}")):
        own_stack(tmp_path, same)


def test_a_resource_s_attribute_may_be_a_variable(tmp_path: Path) -> None:
    def with_topic(stack: TerraformStack, interlock: MakeInterlock) -> None:
        topic = IamRole(stack, "stand_in", assume_role_policy="{}")
        interlock(sns_alarm_topic_arn=topic.arn, kms_key_arn=topic.arn, slack_secret_arn=topic.arn)

    stack = own_stack(tmp_path, with_topic)
    arn = "${aws_iam_role.stand_in.arn}"
    assert all(alarm["alarm_actions"] == [arn] for alarm in stack.resources("cloudwatch_metric_alarm").values())
    assert all(queue["kms_master_key_id"] == arn for queue in stack.resources("sqs_queue").values())
    assert stack.policies()["interlock_alert_dispatcher_secrets_read"]["Statement"][0]["Resource"] == [arn]


def test_a_terraform_variable_is_refused_where_synthesis_needs_the_value(tmp_path: Path) -> None:
    def with_variables(stack: TerraformStack, interlock: MakeInterlock) -> None:
        unknown = TerraformVariable(stack, "unknown")
        interlock(
            extended_alarms=unknown.boolean_value,
            deletion_protection=unknown.value,
            lambda_memory_size=unknown.number_value,
            glue_job_arns=unknown.list_value,
            kms_key_arn=unknown.value,
            tags={"team": unknown.value},
        )

    with pytest.raises(ConfigError) as refused:
        own_stack(tmp_path, with_variables)
    literal = "is a Terraform token, but synthesis itself needs the value: give a literal"
    assert [str(problem) for problem in refused.value.problems] == [
        f"deletion_protection: {literal}",
        f"extended_alarms: {literal}",
        f"lambda_memory_size: {literal}",
        "kms_key_arn: is a Terraform value of another type; give it as a string",
        "glue_job_arns: is a list that only Terraform knows; list the ARNs one by one",
        "tags['team']: is a Terraform value of another type; give it as a string",
    ]


def test_what_people_need_is_an_attribute(tmp_path: Path) -> None:
    found: dict[str, Any] = {}

    def look(stack: TerraformStack, interlock: MakeInterlock) -> None:
        made = interlock()
        found.update(
            tables=[made.control_table, made.joblog_table, made.rerun_table, made.events_table],
            functions=sorted(made.functions),
            roles=sorted(made.roles),
            dead_letters=sorted(made.dead_letter_queues),
            alarms=len(made.alarms),
            pipelines={key: pipeline.job.type for key, pipeline in made.pipelines.items()},
        )
        assert all([made.event_bus.name, made.state_machine.arn, made.alert_queue.url, made.sla_schedule_group.name])

    own_stack(tmp_path, look)
    assert len(found.pop("tables")) == 4
    assert found == {
        "functions": sorted(FUNCTIONS),
        "roles": sorted([*FUNCTIONS, "state_machine", "scheduler_sla", "scheduler_cron"]),
        "dead_letters": ["alert_dlq", "events_dlq", "stream_control_dlq", "stream_joblog_dlq"],
        "alarms": 13,
        "pipelines": {"daily": "http", "on.arrival": "http"},
    }


def test_grants_are_limited_to_pipelines_and_attributes(tmp_path: Path) -> None:
    def grant(stack: TerraformStack, interlock: MakeInterlock) -> None:
        loader = IamRole(stack, "loader", name="loader", assume_role_policy="{}")
        made = interlock(kms_key_arn="arn:aws:kms:eu-west-1:123456789012:key/1")
        made.grant_sensor_write(loader, pipeline_ids=["daily"])
        made.grant_job_events("jobs")
        made.grant_rerun("operators", pipeline_ids="daily")

    stack = own_stack(tmp_path, grant)
    roles = {name: policy["role"] for name, policy in stack.resources("iam_role_policy").items()}
    policies = stack.policies()
    control, joblog = "${aws_dynamodb_table.interlock_control.arn}", "${aws_dynamodb_table.interlock_joblog.arn}"

    assert roles["interlock_sensor_write_loader"] == "${aws_iam_role.loader.name}"
    write, key = policies["interlock_sensor_write_loader"]["Statement"]
    assert write["Resource"] == [control]
    assert write["Action"] == ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem"]
    kept = write["Condition"].pop("ForAllValues:StringNotEquals")["dynamodb:Attributes"]
    assert write["Condition"] == {
        "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["PIPELINE#daily"]},
        "Null": {"dynamodb:LeadingKeys": "false"},
    }
    assert {"config", "status", "interlockKind", "executionArn"} <= set(kept)
    assert not {"PK", "SK", "data"} & set(kept)
    assert key["Condition"] == {"StringEquals": {"kms:ViaService": ["dynamodb.eu-west-1.amazonaws.com"]}}

    assert roles["interlock_job_events_jobs"] == "jobs"
    append, _ = policies["interlock_job_events_jobs"]["Statement"]
    assert (append["Action"], append["Resource"]) == (["dynamodb:PutItem"], [joblog])
    assert append["Condition"]["ForAllValues:StringLike"] == {"dynamodb:LeadingKeys": ["PIPELINE#*"]}

    request, _ = policies["interlock_rerun_operators"]["Statement"]
    assert request["Action"] == ["dynamodb:PutItem"]
    condition = request["Condition"]["ForAllValues:StringEquals"]
    assert condition["dynamodb:LeadingKeys"] == ["PIPELINE#daily"]
    assert "status" not in condition["dynamodb:Attributes"]


def test_a_grant_for_an_unknown_pipeline_is_refused(tmp_path: Path) -> None:
    def grant(_: TerraformStack, interlock: MakeInterlock) -> None:
        interlock().grant_sensor_write("loader", pipeline_ids=["dayly"])

    with pytest.raises(ConfigError, match=r"'dayly' is no pipeline here; there are daily, on\.arrival"):
        own_stack(tmp_path, grant)


def test_a_second_grant_to_the_same_role_is_refused(tmp_path: Path) -> None:
    def grant(_: TerraformStack, interlock: MakeInterlock) -> None:
        made = interlock()
        made.grant_rerun("operators", pipeline_ids=["daily"])
        made.grant_rerun("operators", pipeline_ids=["on.arrival"])

    with pytest.raises(ConfigError, match="rerun_operators: is there already; add it once"):
        own_stack(tmp_path, grant)


@pytest.mark.parametrize(
    "role", ["arn:aws:iam::123456789012:role/loader", "", "team/loader", "${aws_iam_role.loader.name}", None, 7]
)
def test_a_grant_to_what_is_no_role_s_name_is_refused(role: Any, tmp_path: Path) -> None:
    def grant(_: TerraformStack, interlock: MakeInterlock) -> None:
        interlock().grant_sensor_write(role)

    with pytest.raises(ConfigError, match=re.escape(f"role: {role!r} is not valid; expected a role as it is in the")):
        own_stack(tmp_path, grant)


def test_a_grant_to_the_name_of_a_resource_is_refused(tmp_path: Path) -> None:
    def grant(stack: TerraformStack, interlock: MakeInterlock) -> None:
        interlock().grant_sensor_write(IamRole(stack, "loader", assume_role_policy="{}").name)

    with pytest.raises(ConfigError, match="the address of the policy would be another in every synthesis"):
        own_stack(tmp_path, grant)


def test_roles_of_other_stacks_and_of_other_places_can_be_given_rights(tmp_path: Path) -> None:
    def grant(stack: TerraformStack, interlock: MakeInterlock) -> None:
        made, elsewhere = interlock(), TerraformStack(stack.node.root, "loaders")
        AwsProvider(elsewhere, "aws")
        made.grant_sensor_write(IamRole(stack, "loader", assume_role_policy="{}"))
        made.grant_sensor_write(IamRole(elsewhere, "loader", assume_role_policy="{}"))
        made.grant_sensor_write(DataAwsIamRole(stack, "known", name="night-loader"))

    policies = own_stack(tmp_path, grant).resources("iam_role_policy")
    writers = {name: each["role"] for name, each in policies.items() if name.startswith("interlock_sensor_write_")}
    assert writers["interlock_sensor_write_loader"] == "${aws_iam_role.loader.name}"
    assert writers["interlock_sensor_write_known"] == "${data.aws_iam_role.known.name}"
    (other,) = writers.keys() - {"interlock_sensor_write_loader", "interlock_sensor_write_known"}
    assert other.startswith("interlock_sensor_write_loaders_loader")
    assert "terraform_remote_state" in writers[other]


def test_another_provider_creates_everything(tmp_path: Path) -> None:
    def abroad(stack: TerraformStack, interlock: MakeInterlock) -> None:
        ohio = AwsProvider(stack, "ohio", alias="ohio", region="us-east-2")
        made = interlock("abroad", environment="abroad", provider=ohio)
        made.grant_rerun("operators")
        made.on_event("breaches", ["SLA_BREACH"], TOPIC)
        interlock("home", environment="home")

    stack = own_stack(tmp_path, abroad).json
    providers = {
        (name.partition("_")[0], each.get("provider"))
        for section in ("resource", "data")
        for named in stack[section].values()
        for name, each in named.items()
    }
    assert providers == {("abroad", "aws.ohio"), ("home", None)}


def test_one_role_may_write_sensors_and_request_reruns(tmp_path: Path) -> None:
    def grant(_: TerraformStack, interlock: MakeInterlock) -> None:
        made = interlock()
        made.grant_sensor_write("backfill")
        made.grant_rerun("backfill")

    policies = own_stack(tmp_path, grant).policies()
    for name in ("interlock_sensor_write_backfill", "interlock_rerun_backfill"):
        assert {statement["Effect"] for statement in policies[name]["Statement"]} == {"Allow"}


def test_events_can_be_listened_to(tmp_path: Path) -> None:
    def listen(_: TerraformStack, interlock: MakeInterlock) -> None:
        interlock().on_event("breaches", ["SLA_BREACH", "RELATIVE_SLA_BREACH"], TOPIC)

    stack = own_stack(tmp_path, listen)
    rule = stack.resources("cloudwatch_event_rule")["interlock_on_event_breaches"]
    assert rule["name"] == "dev-interlock-on-breaches"
    assert rule["event_bus_name"] == "${aws_cloudwatch_event_bus.interlock_event_bus.name}"
    assert json.loads(rule["event_pattern"]) == {
        "source": ["interlock"],
        "detail-type": ["SLA_BREACH", "RELATIVE_SLA_BREACH"],
    }
    target = stack.resources("cloudwatch_event_target")["interlock_event_target_breaches"]
    assert (target["arn"], target["rule"]) == (TOPIC, "${aws_cloudwatch_event_rule.interlock_on_event_breaches.name}")
    assert target["dead_letter_config"] == {"arn": "${aws_sqs_queue.interlock_events_dlq.arn}"}
    policy = json.loads(known(stack.resources("sqs_queue_policy")["interlock_events_dlq_policy"]["policy"]))
    (allowed,) = [each for each in policy["Statement"] if each["Effect"] == "Allow"]
    own_bus = "arn:aws:events:eu-west-1:123456789012:rule/dev-interlock-events/*"
    assert own_bus in allowed["Condition"]["ArnEquals"]["aws:SourceArn"]


def test_listeners_may_have_any_two_names(tmp_path: Path) -> None:
    def listen(_: TerraformStack, interlock: MakeInterlock) -> None:
        made = interlock()
        made.on_event("x", ["SLA_BREACH"], TOPIC)
        made.on_event("x_target", ["SLA_BREACH"], TOPIC)

    targets = own_stack(tmp_path, listen).resources("cloudwatch_event_target")
    assert {"interlock_event_target_x", "interlock_event_target_x_target"} <= targets.keys()


@pytest.mark.parametrize("target", ["on-call", "", None])
def test_a_listener_needs_an_arn(target: Any, tmp_path: Path) -> None:
    def listen(_: TerraformStack, interlock: MakeInterlock) -> None:
        interlock().on_event("x", ["SLA_BREACH"], target)

    with pytest.raises(ConfigError, match=f"target_arn: {target!r} is not valid; expected an ARN"):
        own_stack(tmp_path, listen)


@pytest.mark.parametrize("own", ["alert-events", "all-events", "watchdog"])
def test_a_listener_never_takes_the_name_of_a_rule_of_interlock(own: str, tmp_path: Path) -> None:
    def listen(_: TerraformStack, interlock: MakeInterlock) -> None:
        interlock().on_event(own, ["SLA_BREACH"], TOPIC)

    rules = own_stack(tmp_path, listen).resources("cloudwatch_event_rule").values()
    names = [rule["name"] for rule in rules]
    assert f"dev-interlock-{own}" in names
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("x", ["SLA_BREECH"]), "detail_types: 'SLA_BREECH' is no event type; there are VALIDATION_PASSED"),
        (("x", []), "detail_types: an empty list is no event type"),
        (("a b", ["SLA_BREACH"]), "id: 'a b' is not valid"),
        (("x" * 60, ["SLA_BREACH"]), "may have 64 characters"),
    ],
)
def test_a_listener_that_could_not_work_is_refused(
    arguments: tuple[str, list[str]], message: str, tmp_path: Path
) -> None:
    def listen(_: TerraformStack, interlock: MakeInterlock) -> None:
        interlock().on_event(*arguments, TOPIC)

    with pytest.raises(ConfigError, match=re.escape(message)):
        own_stack(tmp_path, listen)


def test_every_missing_zip_is_named(tmp_path: Path) -> None:
    incomplete = zips_in(tmp_path / "incomplete")
    (incomplete / "watchdog.zip").unlink()
    (incomplete / "event-sink.zip").unlink()
    with pytest.raises(ConfigError) as refused:
        synthesised(tmp_path, {**MINIMAL, "dist_path": incomplete})
    assert [str(problem) for problem in refused.value.problems] == [
        f"dist_path: {incomplete}/{name}.zip is missing; interlock-tf build --out {incomplete} writes all six"
        for name in ("watchdog", "event-sink")
    ]


def test_the_stack_takes_no_slack_token_in_clear(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="TF_VAR_slack_bot_token"):
        synthesised(tmp_path, {**MINIMAL, "slack_bot_token": "xoxb-1"})


def test_another_stack_of_the_app_finds_the_state(tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path / "cdktf.out"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InterlockWarning)
        core = InterlockStack(app, "core", dist_path=zips_in(tmp_path / "zips"), **MINIMAL)
    TerraformOutput(TerraformStack(app, "reader"), "table", value=core.interlock.control_table.name)
    app.synth()
    reader = json.loads((tmp_path / "cdktf.out" / "stacks" / "reader" / "cdk.tf.json").read_text())
    (state,) = reader["data"]["terraform_remote_state"].values()
    assert state == {"backend": "local", "config": {"path": "../core/terraform.tfstate"}}


def test_a_backend_of_one_s_own_is_kept(tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path / "out"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InterlockWarning)
        stack = InterlockStack(app, "interlock", **MINIMAL, dist_path=zips_in(tmp_path / "zips"))
    LocalBackend(stack, path="elsewhere.tfstate")
    app.synth()
    emitted = json.loads((tmp_path / "out" / "stacks" / "interlock" / "cdk.tf.json").read_text())
    assert emitted["terraform"]["backend"] == {"local": {"path": "elsewhere.tfstate"}}


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({}, "nobody will be told"),
        ({"slack_bot_token": "xoxb-1", "slack_channel_id": "C1"}, "slack_bot_token is in clear"),
        (
            {"slack_bot_token": "xoxb-1", "slack_secret_arn": "arn:aws:secretsmanager:x:123456789012:secret:y"},
            "not used",
        ),
        ({"environment": "prod"}, "'prod' looks like production, and deletion_protection is off"),
        ({"environment": "eu-production"}, "looks like production"),
    ],
)
def test_what_hardly_can_have_been_meant_is_told(variables: dict[str, str], message: str, tmp_path: Path) -> None:
    stack = TerraformStack(App(outdir=str(tmp_path / "out")), "platform")
    with pytest.warns(InterlockWarning) as told:
        Interlock(stack, "interlock", **{**MINIMAL, "dist_path": zips_in(tmp_path / "zips"), **variables})
    assert message in "\n".join(str(each.message) for each in told)
    assert {Path(each.filename) for each in told} == {Path(__file__)}


def test_a_folder_without_pipelines_is_told_and_works(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    stack = TerraformStack(App(outdir=str(tmp_path / "out")), "platform")
    variables = {**MINIMAL, "pipelines_path": tmp_path / "none", "sns_alarm_topic_arn": TOPIC}
    with pytest.warns(InterlockWarning, match="holds no pipelines"):
        Interlock(stack, "interlock", **variables, dist_path=zips_in(tmp_path))
    resources = stack.to_terraform()["resource"]
    assert "aws_dynamodb_table_item" not in resources
    assert "aws_scheduler_schedule" not in resources
    assert len(resources["aws_lambda_function"]) == 6


def test_an_installation_that_tells_somebody_warns_of_nothing(tmp_path: Path) -> None:
    stack = TerraformStack(App(outdir=str(tmp_path / "out")), "platform")
    Interlock(stack, "interlock", **MINIMAL, dist_path=zips_in(tmp_path / "zips"), sns_alarm_topic_arn=TOPIC)
