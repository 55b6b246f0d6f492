"""Addresses that others know by heart: password managers, pages that sign in with keys."""

from __future__ import annotations

from django.test import Client

from flows import conf


def test_a_password_manager_finds_where_passwords_are_changed() -> None:
    answer = Client().get("/.well-known/change-password")

    assert (answer.status_code, answer["Location"]) == (303, conf.flow("settings").ui_url)


def test_nobody_posts_to_it() -> None:
    assert Client(enforce_csrf_checks=False).post("/.well-known/change-password").status_code == 405
