"""Addresses of clients on the network, however the proxy that names them writes them."""

from ipaddress import IPv6Address, IPv6Network, ip_address

IPV6_PREFIX = 64
"""How many bits of an IPv6 address name a subscriber; the rest is theirs (RFC 6177, RFC 4291)."""


def plain_address(text: str) -> str | None:
    """Return an address without port, brackets and zone, or None for what is none.

    An IPv4 address that is written as IPv6 (`::ffff:203.0.113.6`) is given as IPv4.
    """
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


def subscriber_of(address: str) -> str:
    """Return what one subscriber holds: an IPv4 address, or the /64 of an IPv6 one."""
    if ":" not in address:
        return address
    return str(IPv6Network((address, IPV6_PREFIX), strict=False))
