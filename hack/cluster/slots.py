"""Addresses and ports of clusters: each holds a numbered slot, from which all of them follow.

Several clusters run side by side because no two of them hold the same slot. The addresses are of
198.18.0.0/15, which is set aside for benchmarks (RFC 2544) and so never a real network's: a
cluster's routes cannot hide anything that its user wants to reach.
"""

from __future__ import annotations

import ipaddress
import json
import os
import shutil
import socket
from collections.abc import Collection
from dataclasses import dataclass

from hack.cluster.commands import run
from hack.cluster.errors import ClusterError

SLOTS = 60
_LINKS = ipaddress.IPv4Network("198.18.0.0/24")  # a /30 for each slot
ALL_SERVICES = ipaddress.IPv4Network("198.18.64.0/18")  # a /24 for each slot
_PODS = ipaddress.IPv4Network("198.19.0.0/16")  # a /22 for each slot
_FIRST_PORT = 26000  # below the range that Linux gives to outgoing connections
_PORTS_PER_SLOT = 4


@dataclass(frozen=True)
class Slot:
    """The addresses and ports of the cluster that holds slot `number`."""

    number: int

    @property
    def link(self) -> ipaddress.IPv4Network:
        """The network of the two ends of the cable between host and node."""
        return ipaddress.IPv4Network((int(_LINKS.network_address) + 4 * self.number, 30))

    @property
    def host_address(self) -> str:
        """The host's end: the API server listens here."""
        return str(self.link[1])

    @property
    def node_address(self) -> str:
        """The node's end."""
        return str(self.link[2])

    @property
    def pods(self) -> ipaddress.IPv4Network:
        """The addresses of pods."""
        return ipaddress.IPv4Network((int(_PODS.network_address) + 1024 * self.number, 22))

    @property
    def services(self) -> ipaddress.IPv4Network:
        """The cluster addresses of Services."""
        return ipaddress.IPv4Network((int(ALL_SERVICES.network_address) + 256 * self.number, 24))

    @property
    def kubernetes_service(self) -> str:
        """The cluster address of the API server, the first one by Kubernetes' own rule."""
        return str(self.services[1])

    @property
    def dns_service(self) -> str:
        """The cluster address of the DNS server."""
        return str(self.services[10])

    @property
    def host_interface(self) -> str:
        """The name of the host's end of the cable."""
        return f"headgate{self.number}"

    @property
    def api_port(self) -> int:
        """The port of the API server."""
        return _FIRST_PORT + _PORTS_PER_SLOT * self.number

    @property
    def etcd_port(self) -> int:
        """The port of etcd, on loopback."""
        return self.api_port + 1

    @property
    def etcd_peer_port(self) -> int:
        """The port on which etcd would meet other members, on loopback."""
        return self.api_port + 2

    @property
    def dns_port(self) -> int:
        """The port of CoreDNS, on the host's end of the cable."""
        return self.api_port + 3


def free_slot(taken: Collection[int]) -> Slot:
    """Give the first slot that no cluster in `taken` holds and that nothing else is in the way of.

    Something else is a route to a part of its networks, or a process on one of its ports, such as
    another user's cluster. The caller holds the lock that guards `taken`.
    """
    routes = _routes()
    for number in range(SLOTS):
        slot = Slot(number)
        networks = (slot.link, slot.pods, slot.services)
        if (
            number not in taken
            and not any(route.overlaps(network) for route in routes for network in networks)
            and all(
                _port_is_free(port) for port in (slot.api_port, slot.etcd_port, slot.etcd_peer_port)
            )
        ):
            return slot
    raise ClusterError(
        f"no free slot: {len(taken)} clusters run, and the addresses {_LINKS}, {ALL_SERVICES} and "
        f"{_PODS} or the ports from {_FIRST_PORT} are in use. `python -m hack.cluster status` "
        "shows this user's clusters."
    )


def _routes() -> list[ipaddress.IPv4Network]:
    if shutil.which("ip", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin") is None:
        return []
    listed = json.loads(run(["ip", "-json", "-4", "route", "show"], timeout=10) or "[]")
    return [
        ipaddress.IPv4Network(route["dst"], strict=False)
        for route in listed
        if route["dst"] != "default"
    ]


def _port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: a port whose last connections are still fading away is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
