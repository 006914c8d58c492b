"""What every part of the construct is given: where to build, under which names, with which settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from interlock_runtime.core.errors import ConfigError, Problem
from interlock_tf._cdk import (
    Construct,
    DataAwsCallerIdentity,
    DataAwsPartition,
    DataAwsRegion,
    TerraformProvider,
    TerraformResource,
    TerraformStack,
)
from interlock_tf.batch import Batch, address_part
from interlock_tf.names import Names
from interlock_tf.settings import Settings

T = TypeVar("T", bound=TerraformResource)


@dataclass(frozen=True, kw_only=True)
class Context:
    """Passed to every ``add_…`` function.

    ``partition``, ``dns_suffix``, ``region`` and ``account_id`` are tokens, from data sources.
    ``provider`` is what creates everything; None for the one AWS provider of the stack.
    Resources are created with :meth:`add` and :meth:`add_batch` and in no other way: these name
    them in the state, beginning with ``prefix``. ``addresses`` are the names so far, by which two
    constructs in one stack are kept from colliding.
    """

    scope: Construct
    settings: Settings
    names: Names
    prefix: str
    partition: str
    dns_suffix: str
    region: str
    account_id: str
    provider: TerraformProvider | None = None
    addresses: set[str] = field(default_factory=set)

    @property
    def tags(self) -> Mapping[str, str]:
        """For every resource that can be tagged."""
        return self.settings.tags

    @classmethod
    def of(cls, scope: Construct, settings: Settings, provider: TerraformProvider | None = None) -> Context:
        """The context of a new installation in ``scope``, with its data sources."""
        names = Names(settings.environment, settings.name_suffix)
        prefix = address_prefix(scope)
        place = {}
        for name, kind in (
            ("partition", DataAwsPartition),
            ("region", DataAwsRegion),
            ("caller", DataAwsCallerIdentity),
        ):
            place[name] = kind(scope, name, provider=provider)
            place[name].override_logical_id(f"{prefix}_{name}")
        return cls(
            scope=scope,
            settings=settings,
            names=names,
            prefix=prefix,
            partition=place["partition"].partition,
            dns_suffix=place["partition"].dns_suffix,
            region=place["region"].id,
            account_id=place["caller"].account_id,
            provider=provider,
        )

    def add(self, kind: type[T], name: str, /, **arguments: Any) -> T:
        """Create a resource whose Terraform name is the construct's path and ``name``.

        ``context.add(SqsQueue, "events_dlq", name=…)`` in a construct ``interlock`` is
        ``aws_sqs_queue.interlock_events_dlq``. The name is set at once, since CDKTF writes it
        into every reference to the resource as soon as one is taken.

        Raises:
            ConfigError: there is such a resource already.
        """
        address = self.address(name)
        if (key := f"{kind.__name__}.{address}") in self.addresses:
            raise ConfigError(Problem(path=name, message="is there already; add it once"))
        made = kind(self.scope, name, provider=self.provider, **arguments)
        made.override_logical_id(address)
        self.addresses.add(key)
        return made

    def add_batch(self, kind: str, name: str, resources: Mapping[str, Mapping[str, Any]]) -> Batch | None:
        """Create many resources of the Terraform type ``kind`` at once, each under its own name.

        ``resources`` has their attributes by what follows the construct's path and ``name`` in the
        address: with ``name="pipeline"`` the key ``gold`` is ``interlock_pipeline_gold``.
        """
        if not resources:
            return None
        by_address = {self.address(f"{name}_{address_part(key)}"): each for key, each in resources.items()}
        if len(by_address) < len(resources):
            raise ConfigError(Problem(path=name, message="two ids are the same once they are part of an address"))
        self.addresses.update(f"{kind}.{address}" for address in by_address)
        if self.provider is not None:
            by_address = {address: {**each, "provider": self.provider.fqn} for address, each in by_address.items()}
        return Batch(self.scope, f"{name}_batch", kind=kind, resources=by_address)

    def address(self, name: str) -> str:
        """The Terraform name of a child of the construct."""
        return f"{self.prefix}_{name}"

    def endpoint(self, service: str) -> str:
        """The host name of a service in this region, as ``kms:ViaService`` spells it."""
        return f"{service}.{self.region}.{self.dns_suffix}"

    def arn(self, service: str, resource: str) -> str:
        """An ARN in this partition, region and account."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account_id}:{resource}"


def address_prefix(scope: Construct, *, beside: Construct | None = None) -> str:
    """The path of a construct below its stack, as the beginning of a Terraform name.

    When the name is for the stack of ``beside``, and the construct is in another, it is the whole path.
    """
    stack, path = TerraformStack.of(scope).node.path, scope.node.path
    if beside is None or TerraformStack.of(beside).node.path == stack:
        path = path.removeprefix(stack)
    name = address_part(path.strip("/").replace("/", "_"))
    return f"_{name}" if name[:1].isdigit() else name
