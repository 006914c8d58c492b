"""Templates filled in: variables, environment, secrets, and what cannot be filled in."""

from __future__ import annotations

from typing import Any

import pytest

from interlock_runtime.core.errors import PermanentError, TransientError
from interlock_runtime.core.job_documents import AirflowConfig, EmrConfig
from interlock_runtime.core.templates import RUN_VARIABLES
from interlock_runtime.jobs.contract import Services
from interlock_runtime.jobs.templates import Templates
from tests.fakes.job_services import TOKEN, job_of, run_context, services


def templates(*, hour: int | None = None, world: Services | None = None) -> Templates:
    return Templates(run_context(hour=hour, attempt=2), world or services())


@pytest.mark.parametrize(
    ("name", "daily", "hourly"),
    [
        ("DATE", "2026-03-03", "2026-03-03"),
        ("HOUR", None, "07"),
        ("EXECUTION_DATE", "2026-03-03", "2026-03-03T07"),
        ("PAR_DAY", "20260303", "20260303"),
        ("PIPELINE", "gold", "gold"),
        ("SCHEDULE", "cron", "cron"),
        ("ATTEMPT", "2", "2"),
        ("RUN_ID", TOKEN, TOKEN),
    ],
)
def test_every_run_variable_has_its_value(name: str, daily: str | None, hourly: str) -> None:
    assert templates(hour=7).resolve(f"a ${{{name}}} b") == f"a {hourly} b"
    if daily is None:
        with pytest.raises(PermanentError, match=r"\$\{HOUR\} has no value"):
            templates().resolve("${HOUR}")
    else:
        assert templates().resolve(f"${{{name}}}") == daily


def test_the_table_above_is_complete() -> None:
    for name in RUN_VARIABLES:
        assert templates(hour=7).resolve(f"${{{name}}}")


def test_every_string_of_a_configuration_is_filled_in_and_nothing_else() -> None:
    job = job_of(
        "airflow",
        url="https://${PIPELINE}.example",
        dagId="gold_${PAR_DAY}",
        headers={"X-${DATE}": "${DATE}"},
        body={"list": ["${DATE}", 1, None, True, {"deep": "${ATTEMPT}"}], "n": 1.5},
    )
    config = templates().resolve(job.config)
    assert isinstance(config, AirflowConfig)
    assert config.url == "https://gold.example"
    assert config.dag_id == "gold_20260303"
    assert config.headers == {"X-${DATE}": "2026-03-03"}
    assert config.body == {"list": ["2026-03-03", 1, None, True, {"deep": "2"}], "n": 1.5}
    assert config.timeout == job.config.timeout
    steps = job_of("emr", clusterId="j-1", stepName="s", command="c", arguments=["${DATE}", 7])
    resolved = templates().resolve(steps.config)
    assert isinstance(resolved, EmrConfig)
    assert resolved.arguments == ("2026-03-03", 7) or resolved.arguments == ["2026-03-03", 7]


@pytest.mark.parametrize(
    ("text", "resolved"),
    [
        ("$${DATE}", "${DATE}"),
        ("$$${DATE}", "$${DATE}"),
        ("$DATE {DATE} $ {", "$DATE {DATE} $ {"),
        ("${DATE}${ATTEMPT}", "2026-03-032"),
        ("", ""),
    ],
)
def test_what_is_no_template_stays(text: str, resolved: str) -> None:
    assert templates().resolve(text) == resolved


def test_a_value_is_not_read_as_a_template_again() -> None:
    world = services(secrets={"odd": "${DATE} ${secret:other}"}, environment={"INTERLOCK_ODD": "${DATE}"})
    assert templates(world=world).resolve("${secret:odd} ${INTERLOCK_ODD}") == "${DATE} ${secret:other} ${DATE}"


def test_of_the_environment_only_interlocks_own_can_be_read() -> None:
    world = services(environment={"INTERLOCK_REGION": "eu", "AWS_SECRET_ACCESS_KEY": "x", "INTERLOCK_EMPTY": ""})
    assert templates(world=world).resolve("${INTERLOCK_REGION}${INTERLOCK_EMPTY}") == "eu"
    with pytest.raises(PermanentError, match=r"\$\{AWS_SECRET_ACCESS_KEY\} is not a run-time variable"):
        templates(world=world).resolve("${AWS_SECRET_ACCESS_KEY}")
    with pytest.raises(PermanentError, match=r"\$\{INTERLOCK_NONE\} is not set in the orchestrator's environment"):
        templates(world=world).resolve("${INTERLOCK_NONE}")


def test_secrets_are_asked_for_by_name_arn_and_key() -> None:
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:gold/api-AbCdEf"
    world = services(secrets={"gold": "a", "gold/x#key": "b", arn: "c", f"{arn}#k:1": "d"})
    filled = templates(world=world).resolve(
        f"${{secret:gold}}${{secret:gold/x#key}}${{secret:{arn}}}${{secret:{arn}#k:1}}"
    )
    assert filled == "abcd"


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"a": ["${NOPE}"]}, r"job\.config\.a\[0\]: \$\{NOPE\} is not a run-time variable; there are DATE, HOUR"),
        ({"a": "${environment}"}, r"job\.config\.a: \$\{environment\} is not a run-time variable"),
        ({"a": {"b": "${}"}}, r"job\.config\.a\.b: \$\{\} is not"),
        ({"a": "x ${DATE"}, r"job\.config\.a: \$\{DATE has no closing brace"),
        ({"a": "${secret:}"}, r"job\.config\.a: \$\{secret:\} names no secret"),
        ({"a": "${secret:none#key}"}, r"job\.config\.a: \$\{secret:none#key\}: there is no such secret"),
    ],
)
def test_what_cannot_be_filled_in_is_named_with_its_place(config: dict[str, Any], told: str) -> None:
    with pytest.raises(PermanentError, match=told):
        templates().resolve(config)


def test_a_store_that_does_not_answer_is_another_kind_of_trouble() -> None:
    def busy(name: str, key: str | None) -> str:
        raise TransientError("busy")

    world = services()
    world = Services(client=world.client, network=world.network, secret=busy)
    with pytest.raises(TransientError, match=r"job\.config: \$\{secret:a\}: busy"):
        templates(world=world).resolve("${secret:a}")


def test_only_what_was_filled_in_is_taken_out_of_texts() -> None:
    found = templates(world=services(secrets={"long": "abcdef", "short": "abcd", "empty": "", "unused": "xyz9"}))
    found.resolve("${secret:long}${secret:short}${secret:empty}")
    assert found.redact("abcdef abcd xyz9 abc") == "*** *** xyz9 abc"


def test_a_value_too_short_to_be_a_secret_does_not_spoil_texts() -> None:
    found = templates(world=services(secrets={"gold/db#port": "443"}))
    assert found.resolve("${secret:gold/db#port}") == "443"
    assert found.redact("answered with HTTP 443") == "answered with HTTP 443"
