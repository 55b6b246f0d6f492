"""What every test may use: a server on either database, the three kinds of clients, a webhook receiver."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings

from identity import config
from tests import services
from tests.clients import CLIENTS, Client
from tests.receiver import Receiver
from tests.server import Server

FAST = {"argon2": {"memory": "64KB", "iterations": 1}}


@pytest.fixture(scope="session", autouse=True)
def fast_hashes() -> Iterator[None]:
    """Passwords of tests are hashed at no cost, and nothing is asked of the outside."""
    quiet = {"selfservice": {"methods": {"password": {"config": {"haveibeenpwned_enabled": False}}}}}
    with config.override({"hashers": FAST, "secrets": {"cookie": ["a-secret-for-tests-0001"]}, **quiet}):
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep SQLite's test database in a file: threads that share one in memory lock each other out instead of waiting."""
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database.setdefault("TEST", {})["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    with services.postgres() as dsn:
        yield dsn


@pytest.fixture(scope="session")
def redis() -> Iterator[str]:
    with services.redis() as address:
        yield address


@pytest.fixture
def hooks() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server with the tests' plain configuration, once on SQLite and once on PostgreSQL."""
    dsn = request.getfixturevalue("postgres") if request.param == "postgres" else ""
    with Server({"selfservice": {"flows": {"verification": {"enabled": True}, "recovery": {"enabled": True}}}}, dsn) as running:
        yield running


@pytest.fixture(params=CLIENTS, ids=lambda client: client.__name__)
def client_type(request: pytest.FixtureRequest) -> type[Client]:
    return request.param  # type: ignore[no-any-return]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say aloud what was not run, and why."""
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped:
        terminalreporter.section("NOT RUN")
        for report in skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
            terminalreporter.write_line(f"{report.nodeid}: {reason}")
