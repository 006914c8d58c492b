"""Servers, resolvers and certificates that mean no good."""

from __future__ import annotations

import socket
import ssl
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

#: What a server does with one connection; it stops when the client hangs up or the test is over.
Script = Callable[[socket.socket, Event], None]


@contextmanager
def raw_server(script: Script) -> Iterator[int]:
    """The port of a server that follows ``script`` on each connection."""
    over = Event()
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while not over.is_set():
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            Thread(target=converse, args=(connection,), daemon=True).start()

    def converse(connection: socket.socket) -> None:
        with connection, suppress(OSError):  # a client that has had enough hangs up
            script(connection, over)

    Thread(target=serve, daemon=True).start()
    try:
        yield int(listening.getsockname()[1])
    finally:
        over.set()
        listening.close()


def saying(text: bytes) -> Script:
    """Read the request's head, say ``text``, hang up."""

    def script(connection: socket.socket, over: Event) -> None:
        connection.recv(65536)
        connection.sendall(text)
        # What is unread when a connection is closed breaks it off, and the client may lose the answer with it.
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass

    return script


def breaking_off(text: bytes) -> Script:
    """Read the request's head, say ``text``, and reset the connection once the client has had time to read that."""

    def script(connection: socket.socket, over: Event) -> None:
        connection.recv(65536)
        connection.sendall(text)
        over.wait(0.1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return script


def endlessly(head: bytes, piece: bytes, *, pause: float = 0.0) -> Script:
    """Say ``head``, then ``piece`` again and again."""

    def script(connection: socket.socket, over: Event) -> None:
        connection.recv(65536)
        connection.sendall(head)
        while not over.is_set():
            connection.sendall(piece)
            if pause:
                time.sleep(pause)

    return script


def silent(connection: socket.socket, over: Event) -> None:
    """Accept, and neither read nor say anything."""
    over.wait(30)


class Resolver:
    """Gives its answers one after the other, the last one again and again."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self._answers[min(len(self.asked), len(self._answers)) - 1]


class Dialler:
    """Records which addresses are dialled, and connects every one of them to a local port."""

    def __init__(self, port: int, *, dead: Sequence[str] = ()) -> None:
        self._port = port
        self._dead = dead
        self.dialled: list[str] = []

    def __call__(self, address: str, port: int, timeout: float) -> socket.socket:
        self.dialled.append(address)
        if address in self._dead:
            raise ConnectionRefusedError(address)
        return socket.create_connection(("127.0.0.1", self._port), timeout)


class Authority:
    """A certificate authority that signs what it is asked to; its files are kept in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("an authority of the tests")
        may_sign = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        root = self._draft(self._name, self._key.public_key()).add_extension(may_sign, critical=True)
        root = root.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        self._file = folder / "authority.pem"
        self._file.write_bytes(root.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def client_context(self) -> ssl.SSLContext:
        """TLS of a client that trusts this authority and no other."""
        return ssl.create_default_context(cafile=str(self._file))

    def server_context(self, host: str, *, expired: bool = False) -> ssl.SSLContext:
        """TLS of a server that shows a certificate for ``host``."""
        key = ec.generate_private_key(ec.SECP256R1())
        draft = self._draft(_name(host), key.public_key(), days=20 if expired else 60)
        draft = draft.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        public = draft.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        file = self._folder / f"{host}.pem"
        file.write_bytes(private + public)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _draft(self, name: x509.Name, key: ec.EllipticCurvePublicKey, *, days: int = 60) -> x509.CertificateBuilder:
        """A certificate for ``key`` that has been valid for 30 days, and is for ``days`` in all."""
        start = datetime.now(UTC) - timedelta(days=30)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + timedelta(days=days))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(issuer, critical=False)
        )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
