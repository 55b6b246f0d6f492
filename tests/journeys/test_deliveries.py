"""Webhooks that nobody waits for arrive, whatever dies meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests

from tests.clients import App, new_address
from tests.receiver import Receiver, Says
from tests.server import ROOT, Server, merged
from tests.services import free_port

PEOPLE = 200


def telling(url: str, **more: Any) -> dict[str, Any]:
    hook = {"hook": "web_hook", "config": {"url": url, "method": "POST", "response": {"ignore": True}}}
    quick = {"deliveries": {"schedule": ["1s", "1s", "1s", "2s", "2s", "5s", "5s", "5s", "5s", "5s", "5s"], **more}}
    return {"selfservice": {"flows": {"registration": {"after": {"password": {"hooks": [hook]}}}}}, **quick}


def wait_until(what: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


@pytest.fixture(params=["sqlite", "postgres"])
def dsn(request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue("postgres") if request.param == "postgres" else ""  # type: ignore[no-any-return]


def test_it_arrives_after_the_receiver_was_down_and_the_worker_killed(dsn: str) -> None:
    port = free_port()
    with Server(telling(f"http://127.0.0.1:{port}/told"), dsn) as server:
        App(server.public).register(new_address())
        wait_until(lambda: tried(server) > 0)
        os.kill(server.children("dispatcher")[0], signal.SIGKILL)
        wait_until(lambda: bool(server.children("dispatcher")))

        with Receiver(port) as hooks:
            got = hooks.wait_for(1, 60)

        ids = {one["message_id"] for one in deliveries(server)}
        assert {received.headers["webhook-id"] for received in got} == ids


def deliveries(server: Server) -> list[dict[str, Any]]:
    return requests.get(f"{server.admin}/admin/deliveries", params={"page_size": "500"}, timeout=30).json()  # type: ignore[no-any-return]


def tried(server: Server) -> int:
    return sum(one["attempt_count"] for one in deliveries(server))


def test_it_loses_none_of_many_while_the_worker_is_killed(dsn: str, hooks: Receiver) -> None:
    hooks.on("/told", lambda got: Says(hangs=0.01))
    with Server(telling(f"{hooks.url}/told"), dsn) as server:
        for number in range(PEOPLE):
            App(server.public).register(new_address())
            if number in (50, 120):
                for worker in server.children("dispatcher"):
                    os.kill(worker, signal.SIGKILL)

        wait_until(lambda: len({got.headers["webhook-id"] for got in hooks.log}) >= PEOPLE, 120)
    assert len({got.headers["webhook-id"] for got in hooks.log}) == PEOPLE


@contextmanager
def celery_worker(server: Server, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    with server.log.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "worker", *options], env=server.environment, cwd=ROOT, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def test_it_loses_none_with_redis_and_workers_that_are_killed(postgres: str, redis: str, hooks: Receiver) -> None:
    hooks.on("/told", lambda got: Says(hangs=0.01))
    with Server(telling(f"{hooks.url}/told", broker_url=redis), postgres) as server:
        assert not server.children("dispatcher"), "with a broker, workers are processes of their own"
        with celery_worker(server) as first:
            for number in range(PEOPLE):
                App(server.public).register(new_address())
                if number == 80:
                    first.kill()
                    first.wait()
        with celery_worker(server):
            wait_until(lambda: len({got.headers["webhook-id"] for got in hooks.log}) >= PEOPLE, 180)
    assert len({got.headers["webhook-id"] for got in hooks.log}) == PEOPLE


def test_it_answers_although_the_broker_is_away(postgres: str, hooks: Receiver) -> None:
    away = f"redis://127.0.0.1:{free_port()}/0"
    with Server(telling(f"{hooks.url}/told", broker_url=away), postgres) as server:
        answer = App(server.public).register(new_address())

        assert answer.status_code == 200
        assert [one["status"] for one in deliveries(server)][:1] == ["queued"]


def test_a_receiver_that_has_stalled_holds_up_no_mail(dsn: str) -> None:
    released = threading.Event()
    with Receiver() as hooks:
        hooks.on("/told", lambda got: Says() if released.wait(60) else Says(500))
        recovery = {"selfservice": {"flows": {"recovery": {"enabled": True}}, "methods": {"code": {"enabled": True}}}}
        with Server(merged(telling(hooks.url + "/told"), recovery), dsn) as server:
            address = new_address()
            for person in (address, *(new_address() for _ in range(19))):
                assert App(server.public).register(person).status_code == 200
            hooks.wait_for(6)  # every thread that webhooks may take

            app = App(server.public)
            app.send(app.begin("recovery"), {"method": "code", "email": address})

            wait_until(lambda: ("recovery_code_valid", "sent") in messages(server), 20)
            released.set()


def test_a_worker_for_messages_alone_waits_for_no_stalled_receiver(postgres: str, redis: str) -> None:
    released = threading.Event()
    with Receiver() as hooks:
        hooks.on("/told", lambda got: Says() if released.wait(60) else Says(500))
        recovery = {"selfservice": {"flows": {"recovery": {"enabled": True}}, "methods": {"code": {"enabled": True}}}}
        config = merged(telling(hooks.url + "/told", broker_url=redis), recovery)
        with Server(config, postgres) as server, celery_worker(server), celery_worker(server, "--only", "messages"):
            address = new_address()
            for person in (address, *(new_address() for _ in range(19))):
                assert App(server.public).register(person).status_code == 200
            hooks.wait_for(8, 60)  # every thread of the worker that takes both

            app = App(server.public)
            app.send(app.begin("recovery"), {"method": "code", "email": address})

            wait_until(lambda: any(one["channel"] == "email" and one["attempt_count"] for one in deliveries(server)))
            assert len(hooks.log) == 8, "a worker for messages delivers no webhook"
            released.set()


def messages(server: Server) -> set[tuple[str, str]]:
    listed = requests.get(f"{server.admin}/admin/courier/messages", timeout=30).json()
    return {(message["template_type"], message["status"]) for message in listed}
