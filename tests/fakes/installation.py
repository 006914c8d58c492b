"""An installation around six functions without code: everything that a synth test needs but the zips."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from interlock_runtime.core.documents import Pipeline
from interlock_tf._cdk import App, Construct, IamRolePolicy, LambdaFunction, TerraformStack
from interlock_tf.alarms import add_alarms
from interlock_tf.alerting import add_alert_mapping, add_queue_policies, add_queues
from interlock_tf.context import Context
from interlock_tf.dashboard import add_dashboard
from interlock_tf.events import add_bus, add_invoke_configs, add_rules, add_targets
from interlock_tf.functions import FUNCTIONS, FunctionResources, Identity, add_identities
from interlock_tf.metrics import Watched
from interlock_tf.policies import document
from interlock_tf.schedules import add_scheduler_policies, add_schedules, add_scheduling
from interlock_tf.settings import Settings
from interlock_tf.state_machine import add_state_machine


@dataclass(frozen=True)
class Emitted:
    """The Terraform JSON of an installation."""

    configuration: Mapping[str, Any]

    def resources(self, kind: str) -> dict[str, dict[str, Any]]:
        """The resources of a Terraform type, by their names without the construct's."""
        found = self.configuration["resource"].get(f"aws_{kind}", {})
        return {
            name.removeprefix("interlock_"): {key: value for key, value in attributes.items() if key != "//"}
            for name, attributes in found.items()
        }

    def resource(self, kind: str, name: str) -> dict[str, Any]:
        """One resource."""
        return self.resources(kind)[name]


def installation(pipelines: Iterable[Pipeline] = (), **variables: Any) -> Emitted:
    """Synthesise an installation called ``interlock`` with these variables."""
    app = App()
    stack = TerraformStack(app, "test")
    settings = Settings.of(environment="dev", pipelines_path="pipelines", **variables)
    _build(Context.of(Construct(stack, "interlock"), settings), pipelines)
    return Emitted(json.loads(json.dumps(stack.to_terraform())))


def _build(context: Context, pipelines: Iterable[Pipeline]) -> None:
    functions = {key: _function(context, key, identity) for key, identity in add_identities(context).items()}
    queues = add_queues(context)
    bus = add_bus(context, publishers=[function.role.arn for function in functions.values()])
    scheduling = add_scheduling(context)
    machine = add_state_machine(context, orchestrator=functions["orchestrator"], sla_monitor=functions["sla_monitor"])
    rules = add_rules(context, bus=bus, state_machine_arn=machine.arn)
    policies = add_queue_policies(context, queues, alert_rules=rules.alert_arns, rules=rules.arns)
    add_targets(context, rules, functions=functions, queues=queues, queue_policies=policies)
    add_invoke_configs(context, functions=functions, dead_letters=queues.events_dlq)
    add_alert_mapping(context, queues.alert, functions["alert_dispatcher"])
    router = functions["stream_router"]
    add_scheduler_policies(
        context,
        scheduling,
        sla_monitor=functions["sla_monitor"],
        stream_router=router,
        dead_letters=queues.events_dlq,
    )
    add_schedules(context, scheduling, pipelines, stream_router=router, dead_letters=queues.events_dlq)
    watched = Watched.of(
        functions=functions, state_machine=machine, queues=queues, bus=bus, rules=rules, scheduling=scheduling
    )
    add_alarms(context, watched)
    add_dashboard(context, watched)


def _function(context: Context, key: str, identity: Identity) -> FunctionResources:
    name = context.names(FUNCTIONS[key].name)
    policy = context.add(IamRolePolicy, f"{key}_policy", name="some", role=identity.role.name, policy=document())
    return FunctionResources(
        key=key,
        function=context.add(LambdaFunction, key, function_name=name, role=identity.role.arn),
        role=identity.role,
        log_group=identity.log_group,
        policies=(policy,),
    )
