"""What the tests of the job types share: a simulated AWS, the service behind a type, and the way to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from interlock_runtime.jobs.contract import Services
from tests.fakes.aws import simulated_aws
from tests.fakes.job_peers import PEERS, Peer
from tests.fakes.job_services import Disturbed, services


@pytest.fixture
def client() -> Iterator[Disturbed]:
    """Clients of a fresh simulated AWS, whose calls a test can disturb."""
    with simulated_aws():
        yield Disturbed()


@pytest.fixture
def peer(request: pytest.FixtureRequest, client: Disturbed) -> Iterator[Peer]:
    """The job service of the type that the test is run for; see ``tests.fakes.job_peers.of``."""
    with PEERS[request.param](client) as ready:
        ready.name = request.param
        client.calls.clear()
        client.actions.clear()
        yield ready


@pytest.fixture
def world(peer: Peer, client: Disturbed) -> Services:
    """Services that reach the peer, with the secrets that its job names."""
    return services(client=client, secrets=peer.secrets)
