"""The ready-made stack: a provider, one installation, and its outputs."""

from __future__ import annotations

from typing import Unpack

from interlock_runtime.core.errors import ConfigError, Problem
from interlock_tf._cdk import (
    AwsProvider,
    Construct,
    DataTerraformRemoteStateLocal,
    LocalBackend,
    TerraformBackend,
    TerraformOutput,
    TerraformRemoteState,
    TerraformStack,
    TerraformVariable,
)
from interlock_tf.interlock import Interlock
from interlock_tf.notices import problems_without_traceback
from interlock_tf.terraform_values import is_token
from interlock_tf.variables import Variables

_STATE = "terraform.tfstate"


class InterlockStack(TerraformStack):
    """A stack with one installation of Interlock in it, and nothing else.

    Takes the variables of :class:`Interlock`, and ``region``; without one, the provider finds it
    where it finds the credentials. The Slack token is a sensitive Terraform variable
    (``TF_VAR_slack_bot_token``), so that it stands in no file.

    State is kept in the output folder unless the stack is given a backend, such as
    ``S3Backend(stack, …)``.

    Attributes:
        provider: the AWS provider; set endpoints or default tags on it.
        interlock: the installation.
        outputs: the outputs by name.

    Raises:
        ConfigError: everything that is wrong with the variables, or else with the documents.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        region: str | None = None,
        **variables: Unpack[Variables],
    ) -> None:
        super().__init__(scope, id)
        self.provider = AwsProvider(self, "aws", region=region)
        with problems_without_traceback():
            token = variables.pop("slack_bot_token", "")
            if token and not is_token(token):
                raise ConfigError(
                    Problem(
                        path="slack_bot_token",
                        message="is not written into a stack: give it to Terraform, as TF_VAR_slack_bot_token, "
                        "or put it into Secrets Manager and give slack_secret_arn",
                    )
                )
            if not variables.get("slack_secret_arn"):
                needed = bool(variables.get("slack_channel_id"))
                variables["slack_bot_token"] = token or self._slack_bot_token(needed=needed)
            self.interlock = Interlock(self, "interlock", **variables)
        self.outputs = {
            name: TerraformOutput(self, name, value=value, static_id=True) for name, value in _outputs(self.interlock)
        }

    def ensure_backend_exists(self) -> TerraformBackend:
        """Keep the state beside the configuration, if nothing else is asked for.

        CDKTF calls it. Its own default is a path of the machine that synthesised.
        """
        if not any(TerraformBackend.is_backend(child) for child in self.node.children):
            _BackendBeside(self, path=_STATE)
        return super().ensure_backend_exists()

    def _slack_bot_token(self, *, needed: bool) -> str:
        """The token as a variable. With a channel it has no default, so that Terraform asks for it."""
        variable = TerraformVariable(
            self,
            "slack_bot_token",
            type="string",
            default=None if needed else "",
            sensitive=True,
            description="The Slack bot token, with the right chat:write; empty to only log alerts",
        )
        return str(variable.string_value)


class _BackendBeside(LocalBackend):
    """State beside the configuration, wherever the output folder is moved to."""

    def get_remote_state_data_source(self, scope: Construct, name: str, from_stack: str) -> TerraformRemoteState:
        """The state, as another stack of the app reads it. CDKTF's own is relative to the folder of whoever reads."""
        return DataTerraformRemoteStateLocal(scope, name, path=f"../{TerraformStack.of(self).node.id}/{_STATE}")


def _outputs(interlock: Interlock) -> list[tuple[str, str]]:
    return [
        ("control_table_name", interlock.control_table.name),
        ("control_table_arn", interlock.control_table.arn),
        ("joblog_table_name", interlock.joblog_table.name),
        ("rerun_table_name", interlock.rerun_table.name),
        ("events_table_name", interlock.events_table.name),
        ("events_table_arn", interlock.events_table.arn),
        ("event_bus_name", interlock.event_bus.name),
        ("event_bus_arn", interlock.event_bus.arn),
        ("sfn_arn", interlock.state_machine.arn),
        ("sfn_name", interlock.state_machine.name),
        ("scheduler_group_name", interlock.sla_schedule_group.name),
        ("sla_monitor_arn", interlock.functions["sla_monitor"].arn),
    ]
