"""What the counters of a runtime count: the requests of a pod, or those to a Service.

A model server, or the proxy in its pod, counts for that pod alone. A proxy before the live Service
counts what it sends there, whichever version answers, and each of the proxy's own pods counts by
itself. `headgate.metrics.promql` matches and groups series as a subject says, and
`headgate.metrics.readings` reads the rows by it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from headgate.metrics.promql import Matcher, beginning_with, of_pods, one_of

Pod = tuple[str, str]
"""Namespace and name: of a pod, of a Service, or of a proxy's counters for a Service."""

Where = tuple[tuple[Matcher, ...], ...]
"""Matchers of the series that are meant, once for each way in which they may be labelled."""


class Subject(Protocol):
    """How series are labelled with what they count."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that tell counters apart."""
        ...

    def where(self, names: Collection[Pod]) -> Where:
        """Matchers of the series that count for these pods or Services."""
        ...

    def shown(self, namespace: str, name: str) -> Where:
        """The same for one ModelDeployment, to be read by people."""
        ...

    def counter(self, labels: Mapping[str, str]) -> Pod:
        """What the counters in a row are called: `owner` of it is what they count for."""
        ...

    def of_two(self, one: float | None, other: float | None) -> float | None:
        """What two rows of the same counter come to; None is what cannot be used."""
        ...


def owner(counter: Pod) -> Pod:
    """The pod or the Service that counters count for."""
    namespace, name = counter
    return namespace, name.partition("/")[0]


@dataclass(frozen=True)
class ByPod:
    """Each pod counts its own requests; the scrape says which pod it is."""

    labels: tuple[str, ...] = ("namespace", "pod")

    def where(self, names: Collection[Pod]) -> Where:
        """By namespace and pod."""
        return of_pods(names)

    def shown(self, namespace: str, name: str) -> Where:
        """A ModelDeployment's pods are those whose names begin with its own."""
        return ((Matcher("namespace", "=", namespace), beginning_with("pod", f"{name}-")),)

    def counter(self, labels: Mapping[str, str]) -> Pod:
        """The pod itself."""
        return labels.get("namespace", ""), labels.get("pod", "")

    def of_two(self, one: float | None, other: float | None) -> float | None:
        """Several series where one is meant: neither can be believed."""
        return None


@dataclass(frozen=True)
class ByService:
    """Each pod of a proxy counts its requests to a Service, and names both. `proxy` are the labels
    that tell the proxy's pods apart.

    Prometheus keeps `namespace` and `service` for what it scrapes, unless it honours the labels of
    the metrics, and moves those of the proxy to `exported_namespace` and `exported_service`; when
    it scrapes pods and not a Service, only the former.
    """

    proxy: tuple[str, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """Of the Service in all spellings, then of the proxy."""
        return "exported_namespace", "namespace", "exported_service", "service", *self.proxy

    def where(self, names: Collection[Pod]) -> Where:
        """By the Service's namespace and name. Where a scrape of pods has moved only the namespace,
        the namespace's other Services are read as well, which keeps the question short."""
        namespaces = {namespace for namespace, _ in names}
        services = {service for _, service in names}
        return (
            (
                one_of("exported_namespace", namespaces),
                one_of("exported_service", {"", *services}),
            ),
            (
                Matcher("exported_namespace", "=", ""),
                one_of("namespace", namespaces),
                one_of("service", services),
            ),
        )

    def shown(self, namespace: str, name: str) -> Where:
        """The live Service is called as its ModelDeployment is."""
        return self.where([(namespace, name)])

    def counter(self, labels: Mapping[str, str]) -> Pod:
        """The Service and the pod of the proxy, apart by a slash, which is in no name."""
        service = labels.get("exported_service") or labels.get("service", "")
        proxy = (labels.get(label, "") for label in self.proxy)
        namespace = labels.get("exported_namespace") or labels.get("namespace", "")
        return namespace, "/".join((service, *proxy))

    def of_two(self, one: float | None, other: float | None) -> float | None:
        """One proxy, scraped in two of the ways: the highest, as of all duplicates."""
        return None if one is None or other is None else max(one, other)


PODS = ByPod()
