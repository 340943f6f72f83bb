"""Which addresses may be asked: pure, and about the address that is connected to, never the name that led there alone.

Policies say what is probed, and whoever may merge one would else have the daemon ask its own machine, or the cloud's metadata service
for the daemon's own identity, and put the answer into a journal that others read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import translate
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

NEVER: Final[tuple[Network, ...]] = (
    IPv4Network("169.254.169.254/32"),  # instance metadata, of Azure and others
    IPv4Network("168.63.129.16/32"),  # Azure's platform: the wire server, DNS, health probes
    IPv6Network("fd00:ec2::254/128"),  # instance metadata of AWS
)
"""What hands out identities and secrets of the machine that asks. No configuration opens it."""

SPECIAL: Final[tuple[tuple[Network, str], ...]] = (
    (IPv4Network("127.0.0.0/8"), "this machine itself"),
    (IPv6Network("::1/128"), "this machine itself"),
    (IPv4Network("0.0.0.0/8"), "this machine itself"),
    (IPv6Network("::/128"), "this machine itself"),
    (IPv4Network("169.254.0.0/16"), "link-local"),
    (IPv6Network("fe80::/10"), "link-local"),
    (IPv4Network("224.0.0.0/4"), "multicast"),
    (IPv6Network("ff00::/8"), "multicast"),
    (IPv4Network("240.0.0.0/4"), "no address of a machine"),
    (IPv6Network("::/8"), "no address of a machine"),
)
"""What only a network within it opens: `0.0.0.0/0` means the networks of machines, and not the daemon's own."""

_EMBEDDING: Final = IPv6Network("64:ff9b::/96")  # NAT64, RFC 6052: the last 32 bits are an IPv4 address


@dataclass(frozen=True, slots=True)
class Rules:
    """Names of hosts, as globs, and networks. `*` is every host with an address that isn't special."""

    hosts: tuple[str, ...] = ("*",)
    networks: tuple[Network, ...] = ()

    def refusal(self, host: str, address: str) -> str:
        """Why `address` may not be connected to for `host` (its name, or the address again); empty if it may."""
        try:
            found = _plain(ip_address(address))
        except ValueError:
            return f"{address} is no address"
        for never in NEVER:
            if found in never:
                return f"{found} hands out secrets of this machine, and is never asked"
        listed = [network for network in self.networks if found in network]
        for special, what in SPECIAL:
            if found in special:
                within = any(_is_within(network, special) for network in listed)
                return (
                    ""
                    if within
                    else f"{found} is {what}, and `egress` doesn't allow it by name: allow: [{found}]"
                )
        if listed or self._names(host):
            return ""
        told = str(found) if host == str(found) else f"{host} ({found})"
        return f"{told} isn't among what `egress` allows"

    def _names(self, host: str) -> bool:
        return "*" in self.hosts or (
            not literal(host) and _pattern(self.hosts).match(host.rstrip(".")) is not None
        )


ON_A_DESK: Final = Rules(
    networks=tuple(network for network, what in SPECIAL if what in {"this machine itself", "link-local"})
)
"""For a command that a person runs with policies of their own: this machine may be asked as well, as an emulator on it is."""


def literal(host: str) -> bool:
    """Whether a host is an address, of which nobody asks the DNS."""
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def read_network(text: str) -> Network | None:
    """An address or a network, or None for what is a name."""
    try:
        return ip_network(text.strip("[]"), strict=False)
    except ValueError:
        return None


def _plain(address: Address) -> Address:
    """An IPv4 address that is written as an IPv6 one, as itself."""
    if isinstance(address, IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour
    if inner is None and address in _EMBEDDING:
        inner = IPv4Address(int(address) & 0xFFFF_FFFF)
    return inner or IPv6Address(int(address))


def _is_within(inner: Network, outer: Network) -> bool:
    if isinstance(inner, IPv4Network):
        return isinstance(outer, IPv4Network) and inner.subnet_of(outer)
    return isinstance(outer, IPv6Network) and inner.subnet_of(outer)


@lru_cache(maxsize=64)
def _pattern(globs: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(
        "|".join(translate(glob.replace("[", "[[]")) for glob in globs) or r"(?!)", re.IGNORECASE
    )
