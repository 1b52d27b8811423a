"""What the commands that speak to a cluster share: flags as kubectl has them, one connection, and
errors as sentences. The commands themselves only say what they want to know or to have."""

from __future__ import annotations

import argparse
import asyncio
import difflib
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headgate.api.base import GROUP, KIND, PLURAL, is_name

if TYPE_CHECKING:
    from headgate.kube.api import ApiClient
    from headgate.kube.client import Object
    from headgate.view.shown import Shown

FIELD_MANAGER = "headgate-cli"
TIMED_OUT = 3
"""Exit code of a command that waited in vain; 0 is done, 1 failed, 2 wrong usage."""

_SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
_PREFIXES = frozenset(
    prefix for short in ("mdep", KIND.lower(), PLURAL) for prefix in (short, f"{short}.{GROUP}")
)


class Trouble(Exception):  # noqa: N818 - what the person is told, not a fault of ours
    """Why a command cannot do what it was asked, in one sentence."""


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The flags that say which cluster and which namespace is meant."""
    parser.add_argument(
        "-n", "--namespace", metavar="NAME", help="default: that of the kubeconfig's context"
    )
    parser.add_argument("--context", metavar="NAME", help="a context of the kubeconfig")
    parser.add_argument(
        "--kubeconfig", type=Path, metavar="FILE", help="default: $KUBECONFIG or ~/.kube/config"
    )


def add_name(parser: argparse.ArgumentParser, *, optional: bool = False) -> None:
    """The name of a ModelDeployment, as in fraud or mdep/fraud."""
    parser.add_argument(
        "name", metavar="NAME", nargs="?" if optional else None, help="as in fraud or mdep/fraud"
    )


def plain_name(text: str) -> str:
    """The name without the kind before it. Raises `Trouble` when it can be no ModelDeployment's."""
    kind, slash, name = text.rpartition("/")
    if slash and kind.lower() not in _PREFIXES:
        raise Trouble(f"{text!r} is no {KIND}: write its name, or mdep/NAME")
    if not is_name(name):
        raise Trouble(f"{name!r} can be no {KIND}'s name")
    return name


@dataclass(frozen=True)
class Session:
    """One connection, and the namespace that the command is about."""

    client: ApiClient
    namespace: str
    program: str
    flags: str

    def command(self, verb: str, name: str) -> str:
        """A command for a ModelDeployment as a person would type it here."""
        return f"{self.program} {verb} {name}{self.flags}"

    async def find(self, name: str) -> Object:
        """A ModelDeployment. Raises `Trouble` with similar names when there is none of that."""
        from headgate.kube.client import MODEL_DEPLOYMENT, NotFound

        try:
            return await self.client.get(MODEL_DEPLOYMENT, self.namespace, name)
        except NotFound:
            names = [each["metadata"]["name"] for each in await self.all(self.namespace)]
        where = f"no {KIND} {name} in namespace {self.namespace}"
        similar = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
        if similar:
            raise Trouble(f"there is {where}; did you mean {' or '.join(similar)}?")
        if not names:
            raise Trouble(f"there is {where}, nor any other there: name another with -n")
        raise Trouble(f"there is {where}; there are {', '.join(sorted(names)[:10])}")

    async def all(self, namespace: str | None) -> list[Object]:
        """The ModelDeployments of a namespace, None for all. Raises `Trouble` without the CRD."""
        from headgate.kube.client import MODEL_DEPLOYMENT, NotFound

        try:
            return await self.client.list(MODEL_DEPLOYMENT, namespace)
        except NotFound:
            raise Trouble(
                f"this cluster does not know {KIND}s: install Headgate with its Helm chart,"
                f" or the CRD alone with `{self.program} crd | kubectl apply -f -`"
            ) from None

    async def shown(self, name: str) -> tuple[Object, Shown]:
        """A ModelDeployment with its pods, as it is and as it is shown."""
        from headgate.kube.client import POD, Forbidden
        from headgate.kube.pods import read_pods
        from headgate.render.names import OWNED_BY
        from headgate.view.shown import read

        stored = await self.find(name)
        try:
            pods = await self.client.list(POD, self.namespace, f"{OWNED_BY}={name}")
        except Forbidden:
            # Whoever may see the release but no pods still sees the release.
            pods = []
        return stored, read(stored, read_pods(pods))


def run(arguments: argparse.Namespace, work: Callable[[Session], Awaitable[int]]) -> int:
    """Connect, do the work, and give its exit code; every error is told in a sentence."""
    from headgate.kube.client import KubeError

    try:
        return asyncio.run(_connected(arguments, work))
    except (Trouble, KubeError) as error:
        print(f"{arguments.program} {arguments.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        # The prompt comes after the ^C that the terminal shows, on a line of its own.
        print(file=sys.stderr)
        return 130


async def _connected(
    arguments: argparse.Namespace, work: Callable[[Session], Awaitable[int]]
) -> int:
    from headgate.kube.api import ApiClient

    kubeconfig = arguments.kubeconfig or _kubeconfig()
    chosen = None if kubeconfig is None else context_namespace(kubeconfig, arguments.context)
    default = chosen or _own_namespace() or "default"
    namespace = arguments.namespace or default
    async with await ApiClient.connect(
        kubeconfig, arguments.context, field_manager=FIELD_MANAGER
    ) as client:
        return await work(
            Session(client, namespace, arguments.program, _flags(arguments, namespace, default))
        )


def _flags(arguments: argparse.Namespace, namespace: str, default: str) -> str:
    """The flags that a suggested command needs to mean the same ModelDeployment."""
    flags = f" -n {namespace}" if namespace != default else ""
    if arguments.context:
        flags += f" --context {arguments.context}"
    if arguments.kubeconfig:
        flags += f" --kubeconfig {arguments.kubeconfig}"
    return flags


def _kubeconfig() -> Path | None:
    """The person's own kubeconfig. It goes before the service account of the pod that a shell may
    run in, as with kubectl."""
    if os.environ.get("KUBECONFIG"):
        return Path(os.environ["KUBECONFIG"])
    usual = Path.home() / ".kube" / "config"
    return usual if usual.exists() else None


def context_namespace(kubeconfig: Path, context: str | None) -> str | None:
    """The namespace that a context of the kubeconfig names. Raises `Trouble` without it."""
    from kubernetes.aio import config

    listing: Any = config.list_kube_config_contexts
    try:
        contexts, active = listing(str(kubeconfig))
    except (config.ConfigException, OSError) as error:
        raise Trouble(f"no way to reach a cluster: {error}") from error
    if context is not None:
        active = next((each for each in contexts if each["name"] == context), None)
        if active is None:
            known = ", ".join(str(each["name"]) for each in contexts)
            raise Trouble(f"the kubeconfig has no context {context!r}; it has {known}")
    details: dict[str, Any] = (active or {}).get("context") or {}
    return details.get("namespace") or None


def _own_namespace() -> str | None:
    try:
        return _SERVICE_ACCOUNT.read_text(encoding="utf-8").strip() or None
    except OSError:
        return None
