"""What a function says when its environment is not complete."""

from __future__ import annotations

import pytest

from interlock_runtime import settings
from interlock_runtime.core.errors import ConfigError


def environment(function: str, **changes: str | None) -> dict[str, str]:
    values: dict[str, str | None] = {**dict.fromkeys(settings.VARIABLES[function], "7"), **changes}
    return {name: value for name, value in values.items() if value is not None}


@pytest.mark.parametrize("function", settings.VARIABLES)
def test_a_complete_environment_is_read(function: str) -> None:
    settings.read(settings.FUNCTIONS[function], environment(function))


def test_every_missing_variable_is_named_in_one_line() -> None:
    with pytest.raises(ConfigError) as caught:
        settings.read(settings.StreamRouter, {"CONTROL_TABLE": "c", "JOBLOG_TABLE": " ", "SFN_TIMEOUT_SECONDS": "4h"})
    text = str(caught.value)
    assert "\n" not in text
    assert "CONTROL_TABLE" not in text
    assert "JOBLOG_TABLE is missing" in text
    assert "STATE_MACHINE_ARN is missing" in text
    assert "SFN_TIMEOUT_SECONDS is '4h', expected a whole number above 0" in text


def test_hosts_are_a_list_and_may_be_none() -> None:
    read = settings.read(settings.Orchestrator, environment("orchestrator", ALLOWED_PRIVATE_HOSTS="airflow.corp, x"))
    assert read.allowed_private_hosts == ("airflow.corp", "x")
    none = settings.read(settings.Orchestrator, environment("orchestrator", ALLOWED_PRIVATE_HOSTS=""))
    assert none.allowed_private_hosts == ()


def test_a_slack_token_may_be_absent_and_is_never_shown() -> None:
    absent = settings.read(settings.AlertDispatcher, environment("alert-dispatcher", SLACK_BOT_TOKEN=None))
    assert absent.slack_bot_token == ""
    present = settings.read(settings.AlertDispatcher, environment("alert-dispatcher", SLACK_BOT_TOKEN="xoxb-secret"))
    assert "xoxb" not in repr(present)
