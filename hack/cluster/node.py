"""The node: containerd, the kubelet and kube-proxy, closed in namespaces of their own.

A node is three directories of the cluster's state (which it sees as /run, /var/log and /var/lib),
a network namespace, and a process namespace whose first process is `node_init`. Inside, every
program finds its files where it would on a machine of its own. What the node needs from outside
lies in its /var/lib/headgate.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from hack.cluster import control_groups, network, node_cpus
from hack.cluster.binaries import binaries_directory
from hack.cluster.certificates import Authority
from hack.cluster.control_plane import (
    authority,
    component_kubeconfig,
    launch_recorded,
    node_name,
    require_alive,
)
from hack.cluster.node_init import PRIVATE
from hack.cluster.paths import on_overlay
from hack.cluster.processes import wait_until
from hack.cluster.record import ClusterRecord

PAUSE_IMAGE = "headgate.local/pause:1"
_INSIDE = "/var/lib/headgate"
_SOCKET = "/run/containerd/containerd.sock"
_INIT = "node"
_START_SECONDS = 60


def directory(record: ClusterRecord) -> Path:
    """Give the directory of the node's private trees, as the host sees it."""
    return record.directory / "node"


def containerd_socket(record: ClusterRecord) -> Path:
    """Give containerd's socket, as the host sees it."""
    return Path(f"{directory(record)}{_SOCKET}")


def init_command(record: ClusterRecord, binds: Sequence[tuple[Path, Path]] = ()) -> list[str]:
    """Give the command line that makes the node's namespaces and starts its first process.

    `binds` are (source, target) pairs of directories to show it in other places.
    """
    programs = (binaries_directory("kubernetes"), Path(f"{directory(record)}{_INSIDE}/bin"))
    return [
        *network.enter(record.name),
        "unshare",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
        # What the host unmounts (another cluster's namespace, say) vanishes here too and is not
        # kept alive by us; what the node mounts stays its own.
        "--propagation=slave",
        sys.executable,
        "-I",
        str(Path(__file__).with_name("node_init.py")),
        str(directory(record)),
        *(f"{source}={target}" for source, target in (programs, *binds)),
    ]


def inside(record: ClusterRecord, command: list[str]) -> list[str]:
    """Give the command line that runs `command` as a process of the node."""
    namespaces = f"/proc/{record.processes[_INIT].pid}/ns"
    return [
        "nsenter",
        f"--net={network.namespace_file(record.name)}",
        f"--mount={namespaces}/mnt",
        f"--pid={namespaces}/pid_for_children",
        *command,
    ]


def containerd_settings(snapshotter: str = "overlayfs") -> str:
    """Give containerd's config.toml."""
    return f"""\
version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
# Not below the host's own score: that needs CAP_SYS_RESOURCE, which root in a container lacks.
oom_score = 0

[grpc]
  address = "{_SOCKET}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE_IMAGE}"
  # For the same lack; without it every sandbox dies with "can't get final child's PID from pipe".
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{_INSIDE}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "{snapshotter}"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
"""


