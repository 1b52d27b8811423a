"""Several clusters run side by side: no two slots share an address, a port or a name."""

from __future__ import annotations

import ipaddress
import itertools
import json
import socket
from typing import Any

import pytest

from hack.cluster import slots
from hack.cluster.errors import ClusterError
from hack.cluster.slots import SLOTS, Slot, free_slot


def networks(slot: Slot) -> list[Any]:
    return [slot.link, slot.pods, slot.services]


@pytest.fixture
def routes(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """The routes of the machine, for the test to add to; every port is free."""
    listed: list[dict[str, str]] = [{"dst": "default"}, {"dst": "192.0.2.0/24"}]
    monkeypatch.setattr(slots, "run", lambda *_, **__: json.dumps(listed))
    monkeypatch.setattr(slots, "_port_is_free", lambda port: True)
    return listed


def test_no_two_networks_of_all_slots_overlap() -> None:
    everything = [network for number in range(SLOTS) for network in networks(Slot(number))]
    assert not any(one.overlaps(two) for one, two in itertools.combinations(everything, 2))


def test_all_ports_and_interfaces_differ() -> None:
    ports = [
        port
        for slot in map(Slot, range(SLOTS))
        for port in (slot.api_port, slot.etcd_port, slot.etcd_peer_port, slot.dns_port)
    ]
    assert len(set(ports)) == len(ports)
    # Linux hands out ports from 32768 on to outgoing connections.
    assert max(ports) < 32768
    names = {Slot(number).host_interface for number in range(SLOTS)}
    assert len(names) == SLOTS
    assert max(map(len, names)) <= 15, "longer names of interfaces are refused by the kernel"


def test_addresses_follow_from_the_slot() -> None:
    slot = Slot(3)
    assert (slot.host_address, slot.node_address) == ("198.18.0.13", "198.18.0.14")
    assert (str(slot.pods), str(slot.services)) == ("198.19.12.0/22", "198.18.67.0/24")
    assert (slot.kubernetes_service, slot.dns_service) == ("198.18.67.1", "198.18.67.10")


def test_the_lowest_free_slot_is_given(routes: list[dict[str, str]]) -> None:
    assert free_slot({0, 1, 3}).number == 2


@pytest.mark.parametrize("foreign", ["198.18.0.0/30", "198.19.2.7", "198.18.64.0/20"])
def test_a_slot_with_a_foreign_route_is_passed_over(
    routes: list[dict[str, str]], foreign: str
) -> None:
    routes.append({"dst": foreign})
    chosen = free_slot(set())
    assert chosen.number > 0
    assert not any(each.overlaps(ipaddress.IPv4Network(foreign)) for each in networks(chosen))


def test_a_slot_with_a_port_in_use_is_passed_over(
    routes: list[dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slots, "_port_is_free", lambda port: port != Slot(0).etcd_port)
    assert free_slot(set()).number == 1


def test_a_listening_port_is_not_free() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        assert not slots._port_is_free(server.getsockname()[1])


def test_no_free_slot_is_said_with_the_way_out(routes: list[dict[str, str]]) -> None:
    with pytest.raises(ClusterError, match=r"python -m hack\.cluster status"):
        free_slot(set(range(SLOTS)))
