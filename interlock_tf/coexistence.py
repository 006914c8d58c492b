"""Several installations in one stack: addresses that differ, and versions that suit all of them."""

from __future__ import annotations

from collections.abc import Sequence

from interlock_runtime.core.errors import ConfigError, Problem
from interlock_tf._cdk import TerraformStack
from interlock_tf.context import Context
from interlock_tf.settings import PROVIDER_SINCE, Settings

#: The Terraform that this is made for, and tested with.
TERRAFORM = ">= 1.5"


def refuse_collisions(new: Context, others: Sequence[Context]) -> None:
    """Refuse a new installation that could not stand beside the others of its stack.

    Raises:
        ConfigError: a Terraform address or the physical names would be the same.
    """
    for other in others:
        if new.names == other.names:
            raise ConfigError(
                Problem(
                    path="environment",
                    message=f"{new.settings.environment!r} has an installation in this stack already "
                    f"({other.scope.node.path}); give another environment or a name_suffix",
                )
            )
        if same := sorted(new.addresses & other.addresses):
            raise ConfigError(
                Problem(
                    path=new.scope.node.path,
                    message=f"has the Terraform address {same[0]}, and so has {other.scope.node.path}; "
                    "give the construct another id",
                )
            )


def require_versions(stack: TerraformStack, installations: Sequence[Settings]) -> None:
    """Ask for the lowest versions that know what is used, and not for the one that the bindings were made from."""
    since = max((PROVIDER_SINCE[each.lambda_runtime] for each in installations), key=_numbers)
    stack.add_override("terraform.required_version", TERRAFORM)
    stack.add_override("terraform.required_providers.aws.source", "hashicorp/aws")
    stack.add_override("terraform.required_providers.aws.version", f">= {since}")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
