"""Reads a synthesised ``cdk.tf.json``, as far as Interlock's construct writes it.

Resolves what stands in ``${…}``: attributes of resources, data sources and variables. An attribute
that only AWS would know (an ARN, a queue's URL) is derived as AWS derives it. Everything else, a
function of Terraform's language for example, is refused by name: nothing is ever half understood.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from interlock_runtime.core.documents import Pipeline
from interlock_runtime.core.errors import InterlockError
from interlock_runtime.core.reader import read

#: What ``data`` blocks say.
_DATA: Mapping[tuple[str, str], str] = {
    ("aws_region", "id"): "region",
    ("aws_region", "name"): "region",
    ("aws_caller_identity", "account_id"): "account",
    ("aws_partition", "partition"): "partition",
    ("aws_partition", "dns_suffix"): "dns_suffix",
}

#: Attributes that AWS computes; ``{name}`` and the like are attributes of the resource itself.
_COMPUTED: Mapping[str, Mapping[str, str]] = {
    "aws_cloudwatch_event_bus": {"arn": "{aws:events}event-bus/{name}"},
    "aws_cloudwatch_event_rule": {"arn": "{aws:events}rule/{bus_path}{name}", "event_bus_name": "default"},
    "aws_cloudwatch_log_group": {"arn": "{aws:logs}log-group:{name}"},
    "aws_dynamodb_table": {
        "arn": "{aws:dynamodb}table/{name}",
        "stream_arn": "{aws:dynamodb}table/{name}/stream/2026-01-01T00:00:00.000",
    },
    "aws_iam_role": {"arn": "arn:{partition}:iam::{account}:role/{name}", "id": "{name}"},
    "aws_lambda_function": {"arn": "{aws:lambda}function:{function_name}"},
    "aws_scheduler_schedule_group": {"arn": "{aws:scheduler}schedule-group/{name}"},
    "aws_sfn_state_machine": {"arn": "{aws:states}stateMachine:{name}"},
    "aws_sqs_queue": {
        "arn": "{aws:sqs}{name}",
        "id": "https://sqs.{region}.{dns_suffix}/{account}/{name}",
        "url": "https://sqs.{region}.{dns_suffix}/{account}/{name}",
    },
}

_TEMPLATE = re.compile(r"\$\$\{|%%\{|\$\{([^{}]*)\}|%\{")
_DATA_REFERENCE = re.compile(r"data\.(\w+)\.([\w-]+)\.(\w+)")
_VARIABLE = re.compile(r"var\.(\w+)")
_REFERENCE = re.compile(r"(aws_\w+)\.([\w-]+)\.(\w+)")
_FIELD = re.compile(r"\{([\w:]+)\}")


class StackError(InterlockError):
    """The stack cannot be run here, or not as it is; the message names the part."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the stack stands."""

    region: str = "us-east-1"
    account: str = "123456789012"

    @property
    def partition(self) -> str:
        """The partition of the region."""
        return "aws-cn" if self.region.startswith("cn-") else "aws-us-gov" if "-gov-" in self.region else "aws"

    @property
    def dns_suffix(self) -> str:
        """What the host names of the region's services end in."""
        return "amazonaws.com.cn" if self.region.startswith("cn-") else "amazonaws.com"


