"""The node's network: a namespace of its own, joined to the host by one virtual cable.

The namespace has no other way out, so nothing of a cluster's traffic leaves the machine, the
host's firewall tables stay as they are, and cleaning up is deleting the namespace.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from hack.cluster.commands import run
from hack.cluster.errors import ClusterError
from hack.cluster.processes import wait_until
from hack.cluster.slots import Slot

_NAMESPACES = Path("/run/netns")
_NODE_INTERFACE = "eth0"


def namespace(name: str) -> str:
    """Give the network namespace of the cluster `name`."""
    return f"headgate-{name}"


def namespace_file(name: str) -> Path:
    """Give the file by which nsenter enters it."""
    return _NAMESPACES / namespace(name)


def enter(name: str) -> list[str]:
    """Give the words before a command that runs it in the cluster's network.

    `ip netns exec` would not do: it mounts /sys anew and loses the cgroup mounts below.
    """
    return ["nsenter", f"--net={namespace_file(name)}"]


def create(name: str, slot: Slot) -> None:
    """Make the namespace, the cable, and the host's routes to pods and Services."""
    own, host_end, node_end = namespace(name), slot.host_interface, _NODE_INTERFACE
    prefix = slot.link.prefixlen
    _ip(f"netns add {own}")
    _ip(f"link add {host_end} type veth peer name {node_end} netns {own}")
    _ip(f"address add {slot.host_address}/{prefix} dev {host_end}")
    _ip(f"link set {host_end} up")
    _ip(f"-netns {own} link set lo up")
    _ip(f"-netns {own} address add {slot.node_address}/{prefix} dev {node_end}")
    _ip(f"-netns {own} link set {node_end} up")
    # A program in the namespace needs some route to a Service before kube-proxy's rules see the
    # packet and turn it to a pod.
    _ip(f"-netns {own} route add {slot.services} dev {node_end} src {slot.node_address}")
    # Without these the API server cannot answer pods nor call webhooks behind Services.
    _ip(f"route add {slot.pods} via {slot.node_address}")
    _ip(f"route add {slot.services} via {slot.node_address}")
    run([*enter(name), "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"])


def remove(name: str, slot: Slot | None) -> None:
    """Delete the namespace and the cable, whatever there is of them; the routes go with it."""
    if namespace_file(name).exists():
        _ip(f"netns delete {namespace(name)}")
    if slot is not None:
        interface = Path("/sys/class/net") / slot.host_interface
        if interface.exists():
            # The kernel deletes the cable with the namespace, but only in its own time.
            subprocess.run(
                ["ip", "link", "delete", slot.host_interface],
                capture_output=True,
                timeout=30,
                check=False,
            )
        wait_until(
            lambda: not interface.exists(), 10, lambda: f"{slot.host_interface} is still there"
        )


def members(name: str) -> list[int]:
    """Give the ids of the processes in the cluster's network (those of pods have their own)."""
    if not namespace_file(name).exists():
        return []
    try:
        return [int(pid) for pid in _ip(f"netns pids {namespace(name)}").split()]
    except ClusterError:
        # After a reboot the file may be there without a namespace behind it.
        return []


def _ip(words: str) -> str:
    return run(["ip", *words.split()], timeout=30)
