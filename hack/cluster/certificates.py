"""The cluster's own certificate authority, and the identities it signs, made with openssl.

Every part gets the user and group that Kubernetes' built-in RBAC roles expect of it, so that the
cluster refuses what a real one refuses.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from hack.cluster.commands import run
from hack.cluster.record import owner_only

_DAYS = "3650"
_CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@dataclass(frozen=True)
class Identity:
    """A certificate to sign: file name, user (CN), group (O), and the addresses of a server."""

    file: str
    user: str
    group: str = ""
    addresses: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        """The subject as openssl writes it."""
        return (f"/O={self.group}" if self.group else "") + f"/CN={self.user}"

    @property
    def alternative_names(self) -> str:
        """The subjectAltName extension; empty for a client."""
        names = [f"DNS:{host}" for host in self.hosts]
        names += [f"IP:{address}" for address in self.addresses]
        return ",".join(names)


class Authority:
    """A certificate authority in `directory`: ca.crt, ca.key, and NAME.crt, NAME.key of others."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def certificate(self, file: str) -> Path:
        """Give the certificate file of an identity, or of the authority itself for "ca"."""
        return self.directory / f"{file}.crt"

    def key(self, file: str) -> Path:
        """Give the private key file that belongs to it."""
        return self.directory / f"{file}.key"

    def create(self, identities: Iterable[Identity]) -> None:
        """Make the authority, a key for service account tokens, and sign all `identities`."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.directory.chmod(0o700)
        # The system's settings would add extensions of their own, twice.
        settings = self.directory / "openssl.cnf"
        settings.write_text("[req]\ndistinguished_name = subject\n[subject]\n")
        request: list[str | Path] = [
            "openssl",
            "req",
            "-config",
            settings,
            "-x509",
            *_CURVE,
            "-days",
            _DAYS,
        ]
        run(
            [
                *request,
                *("-keyout", self.key("ca"), "-out", self.certificate("ca")),
                *("-subj", "/CN=headgate-local-cluster"),
                *("-addext", "basicConstraints=critical,CA:TRUE"),
                *("-addext", "keyUsage=critical,keyCertSign,digitalSignature"),
            ]
        )

        def sign(identity: Identity) -> None:
            names = identity.alternative_names
            run(
                [
                    *request,
                    *("-CA", self.certificate("ca"), "-CAkey", self.key("ca")),
                    *("-keyout", self.key(identity.file)),
                    *("-out", self.certificate(identity.file)),
                    *("-subj", identity.subject),
                    *("-addext", "basicConstraints=critical,CA:FALSE"),
                    *("-addext", "extendedKeyUsage=clientAuth,serverAuth"),
                    *(("-addext", f"subjectAltName={names}") if names else ()),
                ]
            )

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(sign, identities))
        run(
            [
                *("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"),
                *("-out", self.key("service-accounts")),
            ]
        )

    def kubeconfig(self, path: Path, identity: str, server: str) -> None:
        """Write a kubeconfig file for the client `identity` of the API server at `server`."""

        def inline(file: Path) -> str:
            return base64.b64encode(file.read_bytes()).decode()

        # JSON is YAML; every reader of a kubeconfig takes it.
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "headgate",
            "clusters": [
                {
                    "name": "headgate",
                    "cluster": {
                        "server": server,
                        "certificate-authority-data": inline(self.certificate("ca")),
                    },
                }
            ],
            "users": [
                {
                    "name": identity,
                    "user": {
                        "client-certificate-data": inline(self.certificate(identity)),
                        "client-key-data": inline(self.key(identity)),
                    },
                }
            ],
            "contexts": [
                {"name": "headgate", "context": {"cluster": "headgate", "user": identity}}
            ],
        }
        owner_only(path, json.dumps(content, indent=1))
