"""The operator's configuration: files, environment and defaults, merged, checked, and taken over anew when a file changes.

layers   where values come from, and their order (contract: config.md 1)
schema   which keys there are, with type and default; nodes: the kinds of keys
store    the configuration in force, and how another one takes its place
sources  read what a file://, base64:// or http(s):// address names
"""

from identity.config.faults import ConfigError, Fault
from identity.config.store import Config, add_check, current, last_failure, override, per_config, refresh, reload, start, using, verify

__all__ = [
    "Config",
    "ConfigError",
    "Fault",
    "add_check",
    "current",
    "last_failure",
    "override",
    "per_config",
    "refresh",
    "reload",
    "start",
    "using",
    "verify",
]
