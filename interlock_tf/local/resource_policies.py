"""Who may call a function or send to a queue: permissions of functions, policies of queues."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from interlock_tf.local.terraform_json import Configuration, Place


class Doors:
    """The resource policies of a stack, as EventBridge meets them."""

    def __init__(self, configuration: Configuration) -> None:
        self._place = configuration.place
        self._permissions = [each for _, each in configuration.resources("aws_lambda_permission")]
        self._policies = {
            each["queue_url"]: json.loads(each["policy"]) for _, each in configuration.resources("aws_sqs_queue_policy")
        }

    def function_opens(self, name: str, *, principal: str, source: str) -> bool:
        """Whether a function lets a service in on behalf of a resource."""
        return any(
            each["function_name"] in (name, name.rpartition(":")[2])
            and each["action"] == "lambda:InvokeFunction"
            and each["principal"] == principal
            and each.get("source_arn", source) == source
            for each in self._permissions
        )

    def queue_opens(self, url: str, arn: str, *, principal: str, source: str) -> bool:
        """Whether a queue lets a service in on behalf of a resource."""
        statements = self._policies.get(url, {}).get("Statement", ())
        return any(_allows(each, arn, principal, source, self._place) for each in statements)


def _allows(statement: Mapping[str, Any], arn: str, principal: str, source: str, place: Place) -> bool:
    if statement["Effect"] != "Allow" or not isinstance(statement["Principal"], Mapping):
        return False
    if principal not in _list(statement["Principal"].get("Service", ())):
        return False
    if "sqs:SendMessage" not in _list(statement["Action"]) or arn not in _list(statement["Resource"]):
        return False
    values = {"aws:SourceArn": source, "aws:SourceAccount": place.account, "aws:SecureTransport": "true"}
    return all(
        values.get(key) in _list(wanted)
        for conditions in statement.get("Condition", {}).values()
        for key, wanted in conditions.items()
    )


def _list(value: Any) -> Iterable[Any]:
    return [value] if isinstance(value, str) else value
