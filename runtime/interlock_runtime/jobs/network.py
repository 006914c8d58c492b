"""HTTP to hosts that a pipeline's document names, guarded.

The host is resolved once, every address is checked, and the connection is made to a checked
address, so that a second answer of the resolver changes nothing. Redirects are not followed. One
deadline covers everything from the look-up to the last byte.

The standard library's HTTP parser reads from a socket that is dialled here: client libraries
offer neither the checked address nor one deadline for a whole exchange in their public interface.
"""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import quote, urlsplit

from interlock_runtime import __version__
from interlock_runtime.core.errors import PermanentError, TransientError
from interlock_runtime.jobs.addresses import refusal
from interlock_runtime.jobs.in_time import in_time
from interlock_runtime.jobs.timed_socket import Deadline, TimedSocket

#: How much of a body is read, in bytes.
BODY_LIMIT = 65536

_PORTS = {"http": 80, "https": 443}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_OWN_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection"})
_URL_CHARACTERS = "/?%:@!$&'()*+,;=~[]"

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
        target = _read_url(request.url)
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

    def _checked_addresses(self, target: _Target, deadline: Deadline) -> Sequence[str]:
        try:
            addresses = in_time(lambda: self.resolve(target.host, target.port), deadline)
        except OSError as error:
            raise TransientError(f"the host of {target} cannot be resolved: {error}") from error
        if not addresses:
            raise TransientError(f"the host of {target} has no address")
        allowed = target.host in map(_plain_host, self.allowed_private_hosts)
        for address in addresses:
            if reason := refusal(address, private_allowed=allowed):
                raise PermanentError(
                    f"{target} is refused: its address {address} is {reason}"
                    "; only private and loopback addresses can be allowed, with allowed_private_hosts"
                )
        return addresses

    def _connection(self, target: _Target, addresses: Sequence[str], deadline: Deadline) -> socket.socket:
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


@dataclass(frozen=True)
class _Target:
    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"


def _read_url(url: str) -> _Target:
    if _CONTROL.search(url):
        raise PermanentError("the URL holds a control character")
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise PermanentError("the URL cannot be read; expected http[s]://host[:port]/path") from error
    if parts.scheme not in _PORTS:
        raise PermanentError(f"the URL's scheme {parts.scheme!r} is refused; allowed are http and https")
    if "@" in parts.netloc:
        raise PermanentError("the URL holds a user or password; put credentials into a header")
    if not host:
        raise PermanentError("the URL has no host; expected http[s]://host[:port]/path")
    path = quote(parts.path or "/", safe=_URL_CHARACTERS)
    query = "?" + quote(parts.query, safe=_URL_CHARACTERS) if parts.query else ""
    return _Target(parts.scheme, _plain_host(host), _PORTS[parts.scheme] if port is None else port, path + query)


def _plain_host(host: str) -> str:
    """A host as it is looked up and compared: ASCII, lower case, without brackets or a final dot."""
    try:
        return host.strip().strip("[]").rstrip(".").lower().encode("idna").decode("ascii")
    except UnicodeError as error:
        raise PermanentError(f"{host!r} is not a host name") from error


def _message(request: Request, target: _Target) -> bytes:
    headers = {"user-agent": f"User-Agent: interlock/{__version__}", "accept-encoding": "Accept-Encoding: identity"}
    for name, value in request.headers.items():
        if not _HEADER_NAME.fullmatch(name) or name.lower() in _OWN_HEADERS:
            raise PermanentError(
                f"the header {name!r} is refused: it is not a header's name, or it is set by Interlock"
            )
        if not _HEADER_VALUE.fullmatch(value):
            raise PermanentError(
                f"the value of the header {name!r} is refused: it holds a line break, or not only Latin-1"
            )
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


def _tls_failure(target: _Target, error: ssl.SSLError) -> TransientError | PermanentError:
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return TransientError(f"no answer from {target}: it hung up before TLS was agreed on")
    if isinstance(error, ssl.SSLCertVerificationError):
        return PermanentError(f"the certificate of {target} is not acceptable: {error.verify_message}")
    return PermanentError(f"no TLS with {target}: {error.reason or error}")


def _failure(target: _Target, error: Exception, timeout: float) -> TransientError:
    if isinstance(error, TimeoutError):
        return TransientError(f"{target} did not answer within {timeout:g} s")
    if not isinstance(error, OSError):
        return TransientError(f"no answer from {target}: what it sent is not HTTP ({type(error).__name__})")
    return TransientError(f"no answer from {target}: {error}")
