"""What every process of the server does about the one that started it."""

import contextlib
import ctypes
import os
import resource
import signal
from collections.abc import Callable

PR_SET_PDEATHSIG = 1
ENDING = (signal.SIGTERM,)


def die_with_parent(parent: int) -> None:
    """Ask the kernel for SIGTERM when the process *parent*, which started this one, is gone (Linux; elsewhere nothing happens)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        raise SystemExit("the process that started this one is gone")


def allow_files(wanted: int) -> None:
    """Let this process hold *wanted* files and connections open, or as many as the machine grants it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    granted = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < granted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (granted, hard))


def hold_signals_over_forks() -> None:
    """Let signals to end wait in what this process forks: until a child can act on them they would be lost, and it had to be killed."""
    here = os.getpid()

    def in_this_process(act: Callable[[], None]) -> Callable[[], None]:
        return lambda: act() if os.getpid() == here else None  # what a child starts is not held

    os.register_at_fork(before=in_this_process(hold_signals), after_in_parent=in_this_process(release_signals))


def hold_signals() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)


def release_signals() -> None:
    """Let this process be told to end, from now on."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
