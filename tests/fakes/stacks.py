"""Stacks as users synthesise them, but with small files in place of the zips."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interlock_tf import App, Interlock, InterlockStack, InterlockWarning
from interlock_tf._cdk import AwsProvider, Construct, TerraformStack
from interlock_tf.functions import FUNCTIONS

SAMPLES = Path(__file__).parents[1] / "synth" / "samples"

MINIMAL: Mapping[str, Any] = {"environment": "dev", "pipelines_path": SAMPLES / "minimal"}
#: Everything on, everything given.
MAXIMAL: Mapping[str, Any] = {
    "environment": "prod",
    "name_suffix": "eu",
    "pipelines_path": SAMPLES / "maximal",
    "calendars_path": SAMPLES / "calendars",
    "tags": {"team": "data"},
    "kms_key_arn": "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555",
    "slack_channel_id": "C0123456789",
    "slack_secret_arn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:slack-AbCdEf",
    "sns_alarm_topic_arn": "arn:aws:sns:eu-west-1:123456789012:on-call",
    "glue_log_groups": ["/team/glue"],
    "orchestrator_environment": {"INTERLOCK_STAGE": "live"},
    "allowed_private_hosts": ["airflow.internal.example.com"],
    "sfn_log_level": "ALL",
    "extended_alarms": True,
    "deletion_protection": True,
}

_TOKENS = {
    r"\$\{data\.aws_partition\.\w+\.partition\}": "aws",
    r"\$\{data\.aws_partition\.\w+\.dns_suffix\}": "amazonaws.com",
    r"\$\{data\.aws_region\.\w+\.id\}": "eu-west-1",
    r"\$\{data\.aws_caller_identity\.\w+\.account_id\}": "123456789012",
}


@dataclass(frozen=True)
class Synthesised:
    """A stack's folder and the Terraform JSON in it."""

    folder: Path
    json: Mapping[str, Any]

    def resources(self, kind: str) -> dict[str, dict[str, Any]]:
        """The resources of a type (without ``aws_``) by name, without CDKTF's metadata."""
        found = self.json["resource"].get(f"aws_{kind}", {})
        return {name: {key: each for key, each in made.items() if key != "//"} for name, made in found.items()}

    def addresses(self) -> list[str]:
        """The Terraform address of every resource."""
        return sorted(f"{kind}.{name}" for kind, named in self.json["resource"].items() for name in named)

    def policies(self) -> dict[str, dict[str, Any]]:
        """The policies of roles by name, with account, region and partition as if they were known."""
        return {name: json.loads(known(each["policy"])) for name, each in self.resources("iam_role_policy").items()}


def known(text: str) -> str:
    """``text`` with what data sources tell filled in."""
    for pattern, value in _TOKENS.items():
        text = re.sub(pattern, value, text)
    return text


def zips_in(folder: Path) -> Path:
    """Six files by the names of the functions' zips; their content does not matter."""
    folder.mkdir(parents=True, exist_ok=True)
    for function in FUNCTIONS.values():
        (folder / f"{function.name}.zip").write_bytes(function.name.encode())
    return folder


def synthesised(folder: Path, variables: Mapping[str, Any]) -> Synthesised:
    """An ``InterlockStack`` called ``interlock``, synthesised into ``folder``."""
    app = App(outdir=str(folder / "cdktf.out"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InterlockWarning)
        InterlockStack(app, "interlock", **{"dist_path": zips_in(folder / "zips"), **variables})
    return _written(app, "interlock")


def own_stack(folder: Path, fill: Callable[[TerraformStack, Callable[..., Interlock]], None]) -> Synthesised:
    """Somebody's own stack, which ``fill`` fills; it is given the stack, and Interlock with the zips at hand."""
    app = App(outdir=str(folder / "cdktf.out"))
    stack = TerraformStack(app, "platform")
    AwsProvider(stack, "aws")
    zips = zips_in(folder / "zips")

    def interlock(id_: str = "interlock", *, scope: Construct = stack, **variables: Any) -> Interlock:
        return Interlock(scope, id_, **{**MINIMAL, "dist_path": zips, **variables})

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InterlockWarning)
        fill(stack, interlock)
    return _written(app, "platform")


def _written(app: App, stack: str) -> Synthesised:
    app.synth()
    folder = Path(app.outdir) / "stacks" / stack
    return Synthesised(folder, json.loads((folder / "cdk.tf.json").read_text(encoding="utf-8")))
