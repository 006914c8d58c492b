"""What the AWS provider calls and moto 5.2 does not know, added to moto's own classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from moto.core.responses import ActionResult, BaseResponse
from moto.stepfunctions.responses import StepFunctionResponse

Action = Callable[[BaseResponse], ActionResult]


def _validate_state_machine_definition(_: BaseResponse) -> ActionResult:
    # moto parses the definition when the machine is created, a moment later.
    return ActionResult({"result": "OK", "diagnostics": []})


def _list_state_machine_versions(_: BaseResponse) -> ActionResult:
    return ActionResult({"stateMachineVersions": []})


_ACTIONS: Mapping[type[BaseResponse], Mapping[str, Action]] = {
    StepFunctionResponse: {
        "validate_state_machine_definition": _validate_state_machine_definition,
        "list_state_machine_versions": _list_state_machine_versions,
    },
}


def fill_gaps() -> None:
    """Add the missing actions to moto; doing it twice does nothing more."""
    for service, actions in _ACTIONS.items():
        for name, action in actions.items():
            setattr(service, name, action)
