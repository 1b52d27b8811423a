"""Which whole pods express a weight: the arithmetic of `plan`, of status and of every step.

replicas 5, surge 1, unavailable 0
weight  5 → 5 stable + 1 candidate, 16.67 %   (nothing nearer exists with 5 or 6 pods)
weight 25 → 4 stable + 1 candidate, 20 %
weight 50 → 3 stable + 3 candidate, 50 %
weight 90 → 1 stable + 5 candidate, 83.33 %

replicas 2, surge 0, unavailable 1
weight 75 → 1 stable + 1 candidate, 50 %      (never silently no candidate)
"""

from __future__ import annotations

from dataclasses import dataclass

EXACT_WITHIN = 100


class NoSplitError(ValueError):
    """No whole pods can share the traffic, as with one replica and no surge."""


@dataclass(frozen=True)
class Split:
    """How many pods of each side share the live traffic."""

    stable: int
    candidate: int

    @property
    def effective_weight(self) -> float:
        """Percent of the pods that are the candidate's; 0 without any pod."""
        total = self.stable + self.candidate
        return 100 * self.candidate / total if total else 0.0

    def approximates(self, weight: int) -> bool:
        """Whether these pods express another share than `weight` percent."""
        return abs(self.effective_weight - weight) > 1e-9


def split(replicas: int, weight: int, surge: int, unavailable: int) -> Split:
    """The pods nearest to `weight` percent within the limits of design §3.

    With N replicas, S surge and U unavailable: N−U ≤ stable+candidate ≤ N+S, at least one
    candidate above 0 % and at least one stable below 100 %. On a tie the smaller candidate share
    wins; among equal shares the total nearest N, the larger of two.

    Raises `NoSplitError` when no such pods exist.
    """
    if weight <= 0 or replicas == 0:
        return Split(replicas, 0)
    if weight >= 100:
        return Split(0, replicas)
    # Among a hundred totals in a row one expresses the weight exactly: further away is no better,
    # and a maxSurge of 100,000 must not hold up everybody else.
    least = max(2, replicas - min(unavailable, EXACT_WITHIN))
    choices = [
        Split(total - candidate, candidate)
        for total in range(least, replicas + min(surge, EXACT_WITHIN) + 1)
        for candidate in _nearest(total, weight)
    ]
    if not choices:
        raise NoSplitError(
            f"replicas {replicas} with maxSurge {surge} leaves no room for a stable and a "
            "candidate pod side by side: raise replicas or maxSurge to at least 1 more"
        )

    def distance(choice: Split) -> tuple[float, float, int, int]:
        total = choice.stable + choice.candidate
        share = choice.effective_weight
        return (round(abs(share - weight), 9), share, abs(total - replicas), -total)

    return min(choices, key=distance)


def _nearest(total: int, weight: int) -> set[int]:
    """The one or two numbers of candidate pods that are nearest to `weight` among `total`."""
    below = total * weight // 100
    return {min(max(candidate, 1), total - 1) for candidate in (below, below + 1)}
