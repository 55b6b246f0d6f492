"""The configuration in force, and how another one takes its place.

Every process compares the files' stamps at each request (`refresh`, one stat per file), so that all of them serve a new
configuration from the moment it is written. It is loaded by a thread of its own: requests wait for that a moment only, since
it may have to fetch what it names. One that cannot be used leaves the old one in force, and says why.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import math
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from identity.config import layers
from identity.config.faults import ConfigError, Fault
from identity.config.nodes import Report
from identity.config.schema import TREE

T = TypeVar("T")
Stamp = tuple[int, int, int]
Check = Callable[["Config"], Iterable[Fault]]

log = logging.getLogger("vestibule.config")
WAITED = 2.0  # seconds that requests wait for a changed configuration, counted from the first that saw it
AGAIN = 30.0  # seconds until one is tried again that names something that could not be read
RESTART = ("serve.public.host", "serve.public.port", "serve.admin.host", "serve.admin.port", "dsn", "log")


class Config:
    """One configuration, complete and checked. It never changes; what is computed from it is kept with it."""

    def __init__(self, tree: dict[str, Any], paths: Sequence[Path] = (), dev: bool = False) -> None:
        self.tree, self.paths, self.dev = tree, tuple(paths), dev
        self.memo: dict[Callable[..., Any], Any] = {}
        self.revision = str(tree.get("revision") or hashlib.sha256(json.dumps(tree, sort_keys=True, default=str).encode()).hexdigest())

    def get(self, path: str, default: Any = None) -> Any:
        """Return the value at a dotted path, or *default* when there is none."""
        value: Any = self.tree
        for name in path.split("."):
            if not isinstance(value, dict) or name not in value:
                return default
            value = value[name]
        return default if value is None else value


class _State:
    config: Config | None = None
    paths: tuple[Path, ...] = ()
    watched: tuple[Path, ...] = ()  # the files, and the one that `serve` touches on SIGHUP
    environ: Mapping[str, str] = {}
    dev = False
    stamps: tuple[Stamp | None, ...] = ()
    failure: str = ""
    again: float = math.inf  # monotonic seconds
    loading: _Loading | None = None


class _Loading:
    """A changed configuration that is on its way."""

    def __init__(self) -> None:
        self.until = time.monotonic() + WAITED
        self._is_done = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._load, name="configuration", daemon=True).start()

    def wait(self) -> None:
        self._is_done.wait(max(0.0, self.until - time.monotonic()))

    def _load(self) -> None:
        try:
            reload()
        except Exception as error:  # a bug: the old configuration stays, and the operator is to see why
            _state.failure = f"{type(error).__name__}: {error}"
            log.exception("the changed configuration could not be loaded, the old one stays in force")
        finally:
            _state.loading = None
            self._is_done.set()


_state, _mine, _lock, _checks = _State(), threading.local(), threading.Lock(), list[Check]()


def current() -> Config:
    """Return the configuration in force. Raises RuntimeError before `start`."""
    found: Config | None = getattr(_mine, "config", None) or _state.config
    if found is None:
        raise RuntimeError("the configuration was not loaded yet")
    return found


def per_config(compute: Callable[[Config], T]) -> Callable[[], T]:
    """Make *compute* a function without arguments whose result is kept for as long as the configuration is in force."""

    def get() -> T:
        config = current()
        try:
            return config.memo[compute]  # type: ignore[no-any-return]
        except KeyError:
            found = config.memo[compute] = compute(config)
            return found

    get.__doc__, get.__name__ = compute.__doc__, compute.__name__
    return get


@contextlib.contextmanager
def using(config: Config) -> Iterator[Config]:
    """Let this thread see *config* as the one in force."""
    before = getattr(_mine, "config", None)
    _mine.config = config
    try:
        yield config
    finally:
        _mine.config = before


def add_check(check: Check) -> None:
    """Add a check that every configuration has to pass: at the start and at each reload."""
    if check not in _checks:
        _checks.append(check)


def start(paths: Sequence[str | Path], environ: Mapping[str, str] | None = None, *, dev: bool = False) -> Config:
    """Load the configuration for this process. Raises ConfigError."""
    _state.paths, _state.environ, _state.dev = tuple(Path(path) for path in paths), os.environ if environ is None else environ, dev
    asked = _state.environ.get("VESTIBULE_RELOAD")
    _state.watched = (*_state.paths, Path(asked)) if asked else _state.paths
    _state.stamps = _stamps()
    try:
        config, warnings = _load()
    except layers.HalfWritten as empty:
        raise ConfigError(f"{empty}: is empty.") from empty
    for warning in warnings:
        log.warning("configuration: %s", warning)
    _state.config = config
    return config


def _load() -> tuple[Config, list[str]]:
    given = layers.gather(_state.paths, _state.environ, _state.dev)
    report = Report()
    TREE.check(given, "", report)
    if not report.faults:
        report.faults += _missing(given)
    if report.faults:
        raise ConfigError(report.faults)
    tree = layers.complete(given, _state.environ, embedded=not _state.paths)
    return Config(tree, _state.paths, bool(tree.get("dev"))), report.warnings


def _missing(given: dict[str, Any]) -> list[Fault]:
    """A file has to say where browsers go and who people are; the embedded default does so by itself."""
    if not _state.paths:
        return []
    faults = []
    if not (given.get("selfservice") or {}).get("default_browser_return_url"):
        faults.append(Fault("selfservice.default_browser_return_url", "is required: where browsers go that asked for nothing else."))
    if not (given.get("identity") or {}).get("schemas"):
        faults.append(Fault("identity.schemas", "is required: what is known of a person, as JSON Schema."))
    return faults


def verify(config: Config | None = None) -> None:
    """Let every check look at a configuration. Raises ConfigError."""
    config = config or current()
    with using(config):
        faults = [fault for check in _checks for fault in check(config)]
    if faults:
        raise ConfigError(faults)


def _stamps() -> tuple[Stamp | None, ...]:
    return tuple([_stamp(path) for path in _state.watched])


def _stamp(path: Path) -> Stamp | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def refresh() -> Config:
    """Take over what changed on disk, and return the configuration in force. One stat per file when nothing changed."""
    if _stamps() != _state.stamps:
        if (loading := _load_beside()) is not None:
            loading.wait()
    elif time.monotonic() > _state.again:
        _load_beside()  # nobody waits for what was away before
    return current()


def _load_beside() -> _Loading | None:
    """Return what is being loaded, None when another request was quicker and all is done."""
    with _lock:
        if _state.loading is None and (_stamps() != _state.stamps or time.monotonic() > _state.again):
            _state.loading = _Loading()
            _state.loading.start()
        return _state.loading


def reload() -> bool:
    """Load the files anew. Returns whether that worked; if not the old configuration stays, and the log says why."""
    stamps, _state.again = _stamps(), math.inf
    try:
        config, _ = _load()
        verify(config)
        before, _state.config = _state.config, config
    except layers.HalfWritten:
        return False
    except ConfigError as error:
        _refuse(error)
        return False
    finally:
        _state.stamps = stamps
    _state.failure = ""
    if before is not None:
        _announce(before, config)
    return True


def _refuse(error: ConfigError) -> None:
    if error.may_pass:
        _state.again = time.monotonic() + AGAIN
    if str(error) != _state.failure:
        _state.failure = str(error)
        log.error("the changed configuration cannot be used, the old one stays in force:\n%s", error)


def _announce(before: Config, after: Config) -> None:
    log.info("configuration taken over: revision %s", after.revision)
    for path in RESTART:
        if before.get(path) != after.get(path):
            log.warning("%s changed; that needs a restart", path)


def last_failure() -> str:
    """Return why the last change on disk was not taken over; "" when all is well."""
    return _state.failure


@contextlib.contextmanager
def override(patch: dict[str, Any]) -> Iterator[Config]:
    """Put another configuration in force for a while, in all threads: the current one with *patch* laid over it. For tests."""
    before = _state.config
    assert before is not None
    _state.config = Config(layers.merge(before.tree, patch), before.paths, before.dev)
    try:
        yield _state.config
    finally:
        _state.config = before
