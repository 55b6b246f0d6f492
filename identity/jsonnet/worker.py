"""One bounded process that evaluates Jsonnet: requests come in on stdin, answers go out on stdout, each a length and JSON.

Started by pool.py as a plain script: it imports nothing of ours, so that it is small and starts quickly.
"""

import json
import resource
import struct
import sys
from typing import Any

MEMORY = 512 * 1024 * 1024  # bytes of heap
MAX_STACK = 500  # calls
CPU_SECONDS = 3600


def no_imports(folder: str, name: str) -> tuple[str, bytes]:
    raise RuntimeError("import is not available here")


def answer(engine: Any, asked: dict[str, Any]) -> dict[str, str]:
    """Return {"ok": text} or {"error": text}."""
    inputs = {"tla_codes": {"ctx": asked["ctx"]}} if asked["ctx"] is not None else {}
    try:
        return {
            "ok": engine.evaluate_snippet(
                "program", asked["program"], import_callback=no_imports, max_stack=MAX_STACK, ext_codes=asked["ext"], **inputs
            )
        }
    except RuntimeError as error:
        return {"error": str(error)}


def main() -> None:
    import _gojsonnet as engine

    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    source, target = sys.stdin.buffer, sys.stdout.buffer
    while header := source.read(4):
        asked = json.loads(source.read(struct.unpack(">I", header)[0]))
        said = json.dumps(answer(engine, asked)).encode()
        target.write(struct.pack(">I", len(said)) + said)
        target.flush()


if __name__ == "__main__":
    main()
