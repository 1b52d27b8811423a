"""The two ways in which the local cluster fails: something broke, or this machine lacks something.

Every other module of `hack.cluster` raises these and the command line turns them into exit codes,
so that a script can tell "try again" from "install Go first".
"""

from __future__ import annotations


class ClusterError(Exception):
    """A command failed, a part died, or a wait ran out. The message is written for a person."""


class ClusterUnavailableError(ClusterError):
    """This machine cannot run a local cluster; the message says what is missing and how to get it.

    The command line exits with code 3, tests skip with the message as the reason.
    """
