"""Measure this server beside what it could do at most, and write bench.json."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import argon2.low_level

from identity.credentials import argon2 as ours
from tests import services
from tests.bench import load
from tests.bench.load import Connection, Figure
from tests.clients import PASSWORD, App, new_address
from tests.server import ROOT, Server, merged

MEMORY, PASSES = 19456, 2  # KiB; what the server has by default
CORES = os.cpu_count() or 1
ROUNDS = 6  # of what is measured in turns
CONFIG: dict[str, Any] = {"hashers": {"argon2": {"memory": f"{MEMORY}KB", "iterations": PASSES}}, "log": {"level": "error"}}
GOALS = {
    "whoami of the bare view": "goal 0.5",
    "login of the limit, argon2-cffi": "goal 0.8",
    "registration of the limit, argon2-cffi": "goal 0.75",
    "ms that a webhook adds to the median registration": "goal below 1",
}


def by_argon2_cffi() -> object:
    return argon2.low_level.hash_secret(b"x" * 16, os.urandom(16), PASSES, MEMORY, 1, 32, argon2.low_level.Type.ID)


def by_ours() -> object:
    return ours.make(b"x" * 16, salt_length=16, hash_length=32, memory=MEMORY, passes=PASSES, lanes=1)


HASHES = {"argon2-cffi": by_argon2_cffi, "as here": by_ours}


def hashes_per_second(hash: Callable[[], object], seconds: float) -> float:
    """Return what this machine can hash at most in this way, on all cores."""
    end = time.monotonic() + seconds

    def work(_: int) -> int:
        count = 0
        while time.monotonic() < end:
            hash()
            count += 1
        return count

    with ThreadPoolExecutor(CORES) as pool:
        return sum(pool.map(work, range(CORES))) / seconds


def register(connection: Connection) -> bool:
    _, flow = connection.ask("GET", "/self-service/registration/api")
    fields = {"method": "password", "password": PASSWORD, "traits": {"email": new_address()}}
    return connection.ask("POST", f"/self-service/registration?flow={flow['id']}", fields)[0] == 200


def resident(server: Server) -> float:
    """Return the memory of the process tree in MiB, shared pages counted once (PSS)."""
    assert server.process is not None
    total = 0
    for pid in {server.process.pid, *server.children("")}:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def measure(dsn: str, seconds: float, connections: int) -> dict[str, Any]:
    limits = {name: hashes_per_second(hash, seconds) for name, hash in HASHES.items()}
    found: dict[str, Any] = {f"hashes /s at most, {name}": round(limit, 1) for name, limit in limits.items()}
    with Server(CONFIG, dsn) as server:
        server.stop()
        began = time.monotonic()
        server.serve()
        found["seconds from the command to ready"] = round(time.monotonic() - began, 2)
        found["MiB idle (PSS)"] = round(resident(server))
        app, address = App(server.public), new_address()
        app.register(address)
        token = app.headers["X-Session-Token"]
        flow = App(server.public).begin("login")["id"]

        def login(connection: Connection) -> bool:
            _, begun = connection.ask("GET", "/self-service/login/api")
            fields = {"method": "password", "identifier": address, "password": PASSWORD}
            return connection.ask("POST", f"/self-service/login?flow={begun['id']}", fields)[0] == 200

        def whoami(connection: Connection) -> bool:
            return connection.ask("GET", "/sessions/whoami", headers={"X-Session-Token": token})[0] == 200

        with bare(server.dsn) as view:
            pair = {"whoami": (server.public, whoami), "bare view": (view, whoami)}
            figures = load.alternately(pair, connections, 2 * seconds, ROUNDS)
        journeys = {
            "flow init": lambda c: c.ask("GET", "/self-service/login/api")[0] == 200,
            "flow fetch": lambda c: c.ask("GET", f"/self-service/login/flows?id={flow}")[0] == 200,
            "login": login,
            "registration": register,
        }
        figures |= {name: load.run(server.public, journey, connections, seconds) for name, journey in journeys.items()}
    figures |= with_and_without_a_webhook(dsn, seconds)
    found["journeys"] = {name: vars(figure) for name, figure in figures.items()}
    found["ratios"] = ratios(figures, limits)
    return found


@contextlib.contextmanager
def bare(dsn: str) -> Iterator[str]:
    """Yield the address of the bare view, on the same server software with as many workers and threads."""
    port = services.free_port()
    options = ["--interface", "rsgi", "--port", str(port), "--workers", str(CORES), "--backpressure", "4096", "--log-level", "error"]
    process = subprocess.Popen(
        [sys.executable, "-m", "granian", *options, "tests.bench.bare:served"], cwd=ROOT, env={**os.environ, "BARE_DSN": dsn}
    )
    try:
        services.wait_for_port(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def with_and_without_a_webhook(dsn: str, seconds: float) -> dict[str, Figure]:
    """Measure registrations whose cost is not the hash, so that a delivery's cost can be seen, one at a time and in turns."""
    cheap = {"hashers": {"argon2": {"memory": "64KB", "iterations": 1}}}
    session = {"hook": "session"}
    with receiver() as url:
        told = {"hook": "web_hook", "config": {"url": url, "method": "POST", "response": {"ignore": True}}}
        plain, hooked = (Server(merged(merged(CONFIG, cheap), after_registration(hooks)), dsn) for hooks in ([session], [told, session]))
        with plain, hooked:
            journeys = {
                "registration, cheap hash": (plain.public, register),
                "registration, cheap hash, webhook": (hooked.public, register),
            }
            return load.alternately(journeys, 1, 3 * seconds, ROUNDS)


def after_registration(hooks: list[dict[str, Any]]) -> dict[str, Any]:
    return {"selfservice": {"flows": {"registration": {"after": {"password": {"hooks": hooks}}}}}}


@contextlib.contextmanager
def receiver() -> Iterator[str]:
    """Yield the address of a receiver in a process of its own: in this one it would take the clients' time."""
    process = subprocess.Popen([sys.executable, "-m", "tests.receiver"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.communicate("")


def ratios(figures: dict[str, Figure], limits: dict[str, float]) -> dict[str, float]:
    plain, hooked = figures["registration, cheap hash"], figures["registration, cheap hash, webhook"]
    return {
        "whoami of the bare view": round(figures["whoami"].rate / figures["bare view"].rate, 2),
        **{
            f"{name} of the limit, {way}": round(figures[name].rate / limits[way], 2)
            for way in HASHES
            for name in ("login", "registration")
        },
        "ms that a webhook adds to the median registration": round(hooked.p50 - plain.p50, 2),
    }


def show(found: dict[str, Any]) -> None:
    print(f"{'journey':38} {'/s':>9} {'p50 ms':>9} {'p99 ms':>9} {'errors':>7}")
    for name, figure in found["journeys"].items():
        print(f"{name:38} {figure['rate']:9.1f} {figure['p50']:9.2f} {figure['p99']:9.2f} {figure['errors']:7}")
    for name, value in found.items():
        if name not in ("journeys", "ratios"):
            print(f"{name:38} {value:9}")
    for name, value in found["ratios"].items():
        print(f"{name:50} {value:6}   {GOALS.get(name, '')}".rstrip())


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="for each journey (5)")
    parser.add_argument("--connections", type=int, default=8, help="at the same time (8)")
    parser.add_argument("--json", default="bench.json", help="where the figures go (bench.json)")
    options = parser.parse_args()
    with services.postgres() as dsn:
        found = measure(dsn, options.seconds, options.connections)
    Path(options.json).write_text(json.dumps(found, indent=2) + "\n")
    show(found)


if __name__ == "__main__":
    main()
