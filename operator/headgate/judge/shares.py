"""One share of bad requests against one limit: the place where a verdict becomes a number.

Error rate and p99 are both judged here (a p99 limit is a limit of 1 % on slow requests), over
whichever stretch of time `headgate.judge.verdicts` asks about. What is here is a plain
threshold with a least number of requests; it may be asked on every poll.
"""

from headgate.judge.values import Verdict

LEAST_REQUESTS = 10
"""Requests below which a share says nothing, neither Bad nor Good."""

LEAST_BAD = 3
"""Bad requests below which nothing is Bad: one unlucky request in a quiet canary is no verdict."""


def judge_share(bad: float, total: float, limit: float, min_samples: int) -> Verdict:
    """Whether `bad` of `total` requests is more than the share `limit` allows.

    Bad over the limit, Good within it, Unknown with too few requests to tell. `min_samples` can
    only lower the number of requests that Good needs below `LEAST_REQUESTS`.
    """
    if total <= 0:
        return Verdict.UNKNOWN
    if bad / total > limit:
        enough = total >= LEAST_REQUESTS and bad >= LEAST_BAD
        return Verdict.BAD if enough else Verdict.UNKNOWN
    return Verdict.GOOD if total >= min(min_samples, LEAST_REQUESTS) else Verdict.UNKNOWN
