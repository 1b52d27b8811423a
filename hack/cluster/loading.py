"""Load image archives into a node's container runtime, and remember which ones are there.

Above `merged_archive` and `node`, below `local`.
"""

from __future__ import annotations

import json
import subprocess
import tarfile
import threading
from collections.abc import Sequence
from pathlib import Path

from hack.cluster import node, progress
from hack.cluster import record as records
from hack.cluster.commands import run, tail
from hack.cluster.errors import ClusterError
from hack.cluster.locks import exclusive
from hack.cluster.merged_archive import write_merged
from hack.cluster.record import ClusterRecord

_IMPORT_SECONDS = 600


def load(record: ClusterRecord, archives: Sequence[Path]) -> None:
    """Make the images of `archives` available to pods; those that are there are not even read."""
    known = record.directory / "images.json"
    with exclusive(records.lock_file(f"{record.name}.images"), f"the images of {record.name}"):
        loaded: list[str] = json.loads(known.read_text()) if known.exists() else []
        new = [archive for archive in archives if _identity(archive) not in loaded]
        if not new:
            return
        what = new[0].name if len(new) == 1 else f"{len(new)} images"
        with progress.step(f"loading {what}", quiet_under=2):
            if len(new) == 1:
                run([*_import_command(record), new[0]], timeout=_IMPORT_SECONDS)
            else:
                _load_together(record, new)
        known.write_text(json.dumps([*loaded, *map(_identity, new)]))


def _identity(archive: Path) -> str:
    """What tells one archive from another without reading it all."""
    state = archive.stat()
    return f"{archive.name} {state.st_size} {state.st_mtime_ns}"


def _import_command(record: ClusterRecord) -> list[str | Path]:
    socket = node.containerd_socket(record)
    return ["ctr", "--address", socket, "--namespace", "k8s.io", "images", "import"]


def _load_together(record: ClusterRecord, archives: Sequence[Path]) -> None:
    command = [str(word) for word in (*_import_command(record), "-")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        limit = threading.Timer(_IMPORT_SECONDS, process.kill)
        limit.start()
        try:
            with process.stdin as stream:
                write_merged(archives, stream)
        except BrokenPipeError:
            pass  # its own words, below, say why it stopped reading
        except (OSError, KeyError, tarfile.TarError) as error:
            process.kill()
            raise ClusterError(f"cannot read {', '.join(map(str, archives))}: {error}") from error
        finally:
            said = process.stderr.read().decode(errors="replace")
            code = process.wait()
            limit.cancel()
    if code != 0:
        raise ClusterError(f"exit code {code}: {' '.join(command)}\n{tail(said)}")
