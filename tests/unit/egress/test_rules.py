"""Which addresses may be asked."""

from __future__ import annotations

from ipaddress import IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.egress.rules import NEVER, ON_A_DESK, Rules, literal, read_network

EVERYTHING = Rules(networks=tuple(n for n in (read_network("0.0.0.0/0"), read_network("::/0")) if n))
OURS = Rules(
    hosts=("*.corp.example", "lb.example"),
    networks=tuple(
        n for n in (read_network("10.0.0.0/8"), read_network("127.0.0.1"), read_network("fd12::/16")) if n
    ),
)

SPECIAL = [
    "127.0.0.1", "127.255.0.9", "::1", "0.0.0.0", "0.1.2.3", "::", "169.254.1.1", "fe80::1", "fe80::1%eth0", "224.0.0.1",
    "ff02::1", "255.255.255.255", "240.0.0.1", "::ffff:127.0.0.1", "::ffff:7f00:1", "64:ff9b::7f00:1", "2002:7f00:1::", "::127.0.0.1",
]  # fmt: skip
SECRETS = [
    "169.254.169.254",
    "168.63.129.16",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a83f:8110::1",
    "fd00:ec2::254",
]


@pytest.mark.parametrize(
    "address", ["10.1.2.3", "192.168.0.4", "172.16.9.9", "8.8.8.8", "fd12::7", "2001:4860::1", "100.64.0.1"]
)
@pytest.mark.parametrize("rules", [Rules(), ON_A_DESK, EVERYTHING])
def test_public_and_private_networks_are_open_by_default(rules: Rules, address: str) -> None:
    """Machines are there."""
    assert "" == rules.refusal("vm-1.corp", address) == rules.refusal(address, address)


@pytest.mark.parametrize("address", SPECIAL)
@pytest.mark.parametrize("rules", [Rules(), EVERYTHING])
def test_what_is_no_machines_is_closed_however_it_is_written(rules: Rules, address: str) -> None:
    """Also where all networks are allowed: that means those of machines."""
    assert "`egress` doesn't allow it by name" in rules.refusal("vm-1.corp", address)


@pytest.mark.parametrize("address", SECRETS)
@pytest.mark.parametrize(
    "rules",
    [Rules(), ON_A_DESK, EVERYTHING, Rules(networks=NEVER), Rules(networks=EVERYTHING.networks + NEVER)],
)
def test_what_hands_out_secrets_is_never_asked(rules: Rules, address: str) -> None:
    """Whatever the configuration says, and on anybody's desk."""
    assert rules.refusal("metadata", address).endswith(
        "hands out secrets of this machine, and is never asked"
    )


@given(st.ip_addresses(v=4, network="127.0.0.0/8"))
def test_no_loopback_passes_as_another_family(address: object) -> None:
    """Mapped, translated or tunnelled."""
    number = int(address)  # type: ignore[call-overload]
    for inside in (0xFFFF << 32 | number, 0x64FF9B << 96 | number, 0x2002 << 112 | number << 80):
        assert Rules().refusal("x", str(IPv6Address(inside)))


@pytest.mark.parametrize(
    ("host", "address", "why"),
    [
        ("web.corp.example", "203.0.113.7", ""),
        ("WEB.Corp.Example.", "203.0.113.7", ""),
        ("lb.example", "2001:db8::1", ""),
        ("10.9.9.9", "10.9.9.9", ""),
        ("localhost", "127.0.0.1", ""),
        ("corp.example", "203.0.113.7", "corp.example (203.0.113.7) isn't among what `egress` allows"),
        (
            "corp.example.evil",
            "203.0.113.7",
            "corp.example.evil (203.0.113.7) isn't among what `egress` allows",
        ),
        ("203.0.113.7", "203.0.113.7", "203.0.113.7 isn't among what `egress` allows"),
        (
            "web.corp.example",
            "127.0.0.2",
            "127.0.0.2 is this machine itself, and `egress` doesn't allow it by name: allow: [127.0.0.2]",
        ),
    ],
)
def test_a_list_is_all_there_is(host: str, address: str, why: str) -> None:
    """By name or by network; a name that is allowed doesn't open what is special."""
    assert why == OURS.refusal(host, address)


def test_a_desk_may_ask_itself() -> None:
    """An emulator is there."""
    assert "" == ON_A_DESK.refusal("localhost", "127.0.0.1") == ON_A_DESK.refusal("::1", "::1")
    assert ON_A_DESK.refusal("x", "224.0.0.1")


def test_a_literal_is_what_no_resolver_is_asked_for() -> None:
    """Everything else is a name, also if it looks like a number."""
    assert [
        literal(one) for one in ("10.0.0.1", "[::1]", "fe80::1%1", "127.1", "0x7f000001", "2130706433")
    ] == [True, True, True, False, False, False]
