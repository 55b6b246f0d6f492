"""One listener as a process of its own.

Granian forks the workers; this process replaces one that dies.
"""

from __future__ import annotations

from granian import Granian
from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from identity.serving import process

MAX_HEADERS = 64 * 1024  # bytes
MAX_CONNECTIONS = 4096  # of a worker; those that idle between two requests count


def main(name: str, host: str, port: int, workers: int) -> None:
    process.allow_files(MAX_CONNECTIONS + 256)
    process.hold_signals_over_forks()
    Granian(
        f"identity.rsgi:{name}",
        address=host,
        port=port,
        interface=Interfaces.RSGI,
        workers=workers,
        backpressure=MAX_CONNECTIONS,
        backlog=1024,
        respawn_failed_workers=True,
        respawn_interval=1.0,
        workers_kill_timeout=20,
        log_level=LogLevels.error,
        process_name=f"vestibule {name} listener",
        http1_settings=HTTP1Settings(max_buffer_size=MAX_HEADERS * 8),
        websockets=False,
    ).serve()
