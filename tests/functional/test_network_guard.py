"""The guard against a hostile world: servers, resolvers and certificates that mean no good."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from threading import enumerate as enumerate_threads
from typing import Any

import pytest

from interlock_runtime.core.errors import PermanentError, TransientError
from interlock_runtime.jobs import registry
from interlock_runtime.jobs.contract import Category, Failed, Started, Succeeded
from interlock_runtime.jobs.in_time import MOST_THREADS
from interlock_runtime.jobs.network import Network, Request
from tests.fakes.hostile import Authority, Dialler, Resolver, endlessly, raw_server, saying, silent
from tests.fakes.job_services import job_of, run_context, services
from tests.fakes.web_server import Received, Reply, WebServer

PUBLIC = "93.184.216.34"
OTHER_PUBLIC = "2606:2800:220:1:248:1893:25c8:1946"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def never(address: str, port: int, timeout: float) -> socket.socket:
    raise AssertionError(f"{address} was dialled")


def get(network: Network, url: str, *, timeout: float = 5.0, **request: Any) -> tuple[int, bytes]:
    with network.exchange(Request(method="GET", url=url, **request), timeout=timeout) as answer:
        return answer.status, answer.body()


def start_http(url: str, *, network: Network | None = None, **config: Any) -> Started:
    return registry.start(job_of("http", url=url, **config), run_context(), services(network=network))


@contextmanager
def within(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0177.0.0.1",
        "017700000001",
        "0x7f.0.0.1",
        "0x7f000001",
        "0",
        "0.0.0.0",
        "localhost",
        "LOCALHOST.",
        "10.0.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "2852039166",
        "0xa9fea9fe",
        "0251.0376.0251.0376",
        "168.63.129.16",
        "100.100.100.200",
        "192.0.0.192",
        "224.0.0.1",
        "255.255.255.255",
        "[::]",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::ffff:169.254.169.254]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[64:ff9b::a9fe:a9fe]",
        "[64:ff9b:1::a9fe:a9fe]",
        "[2002:7f00:1::]",
        "[2001:0:7f00:1::]",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "[fd00::1]",
        "[ff02::1]",
        "\uff11\uff12\uff17.\uff10.\uff10.\uff11",
        "127\u30020\u30020\u30021",
    ],
)
@pytest.mark.parametrize("kind", ["http", "airflow", "databricks"])
def test_an_address_inside_is_refused_in_every_notation(kind: str, host: str) -> None:
    config = {
        "http": {"url": f"http://{host}/"},
        "airflow": {"url": f"http://{host}", "dagId": "gold"},
        "databricks": {"workspaceUrl": f"http://{host}", "jobId": 1},
    }[kind]
    with pytest.raises(PermanentError, match="is refused: its address"):
        registry.start(job_of(kind, **config), run_context(), services(network=Network(dial=never)))


@pytest.mark.parametrize("position", [0, 1, 2])
def test_one_inside_address_among_others_is_enough_to_refuse(position: int) -> None:
    addresses = [PUBLIC, OTHER_PUBLIC]
    addresses.insert(position, "::ffff:10.0.0.1")
    with pytest.raises(PermanentError, match=r"::ffff:10\.0\.0\.1 is private"):
        get(Network(resolve=Resolver(addresses), dial=never), "https://jobs.example/")


def test_a_resolver_that_changes_its_answer_is_asked_once_and_the_checked_address_is_dialled() -> None:
    resolver = Resolver([PUBLIC], ["127.0.0.1"])
    with WebServer(lambda received: Reply(200, {"host": received.headers["host"]})) as server:
        dialler = Dialler(server.port)
        status, body = get(Network(resolve=resolver, dial=dialler), "http://rebind.example:8080/x")
    assert (status, json.loads(body)) == (200, {"host": "rebind.example:8080"})
    assert resolver.asked == ["rebind.example"]
    assert dialler.dialled == [PUBLIC]


def test_the_next_checked_address_is_dialled_when_one_is_dead() -> None:
    with WebServer() as server:
        dialler = Dialler(server.port, dead=[OTHER_PUBLIC])
        status, _ = get(Network(resolve=Resolver([OTHER_PUBLIC, PUBLIC]), dial=dialler), "http://jobs.example/")
    assert status == 200
    assert dialler.dialled == [OTHER_PUBLIC, PUBLIC]


def test_a_dead_address_leaves_the_others_their_share_of_the_time() -> None:
    shares: list[float] = []

    def dead(address: str, port: int, timeout: float) -> socket.socket:
        shares.append(timeout)
        raise TimeoutError(address)

    network = Network(resolve=Resolver(["1.1.1.1", "1.0.0.1", PUBLIC]), dial=dead, monotonic=lambda: 0.0)
    with pytest.raises(TransientError, match="did not answer within 6 s"):
        get(network, "http://jobs.example/", timeout=6)
    assert shares == [2.0, 3.0, 6.0]  # the clock stands still: a third, a half and all of what is left


@pytest.mark.parametrize("allowed", ["airflow.internal", "AIRFLOW.Internal."])
@pytest.mark.parametrize("address", ["10.1.2.3", "fd12:3456::7", "127.0.0.1", "100.64.0.9"])
def test_an_allowed_host_may_have_private_addresses(allowed: str, address: str) -> None:
    with WebServer() as server:
        dialler = Dialler(server.port)
        network = Network(allowed_private_hosts=[allowed], resolve=Resolver([address]), dial=dialler)
        assert get(network, "http://airflow.internal/")[0] == 200
    assert dialler.dialled == [address]


@pytest.mark.parametrize("address", ["169.254.169.254", "fd00:ec2::254", "fe80::1", "224.0.0.1", "0.0.0.0", "::"])
def test_an_allowed_host_may_not_have_metadata_addresses(address: str) -> None:
    network = Network(allowed_private_hosts=["airflow.internal"], resolve=Resolver([address]), dial=never)
    with pytest.raises(PermanentError, match="is refused: its address"):
        get(network, "http://airflow.internal/")


@pytest.mark.parametrize("host", ["other.internal", "airflow.internal.example", "x.airflow.internal"])
def test_allowing_one_host_allows_no_other(host: str) -> None:
    network = Network(allowed_private_hosts=["airflow.internal"], resolve=Resolver(["10.1.2.3"]), dial=never)
    with pytest.raises(PermanentError, match="allowed_private_hosts"):
        get(network, f"http://{host}/")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("ftp://jobs.example/", "scheme 'ftp' is refused"),
        ("file:///etc/passwd", "scheme 'file' is refused"),
        ("jobs.example/run", "scheme '' is refused"),
        ("http://", "has no host"),
        ("http:///run", "has no host"),
        ("http://user:pass@jobs.example/", "credentials into a header"),
        ("http://jobs.example\\@10.0.0.1/", "credentials into a header"),
        ("http://jobs.example:99999/", "cannot be read"),
        ("http://[::1/", "cannot be read"),
        ("http://jobs.example/\r\nHost: 10.0.0.1", "control character"),
        ("http://jo\tbs.example/", "control character"),
        ("http://" + "a" * 70 + "\u00e4.example/", "not a host name"),
        ("http://" + "a" * 70 + ".example/", "not a host name"),
        ("http://jobs..example/", "not a host name"),
    ],
)
def test_a_url_that_is_not_one_is_refused(url: str, told: str) -> None:
    with pytest.raises(PermanentError, match=told.replace("\\", "\\\\")):
        get(Network(resolve=Resolver([PUBLIC]), dial=never), url)


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "a\r\nHost: 10.0.0.1"},
        {"Authorization": "\u20ac10.0.0.1"},
        {"A b": "c"},
        {"": "c"},
        {"host": "10.0.0.1"},
        {"Content-Length": "0"},
        {"Transfer-Encoding": "chunked"},
    ],
)
def test_a_header_that_would_change_the_request_is_refused_without_telling_its_value(headers: dict[str, str]) -> None:
    with pytest.raises(PermanentError, match="the header") as refused:
        get(Network(resolve=Resolver([PUBLIC]), dial=never), "http://jobs.example/", headers=headers)
    assert "10.0.0.1" not in str(refused.value)


def test_paths_and_queries_arrive_as_they_were_meant() -> None:
    with WebServer() as server:
        url = f"http://jobs.example:{server.port}/a b/%C3%A4/\u00e4?q=1&r=a b#fragment"
        get(Network(resolve=Resolver([PUBLIC]), dial=Dialler(server.port)), url)
        received = server.received[0]
    assert received.path == "/a%20b/%C3%A4/%C3%A4"
    assert received.query == {"q": ["1"], "r": ["a b"]}


def test_redirects_are_not_followed() -> None:
    def redirect(received: Received) -> Reply:
        return Reply(302, headers={"Location": f"http://127.0.0.1:{inside.port}/"})

    with WebServer() as inside, WebServer(redirect) as server:
        network = Network(resolve=Resolver([PUBLIC]), dial=Dialler(server.port))
        assert start_http("http://jobs.example/", network=network).ended == Succeeded()
        airflow = job_of("airflow", url="http://jobs.example", dagId="gold")
        with pytest.raises(PermanentError, match="redirect"):
            registry.start(airflow, run_context(), services(network=network))
    assert len(server.received) == 2
    assert inside.received == []


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 500 No\r\n\r\n",
        b"HTTP/1.1 500 No\r\nContent-Length: 1000000000000\r\n\r\n",
        b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
    ids=["until-close", "long", "chunked"],
)
def test_an_endless_body_is_read_up_to_64_kib_and_told_up_to_512_printable_characters(head: bytes) -> None:
    text = b"\x00\x1b[31m\xff" + b"spam \xc3\xa4 " * 1000
    piece = b"%x\r\n%s\r\n" % (len(text), text) if b"chunked" in head else text
    with raw_server(endlessly(head, piece)) as port, within(3):
        ended = start_http(f"http://127.0.0.1:{port}/").ended
        status, body = get(Network(allowed_private_hosts=["127.0.0.1"]), f"http://127.0.0.1:{port}/")
    assert (status, len(body)) == (500, 65536)
    assert isinstance(ended, Failed)
    told = ended.message.removeprefix("answered with HTTP 500: ")
    assert len(told) == 512
    assert told.isprintable()
    assert told.startswith("[31m\ufffdspam \u00e4 spam")


@pytest.mark.parametrize(
    "script",
    [
        endlessly(b"", b"H", pause=0.02),
        endlessly(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", pause=0.02),
        endlessly(b"HTTP/1.1 200 OK\r\nX: ", b"y", pause=0.02),
        endlessly(b"", b"HTTP/1.1 100 Continue\r\n\r\n", pause=0.001),
        silent,
    ],
    ids=["status", "headers", "one-header", "continue", "silence"],
)
def test_a_slow_drip_ends_at_the_deadline(script: Any) -> None:
    with raw_server(script) as port, within(1.5), pytest.raises(TransientError, match=r"did not answer within 0\.4 s"):
        get(Network(allowed_private_hosts=["127.0.0.1"]), f"http://127.0.0.1:{port}/", timeout=0.4)


@pytest.mark.parametrize("size", [b"-5", b"zz", b"f" * 60_000, b""])
def test_a_chunk_of_an_impossible_size_ends_the_body(size: bytes) -> None:
    said = b"HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nspoil\r\n" + size + b"\r\nmore\r\n"
    with raw_server(saying(said)) as port, within(2):
        ended = start_http(f"http://127.0.0.1:{port}/").ended
    assert isinstance(ended, Failed)
    assert ended.message.startswith("answered with HTTP 500: spoil")


def test_a_body_that_drips_ends_at_the_deadline_and_what_came_is_told() -> None:
    script = endlessly(b"HTTP/1.1 503 Busy\r\n\r\nbusy", b".", pause=0.05)
    with raw_server(script) as port, within(3):
        ended = start_http(f"http://127.0.0.1:{port}/", timeout=1).ended
    assert isinstance(ended, Failed)
    assert ended.message.startswith("answered with HTTP 503: busy..")
    assert ended.category is Category.TRANSIENT


def test_a_success_does_not_wait_for_a_body_that_drips() -> None:
    script = endlessly(b"HTTP/1.1 200 OK\r\n\r\n", b".", pause=0.05)
    with raw_server(script) as port, within(1.5):
        assert start_http(f"http://127.0.0.1:{port}/", timeout=30).ended == Succeeded()


def test_a_server_that_does_not_read_ends_at_the_deadline() -> None:
    network, body = Network(allowed_private_hosts=["127.0.0.1"]), b"x" * 50_000_000
    with raw_server(silent) as port, within(2), pytest.raises(TransientError, match="did not answer within"):
        get(network, f"http://127.0.0.1:{port}/", body=body, timeout=0.4)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 099 Odd\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n",
        b"x" * 200_000,
    ],
    ids=["nothing", "ssh", "no-status", "099", "103", "many-headers", "noise"],
)
def test_an_answer_that_is_not_http_is_no_answer(said: bytes) -> None:
    with raw_server(saying(said)) as port, pytest.raises(TransientError, match="no answer from") as failed:
        get(Network(allowed_private_hosts=["127.0.0.1"]), f"http://127.0.0.1:{port}/")
    assert len(str(failed.value)) < 700


def test_a_connection_refused_is_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(TransientError, match="no answer from"):
        get(Network(allowed_private_hosts=["127.0.0.1"]), f"http://127.0.0.1:{port}/")


def test_a_name_that_cannot_be_resolved_may_be_tried_again() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(TransientError, match="cannot be resolved"):
        get(Network(resolve=unknown, dial=never), "https://nowhere.example/")
    with pytest.raises(TransientError, match="has no address"):
        get(Network(resolve=Resolver([]), dial=never), "https://nowhere.example/")


class Unanswering:
    """A resolver that says nothing until it is let go."""

    def __init__(self) -> None:
        self.over = Event()
        self.asked = 0
        self._before = set(enumerate_threads())

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked += 1
        self.over.wait(30)
        return ["127.0.0.1"]

    def waiting(self) -> set[Thread]:
        """The threads that have come up since."""
        return set(enumerate_threads()) - self._before


@pytest.fixture
def unanswering() -> Iterator[Unanswering]:
    resolver = Unanswering()
    yield resolver
    resolver.over.set()
    for thread in resolver.waiting():
        thread.join(5)


def test_a_resolver_that_does_not_answer_ends_at_the_deadline(unanswering: Unanswering) -> None:
    network = Network(resolve=unanswering, dial=never)
    told = r"the host of http://jobs\.example cannot be resolved: no answer in time"
    with within(2), pytest.raises(TransientError, match=told):
        get(network, "http://jobs.example/", timeout=0.2)


def test_look_ups_that_are_left_behind_do_not_add_up(unanswering: Unanswering) -> None:
    network = Network(resolve=unanswering, dial=never)
    for _ in range(MOST_THREADS + 3):
        with within(2), pytest.raises(TransientError, match="cannot be resolved"):
            get(network, "http://jobs.example/", timeout=0.05)
    assert len(unanswering.waiting()) == unanswering.asked == MOST_THREADS
    assert all(thread.daemon for thread in unanswering.waiting())


def test_look_ups_that_end_late_make_room_for_others(unanswering: Unanswering) -> None:
    for _ in range(MOST_THREADS):
        with pytest.raises(TransientError):
            get(Network(resolve=unanswering, dial=never), "http://jobs.example/", timeout=0.05)
    unanswering.over.set()
    with WebServer() as server:
        network = Network(resolve=Resolver([PUBLIC]), dial=Dialler(server.port))
        assert get(network, "http://jobs.example/")[0] == 200


def test_an_unforeseen_error_of_the_resolver_is_raised_where_it_was_asked() -> None:
    def broken(host: str, port: int) -> list[str]:
        raise LookupError(host)

    for _ in range(MOST_THREADS + 1):  # each leaves room for the next
        with pytest.raises(LookupError, match=r"jobs\.example"):
            get(Network(resolve=broken, dial=never), "http://jobs.example/")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def test_tls_checks_the_name_in_the_url_though_an_address_is_dialled(authority: Authority) -> None:
    named: list[str | None] = []
    context = authority.server_context("jobs.example")
    context.sni_callback = lambda _socket, name, _context: named.append(name)
    with WebServer(tls=context) as server:
        network = Network(resolve=Resolver([PUBLIC]), dial=Dialler(server.port), tls=authority.client_context)
        assert get(network, "https://JOBS.example./")[0] == 200
    assert named == ["jobs.example"]


def test_a_certificate_of_another_host_is_refused(authority: Authority) -> None:
    with WebServer(tls=authority.server_context("other.example")) as server:
        network = Network(resolve=Resolver([PUBLIC]), dial=Dialler(server.port), tls=authority.client_context)
        with pytest.raises(PermanentError, match=r"certificate of https://jobs\.example is not acceptable: Hostname"):
            get(network, "https://jobs.example/")
    assert server.received == []


def test_an_expired_certificate_is_refused(authority: Authority) -> None:
    with WebServer(tls=authority.server_context("jobs.example", expired=True)) as server:
        network = Network(resolve=Resolver([PUBLIC]), dial=Dialler(server.port), tls=authority.client_context)
        with pytest.raises(PermanentError, match="is not acceptable: certificate has expired"):
            get(network, "https://jobs.example/")


def test_an_authority_that_the_system_does_not_know_is_refused(authority: Authority) -> None:
    with WebServer(tls=authority.server_context("jobs.example")) as server:
        network = Network(resolve=Resolver([PUBLIC]), dial=Dialler(server.port))
        with pytest.raises(PermanentError, match="is not acceptable"):
            get(network, "https://jobs.example/")
    assert server.received == []


def test_a_server_without_tls_is_refused() -> None:
    with raw_server(saying(OK)) as port:
        network = Network(allowed_private_hosts=["127.0.0.1"])
        with pytest.raises(PermanentError, match="no TLS with"):
            get(network, f"https://127.0.0.1:{port}/")


def test_a_handshake_that_never_ends_ends_at_the_deadline() -> None:
    def dribble(connection: socket.socket, over: Event) -> None:
        connection.recv(65536)
        connection.sendall(b"\x16\x03\x03\x40\x00")
        while not over.wait(0.02):
            connection.sendall(b"\x02")

    with raw_server(dribble) as port, within(1.5), pytest.raises(TransientError, match="did not answer within"):
        get(Network(allowed_private_hosts=["127.0.0.1"]), f"https://127.0.0.1:{port}/", timeout=0.4)


def test_a_server_that_hangs_up_in_the_handshake_may_be_tried_again(tmp_path: Path) -> None:
    with raw_server(saying(b"")) as port, pytest.raises(TransientError, match="no answer from"):
        get(Network(allowed_private_hosts=["127.0.0.1"]), f"https://127.0.0.1:{port}/")


def test_tls_that_breaks_after_the_request_leaves_open_what_became_of_it(authority: Authority) -> None:
    context = authority.server_context("jobs.example")

    def break_off(connection: socket.socket, over: Event) -> None:
        with context.wrap_socket(connection, server_side=True) as agreed:
            agreed.recv(65536)
            socket.socket.sendall(agreed, b"this is no TLS record")
            over.wait(1)

    with raw_server(break_off) as port:
        network = Network(resolve=Resolver([PUBLIC]), dial=Dialler(port), tls=authority.client_context)
        with pytest.raises(TransientError, match="no answer from"):
            get(network, "https://jobs.example/")


def test_the_systems_trust_checks_names_and_certificates() -> None:
    context = Network().tls()
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
