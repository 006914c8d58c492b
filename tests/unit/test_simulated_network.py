"""The network of simulated jobs refuses what the function's own refuses, and reaches nobody."""

from __future__ import annotations

import socket
from collections.abc import Mapping

import pytest

from interlock_runtime.core.errors import PermanentError
from interlock_runtime.jobs.network import Network, Request
from interlock_tf.local.job_services import CheckedError, guarded


def send(url: str, *, headers: Mapping[str, str] | None = None, allowed: tuple[str, ...] = ()) -> None:
    """Send a request as far as the simulation goes."""
    network = guarded(Network(allowed_private_hosts=allowed))
    with network.exchange(Request(method="POST", url=url, headers=headers or {}), timeout=5):
        raise AssertionError("something was dialled")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://169.254.169.254/latest", "cloud metadata"),
        ("http://localhost:8080/", "loopback"),
        ("http://api.localhost/", "loopback"),
        ("http://127.1/", "loopback"),
        ("http://[::1]/", "loopback"),
        ("http://10.0.0.1:8080/", "private"),
        ("https://u:p@x.example/y", "user or password"),
        ("ftp://x.example/y", "scheme"),
    ],
)
def test_a_url_that_the_network_refuses_is_refused(url: str, told: str) -> None:
    with pytest.raises(PermanentError, match=told):
        send(url)


@pytest.mark.parametrize("headers", [{"bad name": "z"}, {"Host": "z"}, {"X-Text": "a\nb"}])
def test_a_header_that_the_network_refuses_is_refused(headers: Mapping[str, str]) -> None:
    with pytest.raises(PermanentError, match="header"):
        send("https://x.example/y", headers=headers)


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://jobs.example.com/start", ()),
        ("http://8.8.8.8/", ()),
        ("http://10.0.0.1:8080/", ("10.0.0.1",)),
        ("http://localhost:8080/", ("localhost",)),
    ],
)
def test_what_the_network_lets_through_needs_no_socket(
    url: str, allowed: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", none)
    with pytest.raises(CheckedError):
        send(url, allowed=allowed)
