"""The control plane: etcd, the API server, and (for pods) the controllers and the scheduler.

They run as processes of the host. In a whole cluster the API server listens on the host's end of
the cable to the node, where the node and its pods reach it; a control plane alone stays on
loopback. The functions that give command lines are pure; `start` is where things happen.
"""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from ipaddress import IPv4Network
from pathlib import Path

from hack.cluster.binaries import program
from hack.cluster.certificates import Authority, Identity
from hack.cluster.commands import tail
from hack.cluster.errors import ClusterError
from hack.cluster.processes import alive, launch, wait_until
from hack.cluster.record import ClusterRecord
from hack.cluster.slots import ALL_SERVICES

ADMINISTRATOR = "administrator"
AUDIT_POLICY = Path(__file__).with_name("audit.yaml")
SERVICE_ACCOUNT_ISSUER = "https://kubernetes.default.svc.cluster.local"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LOOPBACK = "127.0.0.1"
_READY_SECONDS = 90
_REQUEST_SECONDS = 5


def api_address(record: ClusterRecord) -> str:
    """Give the address on which the API server listens."""
    return _LOOPBACK if record.control_plane_only else record.slot.host_address


def api_url(record: ClusterRecord) -> str:
    """Give the API server's URL."""
    return f"https://{api_address(record)}:{record.slot.api_port}"


def authority(record: ClusterRecord) -> Authority:
    """Give the cluster's certificate authority."""
    return Authority(record.directory / "certificates")


def node_name(record: ClusterRecord) -> str:
    """Give the name of the cluster's only node."""
    return f"headgate-{record.name}"


def component_kubeconfig(record: ClusterRecord, identity: str) -> Path:
    """Give the kubeconfig file of one part of the cluster."""
    return record.directory / f"{identity}.kubeconfig"


def identities(record: ClusterRecord) -> list[Identity]:
    """Give whom the authority signs for: servers with their addresses, clients with their roles."""
    slot = record.slot
    server = Identity(
        "kube-apiserver",
        "kube-apiserver",
        addresses=(api_address(record), slot.kubernetes_service),
        hosts=tuple(
            ".".join(("kubernetes", "default", "svc", "cluster", "local")[:parts])
            for parts in (1, 2, 3, 5)
        ),
    )
    common = [server, Identity(ADMINISTRATOR, ADMINISTRATOR, "system:masters")]
    controllers = Identity("kube-controller-manager", "system:kube-controller-manager")
    if record.control_plane_only:
        return [*common, controllers]
    node = f"system:node:{node_name(record)}"
    return [
        *common,
        controllers,
        Identity("kube-scheduler", "system:kube-scheduler"),
        Identity("kube-proxy", "system:kube-proxy"),
        # `kubectl logs` and `exec`: the API server calls the kubelet by the node's address, and
        # believes only a certificate that names it.
        Identity("kubelet", node, "system:nodes", addresses=(slot.node_address,)),
        Identity("kubelet-client", "kube-apiserver-kubelet-client", "system:masters"),
        Identity("coredns", "headgate:coredns"),
    ]


