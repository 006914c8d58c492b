"""What a URL and a header must be, so that a job's request can be made of them.

The same rules refuse a request when a job starts, and a document at synth.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

_PORTS = {"http": 80, "https": 443}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_OWN_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection"})
_URL_CHARACTERS = "/?%:@!$&'()*+,;=~[]"


@dataclass(frozen=True)
class Target:
    """Where a request goes: a URL, taken apart."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The host, and the port where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"


def read_url(url: str) -> Target:
    """Take a URL apart.

    Raises:
        ValueError: no request can be made of it; the message says why, without repeating it.
    """
    if _CONTROL.search(url):
        raise ValueError("the URL holds a control character")
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError("the URL cannot be read; expected http[s]://host[:port]/path") from error
    if parts.scheme not in _PORTS:
        raise ValueError(f"the URL's scheme {parts.scheme!r} is refused; allowed are http and https")
    if "@" in parts.netloc:
        raise ValueError("the URL holds a user or password; put credentials into a header")
    if not host:
        raise ValueError("the URL has no host; expected http[s]://host[:port]/path")
    path = quote(parts.path or "/", safe=_URL_CHARACTERS)
    query = "?" + quote(parts.query, safe=_URL_CHARACTERS) if parts.query else ""
    return Target(parts.scheme, plain_host(host), _PORTS[parts.scheme] if port is None else port, path + query)


def plain_host(host: str) -> str:
    """A host as it is looked up and compared: ASCII, lower case, without brackets or a final dot.

    Raises:
        ValueError: it cannot be one.
    """
    try:
        return host.strip().strip("[]").rstrip(".").lower().encode("idna").decode("ascii")
    except UnicodeError as error:
        raise ValueError(f"{host!r} is not a host name") from error


def header_refusal(name: str, value: str) -> str | None:
    """Why a header cannot be sent, without its value; or None when it can."""
    if not _HEADER_NAME.fullmatch(name) or name.lower() in _OWN_HEADERS:
        return f"the header {name!r} is refused: it is not a header's name, or it is set by Interlock"
    if not _HEADER_VALUE.fullmatch(value):
        return f"the value of the header {name!r} is refused: it holds a line break, or not only Latin-1"
    return None
