"""The server as operators start, change and stop it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import requests

from tests.clients import App, new_address
from tests.receiver import Received, Receiver, Says
from tests.server import ROOT, Server

END_OTHERS = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


def wait_until(what: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def minutes(server: Server) -> int:
    flow = App(server.public).begin("login")
    return (int(flow["expires_at"][14:16]) - int(flow["issued_at"][14:16])) % 60


def test_every_process_serves_a_new_configuration_once_the_operator_is_told_so() -> None:
    with Server({"selfservice": {"flows": {"login": {"lifespan": "30m"}}}}) as server:
        assert minutes(server) == 30
        for number in range(1, 8):
            server.config["selfservice"]["flows"]["login"]["lifespan"] = f"{number}m"
            server.config["revision"] = f"revision-{number}"
            server.write()
            wait_until(lambda wanted=f"revision-{number}": requests.get(server.admin + "/health/config", timeout=5).text == wanted)  # type: ignore[misc]
            assert {minutes(server) for _ in range(6)} == {number}


def test_a_changed_configuration_drops_no_request() -> None:
    with Server() as server:
        failed: list[str] = []
        done = threading.Event()

        def ask() -> None:
            while not done.is_set():
                answer = requests.get(server.public + "/self-service/login/api", timeout=30)
                if answer.status_code != 200:
                    failed.append(answer.text)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        assert server.process is not None
        for number in range(1, 10):
            server.config["session"]["lifespan"] = f"{number}h"
            server.write()
            os.kill(server.process.pid, signal.SIGHUP)
            time.sleep(0.1)
        done.set()
        for thread in threads:
            thread.join()
        assert failed == []


def test_it_ends_by_itself_and_leaves_nothing_behind() -> None:
    with Server() as server:
        assert server.process is not None
        ids = server.children("")
        assert len(ids) >= 5
        began = time.monotonic()
        os.kill(server.process.pid, signal.SIGTERM)
        assert server.process.wait(30) == 0
        assert time.monotonic() - began < 20
        wait_until(lambda: not any(os.path.exists(f"/proc/{id}") for id in ids))


def test_what_was_begun_comes_to_its_end_before_the_server_does() -> None:
    released = threading.Event()

    def answer(_: Received) -> Says:
        assert released.wait(20)
        return Says()

    with Receiver() as hooks, ThreadPoolExecutor(1) as visitor:
        hooks.on("/slow", answer)
        asked = {"hook": "web_hook", "config": {"url": hooks.url + "/slow", "method": "POST", "can_interrupt": True}}
        listed = [asked, {"hook": "session"}]
        with Server({"selfservice": {"flows": {"registration": {"after": {"password": {"hooks": listed}}}}}}) as server:
            assert server.process is not None
            begun = visitor.submit(App(server.public).register, new_address())
            hooks.wait_for(1)
            server.process.send_signal(signal.SIGTERM)
            wait_until(lambda: not _answers(server))
            released.set()
            assert begun.result(30).status_code == 200
            assert server.process.wait(30) == 0


def test_ctrl_c_ends_it_at_once_and_quietly() -> None:
    """A terminal sends SIGINT to every process of the group."""
    with Server() as server:
        assert server.process is not None
        before = server.log.read_text()
        began = time.monotonic()
        os.killpg(server.process.pid, signal.SIGINT)
        assert server.process.wait(30) == 0
        assert time.monotonic() - began < 10
        assert server.log.read_text() == before


def test_no_process_outlives_its_supervisor() -> None:
    with Server() as server:
        assert server.process is not None
        ids = server.children("")
        os.kill(server.process.pid, signal.SIGKILL)
        wait_until(lambda: not any(_is_alive(id) for id in ids))


def _is_alive(id: int) -> bool:
    try:
        with open(f"/proc/{id}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_what_is_forked_from_holds_neither_thread_nor_connection() -> None:
    """A fork copies one thread, and shares sockets: what it forked from must have none to lose."""
    with Server() as server:
        assert server.process is not None
        own = f"/proc/{server.process.pid}"
        assert len(os.listdir(f"{own}/task")) == 1
        assert not [fd for fd in os.listdir(f"{own}/fd") if os.readlink(f"{own}/fd/{fd}").startswith("socket:")]


def test_a_worker_that_dies_is_replaced() -> None:
    with Server() as server:
        workers = server.children("public listener worker")
        assert workers
        for id in workers:
            os.kill(id, signal.SIGKILL)
        wait_until(lambda: _answers(server))
        assert App(server.public).register(new_address()).status_code == 200


def _answers(server: Server) -> bool:
    try:
        return requests.get(server.public + "/health/ready", timeout=2).ok
    except requests.RequestException:
        return False


def start(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "serve", *arguments],
        env=server.environment, cwd=ROOT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_nobody_notices_that_the_database_ended_its_connections(postgres: str) -> None:
    with Server(dsn=postgres) as server:
        app = App(server.public)
        app.register(new_address())
        form = f"/self-service/login/flows?id={App(server.public).begin('login')['id']}"
        paths = ["/sessions/whoami", form, "/sessions", "/self-service/login/api?refresh=true"] * 16

        def ask(path: str) -> int:
            return requests.get(server.public + path, headers={**app.headers, "Accept": "application/json"}, timeout=30).status_code

        with ThreadPoolExecutor(8) as people, psycopg.connect(server.dsn, autocommit=True) as operator:
            for _ in range(2):
                assert set(people.map(ask, paths)) == {200}
                operator.execute(END_OTHERS)
            assert set(people.map(ask, reversed(paths))) == {200}


def test_a_port_in_use_is_one_clear_sentence() -> None:
    server = Server()
    server.write()
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", server.public_port))
        sock.listen()
        ended = start(server, "--dev")
    assert ended.returncode == 1
    assert ended.stderr.strip() == (
        f"CommandError: 127.0.0.1:{server.public_port}: address already in use."
        " Stop what listens there, or choose another serve.public.port."
    )


def test_it_does_not_start_on_a_database_that_is_behind() -> None:
    server = Server()
    server.write()
    ended = start(server)
    assert ended.returncode == 1
    assert "Run: manage.py migrate" in ended.stderr


def test_it_does_not_open_the_operators_listener_to_the_network() -> None:
    server = Server({"serve": {"admin": {"host": "0.0.0.0"}}})
    server.write()
    ended = start(server, "--dev")
    assert ended.returncode == 1
    assert "serve.admin.api_keys" in ended.stderr


def test_a_typo_stops_the_start_and_is_pointed_at() -> None:
    server = Server({"selfservice": {"flows": {"login": {"after": {"hooks": [{"hook": "web_hok"}]}}}}})
    server.write()
    ended = start(server, "--dev")
    assert ended.returncode == 1
    assert 'selfservice.flows.login.after.hooks.0.hook: there is no hook "web_hok". Did you mean "web_hook"?' in ended.stderr


def test_the_operators_api_wants_its_key() -> None:
    with Server({"serve": {"admin": {"api_keys": ["a-key-of-the-operators"]}}}) as server:
        url = server.admin + "/admin/identities"
        assert requests.get(url, timeout=10).status_code == 401
        assert requests.get(url, headers={"Authorization": "Bearer wrong"}, timeout=10).status_code == 401
        assert requests.get(url, headers={"Authorization": "Bearer a-key-of-the-operators"}, timeout=10).status_code == 200
        assert requests.get(server.admin + "/health/ready", timeout=10).status_code == 200


def test_nothing_of_the_operators_is_served_to_the_public() -> None:
    with Server() as server:
        for path in (
            "/admin/identities",
            "/admin/sessions",
            "/console/",
            "/metrics",
            "/openapi.json",
            "/admin/deliveries",
            "/health/config",
        ):
            assert requests.get(server.public + path, allow_redirects=False, timeout=10).status_code in (307, 404), path


def test_development_pages_exist_in_development_only() -> None:
    with Server(dev=False) as server:
        for path in ("/ui/dev/mailbox", "/ui/dev/hooks", "/ui/dev/hooks/x"):
            assert requests.get(server.public + path, timeout=10).status_code == 404
        cookies = requests.get(server.public + "/self-service/login/browser", allow_redirects=False, timeout=10).headers["Set-Cookie"]
        assert "Secure" in cookies


def test_three_hundred_connections_that_idle_are_in_nobodys_way() -> None:
    with Server() as server:
        idle = [requests.Session() for _ in range(300)]
        try:
            for session in idle:
                assert session.get(server.public + "/health/alive", timeout=10).status_code == 200
            assert requests.get(server.public + "/health/alive", timeout=10).status_code == 200
        finally:
            for session in idle:
                session.close()


def test_what_replaces_a_dead_process_has_the_configuration_of_today() -> None:
    """It is forked from one that read the configuration at the start."""
    with Server() as server:
        assert server.process is not None
        server.config["selfservice"]["flows"]["registration"]["enabled"] = False
        server.write()
        os.kill(server.process.pid, signal.SIGHUP)
        wait_until(lambda: _registration(server) == 400)
        for id in server.children("public listener"):
            os.kill(id, signal.SIGKILL)
        wait_until(lambda: _answers(server))
        assert {_registration(server) for _ in range(8)} == {400}


def _registration(server: Server) -> int:
    return requests.get(f"{server.public}/self-service/registration/api", headers={"Connection": "close"}, timeout=5).status_code