def etcd_command(record: ClusterRecord) -> list[str]:
    """Give etcd's command line."""
    client = f"http://{_LOOPBACK}:{record.slot.etcd_port}"
    peer = f"http://{_LOOPBACK}:{record.slot.etcd_peer_port}"
    return [
        str(program("etcd", "etcd")),
        f"--data-dir={record.directory / 'etcd'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        # Nobody restores this cluster after a power cut, and a slow disk would slow every test.
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def api_server_command(record: ClusterRecord) -> list[str]:
    """Give the API server's command line."""
    keys = authority(record)
    command = [
        str(program(record.kubernetes, "kube-apiserver")),
        f"--etcd-servers=http://{_LOOPBACK}:{record.slot.etcd_port}",
        f"--bind-address={api_address(record)}",
        f"--secure-port={record.slot.api_port}",
        f"--tls-cert-file={keys.certificate('kube-apiserver')}",
        f"--tls-private-key-file={keys.key('kube-apiserver')}",
        f"--client-ca-file={keys.certificate('ca')}",
        f"--service-cluster-ip-range={_service_range(record)}",
        f"--service-account-issuer={SERVICE_ACCOUNT_ISSUER}",
        f"--service-account-key-file={keys.key('service-accounts')}",
        f"--service-account-signing-key-file={keys.key('service-accounts')}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        "--profiling=false",
    ]
    if record.control_plane_only:
        # An API server on loopback cannot publish itself as the endpoints of Service "kubernetes".
        return [*command, "--endpoint-reconciler-type=none"]
    return [
        *command,
        f"--advertise-address={api_address(record)}",
        f"--kubelet-certificate-authority={keys.certificate('ca')}",
        f"--kubelet-client-certificate={keys.certificate('kubelet-client')}",
        f"--kubelet-client-key={keys.key('kubelet-client')}",
        # The node's name is in no DNS, so `logs`, `exec` and `port-forward` go by its address.
        "--kubelet-preferred-address-types=InternalIP",
        f"--audit-policy-file={AUDIT_POLICY}",
        f"--audit-log-path={record.log('audit')}",
    ]


def controller_manager_command(record: ClusterRecord) -> list[str]:
    """Give the controller manager's command line."""
    keys = authority(record)
    return [
        str(program(record.kubernetes, "kube-controller-manager")),
        f"--kubeconfig={component_kubeconfig(record, 'kube-controller-manager')}",
        f"--root-ca-file={keys.certificate('ca')}",
        f"--service-account-private-key-file={keys.key('service-accounts')}",
        "--use-service-account-credentials=true",
        "--leader-elect=false",
        # It makes this directory, by default one of the host's.
        f"--flex-volume-plugin-dir={record.directory / 'volume-plugins'}",
        # Without a port of its own, nothing of two clusters can collide.
        "--secure-port=0",
        # At the default of 20 requests/s the controllers, not the operator, would set the pace.
        "--kube-api-qps=200",
        "--kube-api-burst=400",
    ]


def scheduler_command(record: ClusterRecord) -> list[str]:
    """Give the scheduler's command line."""
    return [
        str(program(record.kubernetes, "kube-scheduler")),
        f"--kubeconfig={component_kubeconfig(record, 'kube-scheduler')}",
        "--leader-elect=false",
        "--secure-port=0",
        "--kube-api-qps=200",
        "--kube-api-burst=400",
    ]


def _service_range(record: ClusterRecord) -> IPv4Network:
    # Nothing is routed to the Services of a control plane alone, so each may have every address.
    return ALL_SERVICES if record.control_plane_only else record.slot.services


def launch_recorded(record: ClusterRecord, name: str, command: list[str]) -> None:
    """Start a process of the cluster and write it down at once.

    Its environment is empty but for the essentials: a proxy that the user has set must not come
    between the parts.
    """
    environment = {"PATH": _PATH, "HOME": str(record.directory)}
    record.processes[name] = launch(command, log=record.log(name), environment=environment)
    record.save()


def start_servers(record: ClusterRecord) -> None:
    """Make certificates and kubeconfig files, and start etcd and the API server; do not wait."""
    keys = authority(record)
    signed = identities(record)
    keys.create(signed)
    for identity in signed:
        keys.kubeconfig(component_kubeconfig(record, identity.file), identity.file, api_url(record))
    keys.kubeconfig(record.kubeconfig, ADMINISTRATOR, api_url(record))
    launch_recorded(record, "etcd", etcd_command(record))
    launch_recorded(record, "kube-apiserver", api_server_command(record))


def start_controllers(record: ClusterRecord) -> None:
    """Start the controller manager, and for a whole cluster the scheduler.

    The API server must be ready: the controller manager ends if it finds none within 10 s.
    """
    launch_recorded(record, "kube-controller-manager", controller_manager_command(record))
    if not record.control_plane_only:
        launch_recorded(record, "kube-scheduler", scheduler_command(record))


def is_ready(record: ClusterRecord) -> bool:
    """Ask the API server once whether it is ready, with all of its start-up hooks."""
    try:
        trust = ssl.create_default_context(cafile=str(authority(record).certificate("ca")))
        # An opener without handlers for proxies: the address is on this machine.
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust)
        )
        with opener.open(f"{api_url(record)}/readyz", timeout=_REQUEST_SECONDS) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def wait_ready(record: ClusterRecord) -> None:
    """Wait until the API server is ready; a part that died meanwhile is reported with its log."""

    def ready() -> bool:
        require_alive(record)
        return is_ready(record)

    wait_until(
        ready, _READY_SECONDS, lambda: "the API server is not ready\n" + last_words(record), 0.1
    )


def require_alive(record: ClusterRecord) -> None:
    """Raise ClusterError with the end of its log if a recorded process died."""
    dead = record.dead_processes()
    if dead:
        raise ClusterError(
            "\n".join(
                f"{name} ended; the end of {record.log(name)}:\n{_end_of_log(record, name)}"
                for name in dead
            )
        )


def last_words(record: ClusterRecord) -> str:
    """Give the end of the API server's log, for the error of a wait that ran out."""
    return _end_of_log(record, "kube-apiserver")


def running(record: ClusterRecord) -> bool:
    """Say whether all recorded processes run."""
    return bool(record.processes) and all(alive(each) for each in record.processes.values())


def _end_of_log(record: ClusterRecord, name: str) -> str:
    try:
        return tail(record.log(name).read_text(errors="replace"))
    except FileNotFoundError:
        return "(no log)"
