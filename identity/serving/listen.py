"""One listener as a process of its own: `python -m identity.serving.listen <public|admin> <host> <port> <workers> <threads>`.

Granian forks the workers; this process stays small and replaces a worker that dies.
"""

from __future__ import annotations

import os
import sys

from granian import Granian
from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from identity.serving import process

MAX_HEADERS = 64 * 1024  # bytes
MAX_CONNECTIONS = 4096  # of a worker; those that idle between two requests count


def main(name: str, host: str, port: str, workers: str, threads: str) -> None:
    process.die_with_parent()
    process.allow_files(MAX_CONNECTIONS + 256)
    os.environ["VESTIBULE_THREADS"] = threads
    Granian(
        f"identity.rsgi:{name}",
        address=host,
        port=int(port),
        interface=Interfaces.RSGI,
        workers=int(workers),
        backpressure=MAX_CONNECTIONS,
        backlog=1024,
        respawn_failed_workers=True,
        respawn_interval=1.0,
        workers_kill_timeout=20,
        log_level=LogLevels.error,
        http1_settings=HTTP1Settings(max_buffer_size=MAX_HEADERS * 8),
        websockets=False,
    ).serve()


if __name__ == "__main__":
    main(*sys.argv[1:])
