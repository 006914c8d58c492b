"""Which network addresses a job may be sent to.

The tables follow the IANA registries of special-purpose addresses, and are written out here
because what ``ipaddress`` calls global differs between Python versions. An IPv6 address that
carries an IPv4 address to where packets really go is judged by the latter.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

#: Refused always: no service that a job could live on answers there, or none that a job should reach.
_NEVER = {
    "169.254.0.0/16": "link-local; cloud metadata is served there",
    "168.63.129.16/32": "a cloud provider's metadata service",
    "100.100.100.200/32": "a cloud provider's metadata service",
    "192.0.0.0/24": "reserved for protocols; a cloud provider's metadata is served there",
    "fd00:ec2::/32": "a cloud provider's metadata service",
    "fd20:ce::/32": "a cloud provider's metadata service",
    "fe80::/10": "link-local",
    "0.0.0.0/8": "unspecified",
    "::/128": "unspecified",
    "224.0.0.0/4": "multicast",
    "ff00::/8": "multicast",
    "240.0.0.0/4": "reserved or broadcast",
    "192.0.2.0/24": "for documentation",
    "198.51.100.0/24": "for documentation",
    "203.0.113.0/24": "for documentation",
    "2001:db8::/32": "for documentation",
    "3fff::/20": "for documentation",
    "192.88.99.0/24": "a relay's",
    "198.18.0.0/15": "for benchmarks",
    "2001::/23": "reserved for protocols and tunnels",
    "2002::/16": "a tunnel's",
}

#: Refused unless the host is one of ``allowed_private_hosts``.
_PRIVATE = {
    "10.0.0.0/8": "private",
    "172.16.0.0/12": "private",
    "192.168.0.0/16": "private",
    "100.64.0.0/10": "private (shared)",
    "fc00::/7": "private",
    "127.0.0.0/8": "loopback",
    "::1/128": "loopback",
}

_GLOBAL_V6 = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")


def _networks(table: dict[str, str]) -> tuple[tuple[IPv4Network | IPv6Network, str], ...]:
    return tuple((IPv6Network(text) if ":" in text else IPv4Network(text), word) for text, word in table.items())


_NEVER_NETWORKS = _networks(_NEVER)
_PRIVATE_NETWORKS = _networks(_PRIVATE)


def refusal(address: str, *, private_allowed: bool = False) -> str | None:
    """Why a job may not be sent to ``address``, in words, or None when it may.

    ``private_allowed`` opens private and loopback addresses, never metadata, link-local,
    multicast or unspecified ones. What is not an address at all is refused.
    """
    try:
        found = _effective(ip_address(address.partition("%")[0]))
    except ValueError:
        return "not an address"
    for network, word in _NEVER_NETWORKS:
        if found in network:
            return word
    for network, word in _PRIVATE_NETWORKS:
        if found in network:
            return None if private_allowed else word
    if isinstance(found, IPv6Address) and found not in _GLOBAL_V6:
        return "reserved"
    return None


def _effective(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address
