"""Reading Prometheus: the only part of Headgate that speaks to a metrics provider.

`Poller.poll` turns the pods of every release under way into one `Sample` each, with a number of
queries that does not grow with the number of ModelDeployments. What a query asks is built in
`promql`, sent in `client`, read in `readings`; whatever goes wrong becomes a sample that says so.
"""

from headgate.metrics.poller import Poller
from headgate.metrics.providers import Provider, Providers
from headgate.metrics.targets import Target, target_of

__all__ = ["Poller", "Provider", "Providers", "Target", "target_of"]
