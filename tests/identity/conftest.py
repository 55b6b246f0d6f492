"""What the tests of the operator's API and of the console share."""

from __future__ import annotations

import concurrent.futures
import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bcrypt
import pytest
from django.db import connection
from django.test import Client

from identity import config
from identity.identities import services
from identity.identities.models import Identity
from identity.sessions import services as sessions
from identity.sessions.models import Session

ADMIN = {"vestibule.listener": "admin"}  # of the WSGI environment
PASSWORD = "correct-horse-Battery-9"
HASH = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
SECRETS = {"secrets": {"cookie": ["a-cookie-secret-of-the-tests"], "cipher": ["0123456789abcdef0123456789abcdef"]}}


class Operator:
    """Somebody with access to the admin listener."""

    def __init__(self) -> None:
        self.client = Client(raise_request_exception=True)

    def send(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        call = getattr(self.client, method)
        if method == "get":
            return call(path, body, **ADMIN, **more)
        if body is None:
            return call(path, **ADMIN, **more)
        return call(path, body, **{"content_type": "application/json", **more}, **ADMIN)

    def get(self, path: str, query: Any = None, **more: Any) -> Any:
        return self.send("get", path, query, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> Any:
        return self.send("post", path, body, **more)

    def put(self, path: str, body: Any = None, **more: Any) -> Any:
        return self.send("put", path, body, **more)

    def patch(self, path: str, body: Any = None, **more: Any) -> Any:
        return self.send("patch", path, body, **more)

    def delete(self, path: str, **more: Any) -> Any:
        return self.send("delete", path, **more)


class Make:
    """What has to be there before a test begins."""

    def identity(self, email: str = "ada@h.test", **fields: Any) -> Identity:
        identity = services.propose(traits={"email": email}, **fields)
        services.new_credential(identity, "password", {"hashed_password": HASH})
        services.derive(identity)
        services.create(identity)
        return identity

    def session(self, identity: Identity, **fields: Any) -> Session:
        opened = sessions.issue(identity, [sessions.proof("password", "aal1")], {"id": str(identity.id), "ip_address": "::1"})
        for name, value in fields.items():
            setattr(opened.session, name, value)
        sessions.save(opened)
        return opened.session


@pytest.fixture(autouse=True)
def _secrets() -> Iterator[None]:
    with config.override(SECRETS):
        yield


@pytest.fixture
def database_for_many(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    """A database that several threads use at once: SQLite's in memory answers the second one with an error instead of letting it wait."""
    name = connection.settings_dict["NAME"]
    if connection.vendor != "sqlite" or not connection.creation.is_in_memory_db(name):
        yield
        return
    connection.ensure_connection()
    inside = connection.connection
    with contextlib.closing(sqlite3.connect(tmp_path / "db.sqlite3")) as file:
        inside.backup(file)
    connection.connection, connection.settings_dict["NAME"] = None, str(tmp_path / "db.sqlite3")
    yield
    connection.close()
    connection.connection, connection.settings_dict["NAME"] = inside, name


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Return what each of them came to, all started together."""

    def run(work: Callable[[], Any]) -> Any:
        try:
            return work()
        finally:
            connection.close()

    with concurrent.futures.ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(run, works))


@pytest.fixture
def operator(db: None) -> Operator:
    return Operator()


@pytest.fixture
def make(db: None) -> Make:
    return Make()