def network_settings(record: ClusterRecord) -> dict[str, Any]:
    """Give the CNI configuration.

    ptp routes every packet, also between two pods of the node; across a bridge, the answer of a
    pod behind a Service would pass the kernel's address translation by.
    """
    return {
        "cniVersion": "1.0.0",
        "name": "headgate",
        "plugins": [
            {
                "type": "ptp",
                "ipMasq": False,
                "ipam": {
                    "type": "host-local",
                    "dataDir": "/run/cni-addresses",
                    "ranges": [[{"subnet": str(record.slot.pods)}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            }
        ],
    }


def kubelet_settings(record: ClusterRecord) -> dict[str, Any]:
    """Give the KubeletConfiguration."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{_INSIDE}/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": f"{_INSIDE}/kubelet.crt",
        "tlsPrivateKeyFile": f"{_INSIDE}/kubelet.key",
        "containerRuntimeEndpoint": f"unix://{_SOCKET}",
        "clusterDomain": "cluster.local",
        "clusterDNS": [record.slot.dns_service],
        # The host's own name servers cannot be reached from here; waiting for them takes seconds.
        "resolvConf": f"{_INSIDE}/resolv.conf",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": control_groups.path(record.name),
        # Kubernetes 1.35 refuses version 1 unless told; CI machines still have it.
        "failCgroupV1": False,
        "enforceNodeAllocatable": ["none"],
        "failSwapOn": False,
        "oomScoreAdj": 0,
        "makeIPTablesUtilChains": False,
        # Measuring the file system fails in namespaces like ours, and the node is never Ready.
        "localStorageCapacityIsolation": False,
        # The machine's disk is not the cluster's: a full one must neither evict pods nor delete
        # images that no registry could give back.
        "evictionHard": {
            "imagefs.available": "0%",
            "imagefs.inodesFree": "0%",
            "memory.available": "0%",
            "nodefs.available": "0%",
            "nodefs.inodesFree": "0%",
        },
        "imageGCHighThresholdPercent": 100,
        "imageMaximumGCAge": "0s",
        # Pods start as fast as the runtime can, not one after the other.
        "serializeImagePulls": False,
        "kubeAPIQPS": 100,
        "kubeAPIBurst": 200,
        "eventRecordQPS": 0,
        "maxPods": 250,
        "volumePluginDir": "/var/lib/kubelet/volume-plugins",
    }


def kube_proxy_settings(record: ClusterRecord) -> dict[str, Any]:
    """Give the KubeProxyConfiguration."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clientConnection": {"kubeconfig": f"{_INSIDE}/kube-proxy.kubeconfig", "qps": 100},
        "clusterCIDR": str(record.slot.pods),
        "hostnameOverride": node_name(record),
        "oomScoreAdj": 0,
        # The table's size belongs to the machine; setting it from a namespace is refused.
        "conntrack": {"maxPerCore": 0, "min": 0},
        # Traffic to a Service changes direction within a tenth of a second (default: 1 s).
        "nftables": {"minSyncPeriod": "100ms"},
    }


def prepare(record: ClusterRecord) -> None:
    """Write the node's directories and make its control groups and its network."""
    root = directory(record)
    for private in PRIVATE:
        Path(f"{root}{private}").mkdir(parents=True)
    files = Path(f"{root}{_INSIDE}")
    for made in ("bin", "cni"):
        (files / made).mkdir(parents=True)
    (files / "resolv.conf").touch()
    (files / "containerd.toml").write_text(
        containerd_settings("native" if on_overlay(root) else "overlayfs")
    )
    (files / "cni" / "10-headgate.conflist").write_text(json.dumps(network_settings(record)))
    (files / "kubelet.yaml").write_text(yaml.safe_dump(kubelet_settings(record)))
    (files / "kube-proxy.yaml").write_text(yaml.safe_dump(kube_proxy_settings(record)))
    control_groups.create(record.name)
    network.create(record.name, record.slot)


def start_runtime(record: ClusterRecord) -> None:
    """Start the node's first process and containerd, and wait until containerd answers."""
    binds = node_cpus.create(directory(record) / "devices")
    launch_recorded(record, _INIT, init_command(record, binds))
    _wait_for_file(record, Path(f"{directory(record)}/run/ready"))
    settings = f"{_INSIDE}/containerd.toml"
    launch_recorded(record, "containerd", inside(record, ["containerd", f"--config={settings}"]))
    _wait_for_file(record, containerd_socket(record))


def start_agents(record: ClusterRecord) -> None:
    """Start the kubelet and kube-proxy; the API server must have written its files by now."""
    keys: Authority = authority(record)
    files = Path(f"{directory(record)}{_INSIDE}")
    for needed in (
        keys.certificate("ca"),
        keys.certificate("kubelet"),
        keys.key("kubelet"),
        component_kubeconfig(record, "kubelet"),
        component_kubeconfig(record, "kube-proxy"),
    ):
        shutil.copy(needed, files)
    kubelet = [
        f"{_INSIDE}/bin/kubelet",
        f"--config={_INSIDE}/kubelet.yaml",
        f"--kubeconfig={_INSIDE}/kubelet.kubeconfig",
        f"--hostname-override={node_name(record)}",
        f"--node-ip={record.slot.node_address}",
    ]
    launch_recorded(record, "kubelet", inside(record, kubelet))
    proxy = [f"{_INSIDE}/bin/kube-proxy", f"--config={_INSIDE}/kube-proxy.yaml"]
    launch_recorded(record, "kube-proxy", inside(record, proxy))


def _wait_for_file(record: ClusterRecord, path: Path) -> None:
    def there() -> bool:
        require_alive(record)
        return path.exists()

    wait_until(there, _START_SECONDS, lambda: f"{path} has not appeared")
