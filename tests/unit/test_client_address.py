"""Whose request it is, behind proxies and without them."""

from ipaddress import ip_network

import pytest

from scoreboard.web.client_address import client_address

PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def seen_as(peer: str | None, *forwarded: str) -> str | None:
    headers = [(b"x-forwarded-for", line.encode()) for line in forwarded]
    return client_address({"client": (peer, 1) if peer else None, "headers": headers}, PROXIES)


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("192.0.2.1", (), "192.0.2.1"),
        # Nobody who is not trusted is believed.
        ("192.0.2.1", ("198.51.100.7",), "192.0.2.1"),
        ("10.0.0.1", ("198.51.100.7",), "198.51.100.7"),
        # What lies left of the first hop that is not trusted, its owner has made up.
        ("10.0.0.1", ("203.0.113.9, 198.51.100.7",), "198.51.100.7"),
        ("10.0.0.1", ("203.0.113.9, 198.51.100.7, 10.0.0.2",), "198.51.100.7"),
        ("10.0.0.1", ("203.0.113.9", "198.51.100.7", "10.0.0.2"), "198.51.100.7"),
        ("10.0.0.1", ("10.0.0.3, 10.0.0.2",), "10.0.0.3"),
        ("10.0.0.1", (), "10.0.0.1"),
        ("10.0.0.1", ("198.51.100.7, unknown",), "10.0.0.1"),
        ("10.0.0.1", ("198.51.100.7:4711",), "198.51.100.7"),
        # A customer's IPv6 addresses are as many as it likes.
        ("2001:db8:1:2:3:4:5:6", (), "2001:db8:1:2::/64"),
        ("fd00::1", ("[2001:db8:1:2::9]:4711",), "2001:db8:1:2::/64"),
        ("::ffff:10.0.0.1", ("198.51.100.7",), "198.51.100.7"),
        ("::ffff:192.0.2.1", (), "192.0.2.1"),
        (None, ("198.51.100.7",), None),
    ],
)
def test_an_address_is_the_nearest_that_is_no_proxy_of_ours(
    peer: str | None, forwarded: tuple[str, ...], expected: str | None
) -> None:
    assert seen_as(peer, *forwarded) == expected
