"""The variables of an installation: what is taken, and what is refused with which words."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any, Required, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock_runtime.core.errors import ConfigError, Problem
from interlock_tf.settings import Concurrency, Settings, VpcConfig
from interlock_tf.terraform_values import is_token
from interlock_tf.variables import Variables

TOKEN = "${TfToken[TOKEN.7]}"
#: As CDKTF writes a list and a number that only Terraform knows.
LIST_TOKEN = ["#{TfToken[TOKEN.7]}"]
NUMBER_TOKEN = -8.109562212591379e298
ARN = "arn:aws:sns:eu-west-1:123456789012:on-call"


def settings(**variables: Any) -> Settings:
    return Settings.of(**{"environment": "dev", "pipelines_path": "pipelines", **variables})


def problems(**variables: Any) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        settings(**variables)
    return [str(problem) for problem in refused.value.problems]


def test_the_defaults_are_those_of_the_document() -> None:
    defaults = settings()
    assert (defaults.lambda_memory_size, defaults.log_retention_days, defaults.events_table_ttl_days) == (128, 30, 90)
    assert (defaults.watchdog_schedule, defaults.sfn_timeout_seconds) == ("rate(5 minutes)", 14400)
    assert defaults.trigger_max_attempts == 3
    assert defaults.lambda_concurrency == Concurrency(
        stream_router=10, orchestrator=10, sla_monitor=5, watchdog=2, event_sink=5, alert_dispatcher=3
    )


def test_the_typed_arguments_are_the_variables() -> None:
    hints = get_type_hints(Variables, include_extras=True)
    assert list(hints) == [each.name for each in fields(Settings)]
    assert {name for name, hint in hints.items() if get_origin(hint) is Required} == {
        each.name for each in fields(Settings) if each.default is each.default_factory is MISSING
    }


def test_all_problems_are_told_at_once_and_each_names_its_variable() -> None:
    assert problems(lambda_memory_size=64, sfn_log_level="DEBUG", kms_key_arn="key", tags={"a": 1}) == [
        "lambda_memory_size: 64 is not valid; expected 128 to 10240 (MB, as Lambda allows)",
        "sfn_log_level: 'DEBUG' is not valid; expected one of OFF, ERROR, ALL",
        "kms_key_arn: 'key' is not valid; expected the ARN of a KMS key (arn:aws:kms:…:key/…, no alias), or None",
        "tags['a']: 1 is not valid; expected a string for a string",
    ]


def test_a_misspelled_variable_is_refused() -> None:
    assert problems(pipeline_path="x") == ["pipeline_path: is not a variable of Interlock"]


def test_required_variables_are_required() -> None:
    with pytest.raises(ConfigError) as refused:
        Settings.of()
    assert [str(problem) for problem in refused.value.problems] == [
        "environment: is required",
        "pipelines_path: is required",
    ]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"environment": "dev_1"}, "environment: 'dev_1' is not valid; expected letters, digits and '-'"),
        ({"environment": ""}, "environment: '' is not valid"),
        ({"environment": 3}, "environment: 3 is not valid; expected a string"),
        ({"environment": TOKEN}, "environment: is a Terraform token, but synthesis itself needs the value"),
        ({"environment": "e" * 38}, "environment: 'eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee' is 1 characters too long"),
        ({"environment": "e" * 37, "name_suffix": "eu"}, "with name_suffix 'eu' is 3 characters too long"),
        ({"name_suffix": "eu_1"}, "name_suffix: 'eu_1' is not valid"),
        ({"pipelines_path": TOKEN}, "pipelines_path: is a Terraform token"),
        ({"pipelines_path": ""}, "pipelines_path: is empty"),
        ({"pipelines_path": 7}, "pipelines_path: 7 is not valid; expected a path"),
        ({"dist_path": 7}, "dist_path: 7 is not valid; expected a path"),
        ({"lambda_memory_size": True}, "lambda_memory_size: True is not valid; expected a whole number"),
        ({"lambda_memory_size": NUMBER_TOKEN}, "lambda_memory_size: is a Terraform token, but synthesis itself needs"),
        ({"log_retention_days": NUMBER_TOKEN}, "log_retention_days: is a Terraform token"),
        (
            {"lambda_concurrency": Concurrency(watchdog=NUMBER_TOKEN)},  # type: ignore[arg-type]
            "lambda_concurrency.watchdog: is a Terraform token",
        ),
        ({"lambda_runtime": TOKEN}, "lambda_runtime: is a Terraform token"),
        ({"trigger_max_attempts": -1}, "trigger_max_attempts: -1 is not valid; expected 0 to 20"),
        ({"trigger_retention_days": 7}, "trigger_retention_days: 7 is not valid; expected 31 to 3650"),
        (
            {"log_retention_days": 29},
            "log_retention_days: 29 is not valid; expected what CloudWatch Logs accepts: 0, 1",
        ),
        ({"lambda_concurrency": 4}, "lambda_concurrency: 4 is not valid; expected a Concurrency"),
        ({"lambda_concurrency": Concurrency(watchdog=0)}, "lambda_concurrency.watchdog: 0 is not valid"),
        ({"lambda_runtime": "python3.9"}, "lambda_runtime: 'python3.9' is not valid; expected one of python3.12"),
        (
            {"watchdog_schedule": "rate(1 minutes)"},
            "watchdog_schedule: 'rate(1 minutes)' is not valid: EventBridge wants rate(1 minute); expected such as",
        ),
        ({"watchdog_schedule": TOKEN}, "watchdog_schedule: is a Terraform token"),
        ({"watchdog_schedule": "hourly"}, "watchdog_schedule: 'hourly' is not valid; expected such as rate(5 minutes)"),
        (
            {"kms_key_arn": "arn:aws:kms:eu-west-1:123456789012:alias/data"},
            "expected the ARN of a KMS key (arn:aws:kms:…:key/…, no alias), or None",
        ),
        ({"kms_key_arn": ARN}, "kms_key_arn: 'arn:aws:sns:eu-west-1:123456789012:on-call' is not valid"),
        (
            {"sns_alarm_topic_arn": "arn:aws:sqs:eu-west-1:123456789012:on-call"},
            "is not valid; expected the ARN of a topic (arn:aws:sns:…), or None",
        ),
        (
            {"slack_secret_arn": "arn:aws:ssm:eu-west-1:123456789012:parameter/slack"},
            "is not valid; expected the ARN of a secret (arn:aws:secretsmanager:…:secret:…), or None",
        ),
        ({"glue_job_arns": "*"}, "glue_job_arns: '*' is not valid; expected a list of ARNs"),
        ({"glue_job_arns": ["orders"]}, "glue_job_arns: 'orders' is not valid; expected a list of ARNs, or ['*']"),
        ({"glue_log_groups": ["a b"]}, "glue_log_groups: 'a b' is not valid"),
        (
            {"allowed_private_hosts": ["http://x"]},
            "allowed_private_hosts: 'http://x' is not valid; expected host names",
        ),
        (
            {"orchestrator_environment": {"PATH": "x"}},
            "orchestrator_environment: 'PATH' is not valid; expected names in",
        ),
        ({"pipeline_variables": {"environment": "x"}}, "pipeline_variables: cannot have 'environment'"),
        (
            {"vpc_config": VpcConfig(subnet_ids=(), security_group_ids=("sg",))},
            "vpc_config.subnet_ids: () is not valid",
        ),
        ({"vpc_config": {"subnet_ids": []}}, "vpc_config: {'subnet_ids': []} is not valid; expected a VpcConfig"),
        ({"enable_glue_trigger": "yes"}, "enable_glue_trigger: 'yes' is not valid; expected True, False or None"),
        ({"deletion_protection": None}, "deletion_protection: None is not valid; expected True or False"),
        (
            {"tags": {"aws:x": "y"}},
            "tags: 'aws:x' is not valid; expected keys of 1 to 128 characters that do not start",
        ),
        ({"tags": {"x": "y" * 257}}, "tags['x']: 'yyyy"),
        ({"tags": {str(n): "y" for n in range(51)}}, "tags: are 51, and AWS allows 50 for a resource"),
        ({"orchestrator_environment": {"INTERLOCK_X": "é" * 1600}}, "orchestrator_environment: is 3,211 bytes long"),
        ({"allowed_private_hosts": ["a" * 31] * 97}, "allowed_private_hosts: is 3,103 bytes long; Lambda allows 4 KB"),
        (
            {"allowed_private_hosts": ["a" * 99] * 20, "orchestrator_environment": {"INTERLOCK_X": "x" * 1100}},
            "allowed_private_hosts: is 1,999 bytes long, and orchestrator_environment 1,111; Lambda allows 4 KB",
        ),
        ({"tags": ["a"]}, "tags: ['a'] is not valid; expected a mapping of strings"),
    ],
)
def test_a_bad_value_is_refused_with_what_would_be_right(variables: dict[str, Any], expected: str) -> None:
    assert expected in "\n".join(problems(**variables))


def test_a_token_is_taken_where_only_terraform_reads_it() -> None:
    taken = settings(
        kms_key_arn=TOKEN,
        sns_alarm_topic_arn=TOKEN,
        slack_secret_arn=TOKEN,
        slack_channel_id=TOKEN,
        slack_bot_token=TOKEN,
        glue_job_arns=[TOKEN],
        tags={"team": TOKEN},
    )
    assert taken.glue_job_arns == (TOKEN,)


@pytest.mark.parametrize(
    "name",
    [
        "glue_job_arns",
        "emr_cluster_arns",
        "emr_serverless_app_arns",
        "emr_serverless_job_role_arns",
        "sfn_trigger_arns",
        "lambda_trigger_arns",
    ],
)
@pytest.mark.parametrize("value", [LIST_TOKEN, [ARN, *LIST_TOKEN], TOKEN])
def test_a_list_of_arns_that_only_terraform_knows_is_refused(name: str, value: Any) -> None:
    assert problems(**{name: value}) == [f"{name}: is a list that only Terraform knows; list the ARNs one by one"]


def test_a_list_of_subnets_may_be_one_that_only_terraform_knows() -> None:
    given = VpcConfig(subnet_ids=LIST_TOKEN, security_group_ids=LIST_TOKEN)  # type: ignore[arg-type]
    assert settings(vpc_config=given).vpc_config == given


def test_a_token_in_place_of_a_literal_is_told_once() -> None:
    literal = "is a Terraform token, but synthesis itself needs the value: give a literal"
    assert problems(watchdog_schedule=TOKEN, sfn_timeout_seconds=NUMBER_TOKEN) == [
        f"watchdog_schedule: {literal}",
        f"sfn_timeout_seconds: {literal}",
    ]


def test_an_empty_string_for_an_optional_value_is_no_value() -> None:
    taken = settings(kms_key_arn="", slack_secret_arn="", sns_alarm_topic_arn="", calendars_path="", dist_path="")
    assert (taken.kms_key_arn, taken.slack_secret_arn, taken.calendars_path, taken.dist_path) == (None,) * 4


def test_a_secret_is_in_no_message_and_no_repr() -> None:
    assert "xoxb" not in repr(settings(slack_bot_token="xoxb-secret"))
    assert "xoxb" not in "".join(problems(slack_bot_token=["xoxb-secret"]))


def test_nothing_is_reserved_for_a_small_account() -> None:
    assert set(vars(Concurrency.unreserved()).values()) == {-1}
    assert settings(lambda_concurrency=Concurrency.unreserved())


def test_a_taken_mapping_is_not_shared_with_the_caller() -> None:
    tags = {"team": "data"}
    taken = settings(tags=tags)
    tags["team"] = "other"
    assert taken.tags == {"team": "data"}


@pytest.mark.parametrize("text", [TOKEN, "#{TfToken[TOKEN.3]}", "${aws_kms_key.mine.arn}", "a${b}c"])
def test_an_expression_is_known_as_a_token(text: str) -> None:
    assert is_token(text)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3),
    max_leaves=5,
)


@given(name=st.sampled_from([each.name for each in fields(Settings)]), value=ANYTHING)
def test_any_value_is_taken_or_refused_by_name(name: str, value: Any) -> None:
    found: tuple[Problem, ...] = ()
    try:
        settings(**{name: value})
    except ConfigError as refused:
        found = refused.problems
    # The suffix and the environment share a limit.
    assert all(problem.path.startswith((name, "environment")) for problem in found)
