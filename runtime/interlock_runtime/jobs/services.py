"""Puts together what the job types reach the world through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from interlock_runtime.aws.clients import Clients
from interlock_runtime.aws.secrets import Secrets
from interlock_runtime.jobs.contract import Services
from interlock_runtime.jobs.network import Network


def aws_services(
    clients: Clients, *, environment: Mapping[str, str], allowed_private_hosts: Sequence[str] = ()
) -> Services:
    """Services for a function in AWS; make them once and keep them, for they remember secrets for a while."""
    return Services(
        client=clients,
        secret=Secrets(lambda: clients.repeating("secretsmanager")).get,
        network=Network(allowed_private_hosts=allowed_private_hosts),
        environment=environment,
    )
