"""Where moto 5.2 is not what Terraform needs: actions that it lacks, and Lambda without Docker."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from moto.awslambda.models import LambdaFunction
from moto.core.responses import ActionResult, BaseResponse
from moto.stepfunctions.responses import StepFunctionResponse


def _validate_state_machine_definition(_: BaseResponse) -> ActionResult:
    # moto parses the definition when the machine is created, a moment later.
    return ActionResult({"result": "OK", "diagnostics": []})


def _list_state_machine_versions(_: BaseResponse) -> ActionResult:
    return ActionResult({"stateMachineVersions": []})


def _not_run(_: LambdaFunction, event: str | None = None) -> tuple[str, bool, str]:
    # moto would start a container. What deploys a stack only has to hold its functions.
    error = {"errorType": "NotRun", "errorMessage": "the embedded AWS holds functions and does not run them"}
    return json.dumps(error), True, ""


_CHANGES: Mapping[type, Mapping[str, Callable[..., Any]]] = {
    LambdaFunction: {"_invoke_lambda": _not_run},
    StepFunctionResponse: {
        "validate_state_machine_definition": _validate_state_machine_definition,
        "list_state_machine_versions": _list_state_machine_versions,
    },
}


def fill_gaps() -> None:
    """Change moto's classes; doing it twice does nothing more."""
    for kind, changes in _CHANGES.items():
        for name, method in changes.items():
            setattr(kind, name, method)