@dataclass(frozen=True)
class Configuration:
    """One stack. ``folder`` is where its assets are."""

    folder: Path
    place: Place
    variables: Mapping[str, Any]
    _document: Mapping[str, Any]
    _done: dict[tuple[str, str, str], Any] = field(default_factory=dict)

    @classmethod
    def read(
        cls, path: Path, *, place: Place | None = None, variables: Mapping[str, Any] | None = None
    ) -> Configuration:
        """Read the file, or that of a stack's folder. ``variables`` are values of Terraform variables.

        Raises:
            StackError: there is no such file, or it is not Terraform JSON.
        """
        file = path / "cdk.tf.json" if path.is_dir() else path
        try:
            document = json.loads(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise StackError(f"{file}: {error.strerror}; synthesise the stack first") from error
        except ValueError as error:
            raise StackError(f"{file}: this is not JSON: {error}") from error
        if not isinstance(document, dict) or not isinstance(document.get("resource"), dict):
            raise StackError(f"{file}: this is not the Terraform JSON of a stack")
        declared = document.get("variable", {})
        if unknown := sorted((variables or {}).keys() - declared.keys()):
            raise StackError(f"{file}: the stack has no variable {', '.join(unknown)}")
        values = {name: each["default"] for name, each in declared.items() if "default" in each}
        return cls(file.parent, place or Place(), {**values, **(variables or {})}, document)

    def kinds(self) -> frozenset[str]:
        """The types of resources that the stack has."""
        return frozenset(self._document["resource"])

    def resources(self, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """The address and the attributes of every resource of a type, with what they refer to filled in."""
        for name, attributes in sorted(self._document["resource"].get(kind, {}).items()):
            address = f"{kind}.{name}"
            if computed := _COMPUTED.get(kind):
                given = {key: self._attribute(kind, name, key) for key in computed}
            else:
                given = {}
            wanted = {key: value for key, value in attributes.items() if key not in ("//", "depends_on", "tags")}
            yield address, given | {key: self._resolved(value, address) for key, value in wanted.items()}

    def names(self, kind: str) -> Sequence[str]:
        """The names of the resources of a type."""
        return sorted(self._document["resource"].get(kind, {}))

    def attribute(self, kind: str, name: str, attribute: str) -> Any:
        """One attribute of a resource, whether the others are understood or not.

        Raises:
            StackError: there is no such resource, or the attribute is not understood here.
        """
        return self._attribute(kind, name, attribute)

    def pipeline_ids(self) -> list[str]:
        """The ids of the stack's pipelines."""
        items = (json.loads(each["item"]) for _, each in self.resources("aws_dynamodb_table_item"))
        return sorted(item["PK"]["S"].partition("#")[2] for item in items)

    def pipelines(self) -> dict[str, Pipeline]:
        """The stack's pipelines, by id."""
        items = [json.loads(each["item"]) for _, each in self.resources("aws_dynamodb_table_item")]
        found = [read(Pipeline, json.loads(item["config"]["S"])) for item in items if "config" in item]
        return {pipeline.id: pipeline for pipeline in sorted(found, key=lambda pipeline: pipeline.id)}

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs."""
        outputs = self._document.get("output", {})
        return {name: self._resolved(each["value"], f"output.{name}") for name, each in outputs.items()}

    def _resolved(self, value: Any, address: str) -> Any:
        if isinstance(value, str):
            whole = _TEMPLATE.fullmatch(value)
            if whole and whole[1] is not None:
                return self._value(whole[1].strip(), address)
            return _TEMPLATE.sub(lambda match: self._text(match, address), value)
        if isinstance(value, Mapping):
            return {key: self._resolved(each, address) for key, each in value.items()}
        if isinstance(value, list):
            return [self._resolved(each, address) for each in value]
        return value

    def _text(self, match: re.Match[str], address: str) -> str:
        if match[1] is not None:
            return str(self._value(match[1].strip(), address))
        if match[0] == "%{":
            raise StackError(f"{address}: a directive of Terraform's template language, which is not understood here")
        return match[0][1:]

    def _value(self, expression: str, address: str) -> Any:
        if (match := _DATA_REFERENCE.fullmatch(expression)) and (match[1], match[3]) in _DATA:
            return getattr(self.place, _DATA[match[1], match[3]])
        if match := _VARIABLE.fullmatch(expression):
            if match[1] not in self.variables:
                raise StackError(f"{address}: the variable {match[1]} has no value")
            return self.variables[match[1]]
        if match := _REFERENCE.fullmatch(expression):
            return self._attribute(match[1], match[2], match[3])
        raise StackError(f"{address}: the expression ${{{expression}}} is not understood here")

    def _attribute(self, kind: str, name: str, attribute: str) -> Any:
        key = (kind, name, attribute)
        if key not in self._done:
            address = f"{kind}.{name}"
            resource = self._document["resource"].get(kind, {}).get(name)
            if resource is None:
                raise StackError(f"{address} is referred to, and there is no such resource")
            if attribute in resource:
                self._done[key] = self._resolved(resource[attribute], address)
            elif attribute in _COMPUTED.get(kind, {}):
                self._done[key] = self._computed(kind, name, attribute)
            else:
                raise StackError(f"{address}: its attribute {attribute} is not known here")
        return self._done[key]

    def _computed(self, kind: str, name: str, attribute: str) -> str:
        def fill(match: re.Match[str]) -> str:
            what = match[1]
            if what.startswith("aws:"):
                place = self.place
                return f"arn:{place.partition}:{what.removeprefix('aws:')}:{place.region}:{place.account}:"
            if hasattr(self.place, what):
                return str(getattr(self.place, what))
            if what == "bus_path":
                bus = self._attribute(kind, name, "event_bus_name")
                return "" if bus == "default" else f"{bus}/"
            return str(self._attribute(kind, name, what))

        return _FIELD.sub(fill, _COMPUTED[kind][attribute])
