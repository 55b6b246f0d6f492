"""Evaluate Jsonnet in bounded processes (contract: actions.md 5).

`evaluate` is all that others need. The engine never runs in a process that answers requests: a program may loop, fill
memory or recurse, and the engine cannot be interrupted.
"""

from identity.jsonnet.pool import Cancelled, JsonnetError, evaluate

__all__ = ["Cancelled", "JsonnetError", "evaluate"]
