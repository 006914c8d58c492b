"""Which addresses a job may be sent to."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock_runtime.jobs.addresses import refusal


@pytest.mark.parametrize(
    "address",
    [
        "93.184.216.34",
        "1.1.1.1",
        "172.15.255.255",
        "172.32.0.0",
        "100.128.0.0",
        "192.0.1.0",
        "223.255.255.255",
        "2606:2800:220:1::1",
        "2a00:1450:4001::1",
        "::ffff:93.184.216.34",
        "64:ff9b::93.184.216.34",
    ],
)
def test_public_addresses_are_open(address: str) -> None:
    assert refusal(address) is None
    assert refusal(address, private_allowed=True) is None


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.0",
        "10.255.255.255",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.0.1",
        "100.64.0.1",
        "127.0.0.1",
        "::1",
        "fc00::1",
        "fd12::1",
        "::ffff:10.0.0.1",
        "64:ff9b::10.0.0.1",
    ],
)
def test_private_addresses_are_open_to_allowed_hosts_only(address: str) -> None:
    assert refusal(address) in ("private", "private (shared)", "loopback")
    assert refusal(address, private_allowed=True) is None


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.170.2",
        "168.63.129.16",
        "100.100.100.200",
        "192.0.0.192",
        "0.0.0.0",
        "0.1.2.3",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "198.18.0.1",
        "203.0.113.9",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "ff02::1",
        "fd00:ec2::254",
        "fd20:ce::254",
        "2001:db8::1",
        "2002:a00:1::",
        "2001:0:a00:1::",
        "::10.0.0.1",
        "64:ff9b:1::a00:1",
        "::ffff:169.254.169.254",
        "64:ff9b::169.254.169.254",
        "::ffff:0:a00:1",
        "4000::1",
        "fec0::1",
    ],
)
def test_other_addresses_are_open_to_nobody(address: str) -> None:
    assert refusal(address)
    assert refusal(address, private_allowed=True)


@pytest.mark.parametrize("text", ["", "localhost", "1.2.3", "::1::", "1.2.3.4/8", "0x7f.1", "2130706433"])
def test_what_is_no_address_is_refused(text: str) -> None:
    assert refusal(text) == "not an address"


@given(st.integers(0, 2**32 - 1))
def test_an_ipv4_address_is_judged_the_same_when_ipv6_carries_it(number: int) -> None:
    plain = IPv4Address(number)
    assert refusal(f"::ffff:{plain}") == refusal(str(plain)) == refusal(f"64:ff9b::{plain}")


@given(st.one_of(st.integers(0, 2**32 - 1).map(IPv4Address), st.integers(0, 2**128 - 1).map(IPv6Address)))
def test_what_python_calls_not_global_is_never_open(address: IPv4Address | IPv6Address) -> None:
    if refusal(str(address)) is None:
        assert address.is_global
