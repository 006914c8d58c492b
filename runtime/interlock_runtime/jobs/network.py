"""HTTP to hosts that a pipeline's document names, guarded.

The host is resolved once, every address is checked, and the connection is made to a checked
address, so that a second answer of the resolver changes nothing. Redirects are not followed. One
deadline covers everything from the look-up to the last byte.

The standard library's HTTP parser reads from a socket that is dialled here: client libraries
offer neither the checked address nor one deadline for a whole exchange in their public interface.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import TypeVar

from interlock_runtime import __version__
from interlock_runtime.core.errors import PermanentError, TransientError
from interlock_runtime.core.http_rules import Target, header_refusal, plain_host, read_url
from interlock_runtime.jobs.addresses import refusal
from interlock_runtime.jobs.in_time import in_time
from interlock_runtime.jobs.timed_socket import Deadline, TimedSocket

#: How much of a body is read, in bytes.
BODY_LIMIT = 65536

T = TypeVar("T")

Resolve = Callable[[str, int], Sequence[str]]
Dial = Callable[[str, int, float], socket.socket]


@dataclass(frozen=True, kw_only=True)
class Request:
    """One HTTP request; ``Host``, ``Content-Length`` and ``Connection`` are added to its headers."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Answer:
    """The status of an HTTP answer, and its body for whoever wants it."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self._response = response

    def body(self) -> bytes:
        """As much of the body as comes before the deadline, 64 KiB at most; an early end is no error."""
        body = bytearray()
        try:
            while len(body) < BODY_LIMIT and (piece := self._response.read1(BODY_LIMIT - len(body))):
                body += piece
        except (OSError, http.client.HTTPException):
            pass  # what came is kept; whoever needs the whole sees from its form that it is not
        return bytes(body)


def system_addresses(host: str, port: int) -> Sequence[str]:
    """The addresses of ``host``, as the system's resolver gives them.

    Raises:
        OSError: the name cannot be resolved.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(info[4][0]) for info in found))


def dial(address: str, port: int, timeout: float) -> socket.socket:
    """A TCP connection to a numeric address.

    Raises:
        OSError: it cannot be made within ``timeout`` seconds.
    """
    connection = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        connection.settimeout(timeout)
        connection.connect((address, port))
    except BaseException:
        connection.close()
        raise
    return connection


@cache
def system_trust() -> ssl.SSLContext:
    """TLS that trusts the system's certificate authorities and checks the server's name."""
    return ssl.create_default_context()


@dataclass(frozen=True, kw_only=True)
class Network:
    """What may be reached, and how. The private addresses of ``allowed_private_hosts`` (names) may be."""

    allowed_private_hosts: Sequence[str] = ()
    resolve: Resolve = system_addresses
    dial: Dial = dial
    tls: Callable[[], ssl.SSLContext] = system_trust
    monotonic: Callable[[], float] = time.monotonic

    @contextmanager
    def exchange(self, request: Request, *, timeout: float) -> Iterator[Answer]:
        """Send one request and give its answer, body included, within ``timeout`` seconds.

        Raises:
            PermanentError: the URL, a header or the host is refused, or the server's TLS is not acceptable.
            TransientError: no connection, or no answer in time.
        """
        target = _read(read_url, request.url)
        message = _message(request, target)
        deadline = Deadline(timeout, self.monotonic)
        addresses = self._checked_addresses(target, deadline)
        try:
            connection = self._connection(target, addresses, deadline)
            response = _response(connection, message, request.method, deadline)
        except (OSError, http.client.HTTPException) as error:
            raise _failure(target, error, timeout) from error
        with closing(connection), closing(response):
            yield Answer(response)

    def _checked_addresses(self, target: Target, deadline: Deadline) -> Sequence[str]:
        try:
            addresses = in_time(lambda: self.resolve(target.host, target.port), deadline)
        except OSError as error:
            raise TransientError(f"the host of {target} cannot be resolved: {error}") from error
        if not addresses:
            raise TransientError(f"the host of {target} has no address")
        allowed = target.host in (_read(plain_host, host) for host in self.allowed_private_hosts)
        for address in addresses:
            if reason := refusal(address, private_allowed=allowed):
                raise PermanentError(
                    f"{target} is refused: its address {address} is {reason}"
                    "; only private and loopback addresses can be allowed, with allowed_private_hosts"
                )
        return addresses

    def _connection(self, target: Target, addresses: Sequence[str], deadline: Deadline) -> socket.socket:
        plain = self._dialled(addresses, target.port, deadline)
        if target.scheme == "http":
            return plain
        try:
            plain.settimeout(deadline.remaining())
            return self.tls().wrap_socket(plain, server_hostname=target.host)
        except ssl.SSLError as error:
            plain.close()
            raise _tls_failure(target, error) from error
        except BaseException:
            plain.close()
            raise

    def _dialled(self, addresses: Sequence[str], port: int, deadline: Deadline) -> socket.socket:
        """A connection to the first address that takes one; each gets its share of the time left."""
        for position, address in enumerate(addresses, start=1):
            left = len(addresses) - position
            try:
                return self.dial(address, port, deadline.remaining() / (left + 1))
            except OSError:
                if not left:
                    raise
        raise AssertionError("there is at least one address")


def _read(reader: Callable[[str], T], text: str) -> T:
    try:
        return reader(text)
    except ValueError as error:
        raise PermanentError(str(error)) from error


def _message(request: Request, target: Target) -> bytes:
    headers = {"user-agent": f"User-Agent: interlock/{__version__}", "accept-encoding": "Accept-Encoding: identity"}
    for name, value in request.headers.items():
        if reason := header_refusal(name, value):
            raise PermanentError(reason)
        headers[name.lower()] = f"{name}: {value}"
    lines = (
        f"{request.method} {target.path} HTTP/1.1",
        f"Host: {target.authority}",
        f"Content-Length: {len(request.body)}",
        "Connection: close",
        *headers.values(),
    )
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + request.body


def _response(connection: socket.socket, message: bytes, method: str, deadline: Deadline) -> http.client.HTTPResponse:
    timed = TimedSocket(connection, deadline)
    try:
        timed.send(message)
        response = http.client.HTTPResponse(timed, method=method)  # type: ignore[arg-type] # only makefile is used
        response.begin()
        if response.status < 200:
            raise http.client.BadStatusLine(str(response.status))
    except BaseException:
        connection.close()
        raise
    return response


def _tls_failure(target: Target, error: ssl.SSLError) -> TransientError | PermanentError:
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return TransientError(f"no answer from {target}: it hung up before TLS was agreed on")
    if isinstance(error, ssl.SSLCertVerificationError):
        return PermanentError(f"the certificate of {target} is not acceptable: {error.verify_message}")
    return PermanentError(f"no TLS with {target}: {error.reason or error}")


def _failure(target: Target, error: Exception, timeout: float) -> TransientError:
    if isinstance(error, TimeoutError):
        return TransientError(f"{target} did not answer within {timeout:g} s")
    if not isinstance(error, OSError):
        return TransientError(f"no answer from {target}: what it sent is not HTTP ({type(error).__name__})")
    return TransientError(f"no answer from {target}: {error}")
