"""What comes before the framework's stack, and what it leaves to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any

import pytest
from django.core.exceptions import SuspiciousOperation
from django.db import OperationalError, connection

from identity import config
from identity.http import shortcuts
from identity.http.shortcuts import Answer, Environ, Shortcut

PATH = "/quick"
WHOLE: Answer = ([("Content-Type", "text/plain")], b"quick")


def ask(shortcut: Shortcut, **more: str) -> tuple[str, bytes]:
    begun: list[str] = []

    def view(environ: Environ, start_response: Any) -> Iterable[bytes]:
        start_response("418 The view", [])
        return [b"slow"]

    environ = {"PATH_INFO": PATH, "REQUEST_METHOD": "GET", "QUERY_STRING": "", **more}
    said = shortcuts.before(view, {PATH: shortcut})(environ, lambda status, headers: begun.append(status))
    return begun[0], b"".join(said)


def test_it_answers_and_counts() -> None:
    assert ask(lambda environ: WHOLE) == ("200 OK", b"quick")


@pytest.mark.parametrize(
    "more", [{"PATH_INFO": "/quick/"}, {"REQUEST_METHOD": "HEAD"}, {"HTTP_ORIGIN": "https://app.example.org"}], ids=str
)
def test_what_is_not_for_it_goes_to_the_view(more: dict[str, str]) -> None:
    assert ask(lambda environ: WHOLE, **more) == ("418 The view", b"slow")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "error", [OperationalError("gone"), sqlite3.OperationalError("gone"), SuspiciousOperation("odd"), ValueError("a bug")], ids=repr
)
def test_what_it_fails_at_is_left_to_the_view(error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    closed: list[bool] = []
    monkeypatch.setattr(connection, "close", lambda: closed.append(True))

    def fail(environ: Environ) -> Answer | None:
        raise error

    assert ask(fail) == ("418 The view", b"slow")
    assert closed == ([True] if "gone" in str(error) else [])
    assert ("a short way failed" in caplog.text) == isinstance(error, ValueError)


def test_a_changed_configuration_counts_before_it_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    monkeypatch.setattr(config, "refresh", lambda: order.append("refreshed"))

    def quick(environ: Environ) -> Answer | None:
        order.append("answered")
        return WHOLE

    ask(quick)
    assert order == ["refreshed", "answered"]
