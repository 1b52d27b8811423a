"""Cluster DNS: CoreDNS as a process of the host, behind the Service that pods are told to ask.

A process needs no image and starts before the first pod. The Service `kube-dns` has no selector;
its endpoint is the host's end of the cable.
"""

from __future__ import annotations

import secrets
import socket
from typing import Any

import yaml

from hack.cluster.binaries import program
from hack.cluster.control_plane import component_kubeconfig, launch_recorded
from hack.cluster.record import ClusterRecord

_USER = "headgate:coredns"
_LABELS = {"k8s-app": "kube-dns", "kubernetes.io/name": "CoreDNS"}
_QUERY_SECONDS = 0.5


def corefile(record: ClusterRecord) -> str:
    """Give CoreDNS's configuration: the cluster's own names, and no others exist."""
    address, port = record.slot.host_address, record.slot.dns_port
    zones = "cluster.local in-addr.arpa ip6.arpa"
    return f"""\
{zones.replace(" ", f":{port} ")}:{port} {{
    bind {address}
    errors
    kubernetes {zones} {{
        kubeconfig {component_kubeconfig(record, "coredns")}
        ttl 5
    }}
}}
.:{port} {{
    bind {address}
    template ANY ANY {{
        rcode NXDOMAIN
    }}
}}
"""


def manifests(record: ClusterRecord) -> str:
    """Give the objects that make CoreDNS the cluster's DNS, as YAML documents."""
    service = {"name": "kube-dns", "namespace": "kube-system", "labels": _LABELS}
    ports = [(protocol.lower(), protocol) for protocol in ("UDP", "TCP")]
    objects: list[dict[str, Any]] = [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": service,
            "spec": {
                "clusterIP": record.slot.dns_service,
                "ports": [
                    {"name": name, "protocol": protocol, "port": 53} for name, protocol in ports
                ],
            },
        },
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": service | {"labels": {"kubernetes.io/service-name": "kube-dns"}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [record.slot.host_address]}],
            "ports": [
                {"name": name, "protocol": protocol, "port": record.slot.dns_port}
                for name, protocol in ports
            ],
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": _USER},
            "rules": [
                {
                    "apiGroups": [""],
                    "resources": ["services", "pods", "namespaces"],
                    "verbs": ["list", "watch"],
                },
                {
                    "apiGroups": ["discovery.k8s.io"],
                    "resources": ["endpointslices"],
                    "verbs": ["list", "watch"],
                },
            ],
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": _USER},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": _USER,
            },
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": _USER}],
        },
    ]
    return yaml.safe_dump_all(objects)


def start(record: ClusterRecord) -> None:
    """Start CoreDNS."""
    settings = record.directory / "Corefile"
    settings.write_text(corefile(record))
    launch_recorded(record, "coredns", [str(program("coredns", "coredns")), "-conf", str(settings)])


def answers(record: ClusterRecord) -> bool:
    """Ask through the Service for the API server's name: also proves that kube-proxy works."""
    query = _question("kubernetes.default.svc.cluster.local")
    expected = socket.inet_aton(record.slot.kubernetes_service)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.settimeout(_QUERY_SECONDS)
        try:
            asker.sendto(query, (record.slot.dns_service, 53))
            answer = asker.recv(512)
        except OSError:
            return False
    return answer[:2] == query[:2] and expected in answer


def _question(name: str) -> bytes:
    # RFC 1035, 4.1: id, "recursion desired", one question; then the name, type A, class IN.
    header = secrets.token_bytes(2) + bytes.fromhex("0100 0001 0000 0000 0000")
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return header + labels + bytes.fromhex("00 0001 0001")
