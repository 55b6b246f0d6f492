"""What every process of the server does about the one that started it."""

import contextlib
import ctypes
import os
import resource
import signal

PR_SET_PDEATHSIG = 1
ENDING = (signal.SIGTERM, signal.SIGINT)


def die_with_parent() -> None:
    """Ask the kernel for SIGTERM when the process that started this one is gone (Linux; elsewhere nothing happens)."""
    if os.environ.get("VESTIBULE_SUPERVISED") != "1":
        return
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() == 1:
        raise SystemExit("the process that started this one is gone")


def allow_files(wanted: int) -> None:
    """Let this process hold *wanted* files and connections open, or as many as the machine grants it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    granted = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < granted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (granted, hard))


def hold_signals() -> None:
    """Let signals to end wait: until a process can act on them they would be lost, and it would have to be killed."""
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)


def release_signals() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
