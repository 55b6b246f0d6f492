"""How many passwords are hashed at the same time, in one process and in several."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from identity import cores
from identity.credentials import hashing
from identity.errors import ServiceUnavailable
from tests.server import ROOT

HOLDER = """
import sys
from identity import cores
with cores.Places().one():
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Two places that this process shares with those it starts."""
    monkeypatch.setattr(cores, "count", lambda: 2)
    monkeypatch.setenv(cores.SHARED, "")
    monkeypatch.setattr(cores.Places, "near", 0)
    cores.provide(str(tmp_path))
    return 2


def hold() -> subprocess.Popen[str]:
    """Start a process that holds a place until its input ends."""
    pipe = subprocess.PIPE
    holder = subprocess.Popen([sys.executable, "-c", HOLDER], cwd=ROOT, stdin=pipe, stdout=pipe, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def free(places: int) -> int:
    """Return how many places nobody holds."""
    seen = cores.Places()._files
    taken = [file for file in seen if cores._is_taken(file)]
    for file in seen:
        os.close(file)
    return len(taken)


def test_a_process_finds_the_place_that_another_left_free(places: int) -> None:
    with hold() as other:
        with cores.Places().one():
            assert free(places) == 0
        assert free(places) == 1
        other.communicate()
    assert free(places) == places


def test_who_finds_none_waits_for_its_turn_and_a_dead_process_gives_its_own_back(places: int) -> None:
    holders = [hold(), hold()]
    got = threading.Event()

    def wait() -> None:
        with cores.Places().one():
            got.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert not got.wait(0.2)
    holders[0].send_signal(signal.SIGKILL)
    assert got.wait(10)
    waiting.join()
    holders[0].communicate()
    holders[1].communicate()


def test_a_process_keeps_to_the_place_that_it_had(places: int) -> None:
    mine = cores.Places()
    with hold() as other:
        with mine.one():
            had = cores.Places.near
        other.communicate()

    for _ in range(3):
        with mine.one():
            assert cores.Places.near == had


def test_a_process_waits_for_its_own_place_while_others_keep_to_theirs(places: int) -> None:
    others = hold()
    got = threading.Event()

    def wait() -> None:
        with cores.Places().one():
            got.set()

    with cores.Places().one():
        had = cores.Places.near
        waiting = threading.Thread(target=wait)
        waiting.start()
        assert not got.wait(0.2)
    assert got.wait(10)
    waiting.join()
    assert cores.Places.near == had
    others.communicate()


@pytest.mark.usefixtures("places")
def test_one_process_uses_every_place_and_no_more() -> None:
    pool, gate, lock = hashing.Hashing(), threading.Event(), threading.Lock()
    at_once: list[int] = []
    running = 0

    def work() -> None:
        nonlocal running
        with lock:
            running += 1
            at_once.append(running)
            if running == 2:
                gate.set()
        assert gate.wait(10)
        with lock:
            running -= 1

    with ThreadPoolExecutor(8) as callers:
        list(callers.map(lambda _: pool.run(work), range(8)))
    assert max(at_once) == 2


def test_who_waits_too_long_is_told_to_come_back(places: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "PATIENCE", 0.1)
    holders = [hold(), hold()]
    pool = hashing.Hashing()

    with pytest.raises(ServiceUnavailable):
        pool.run(lambda: None)

    for holder in holders:
        holder.communicate()
    monkeypatch.setattr(hashing, "PATIENCE", 10)
    assert pool.run(lambda: "done") == "done"


@pytest.mark.parametrize("folder", ["", "/gone/since"])
def test_where_nothing_is_shared_a_process_has_all_cores_to_itself(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cores.SHARED, folder)

    assert hashing.Hashing().run(lambda: "done") == "done"
