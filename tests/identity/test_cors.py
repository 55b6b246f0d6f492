"""Pages of other origins call only where the operator let them (CORS; contract: identities.md 6.5)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.http import HttpResponse
from django.test import Client

from identity import config

APP, EVE = "https://app.example.org", "https://evil.example.net"
pytestmark = pytest.mark.django_db


@pytest.fixture
def open_to_apps() -> Iterator[None]:
    with config.override({"serve": {"public": {"cors": {"enabled": True, "allowed_origins": ["https://*.example.org"]}}}}):
        yield


def start(origin: str) -> HttpResponse:
    return Client().get("/self-service/login/api", HTTP_ORIGIN=origin)


def preflight(origin: str) -> HttpResponse:
    asked = {"HTTP_ACCESS_CONTROL_REQUEST_METHOD": "POST", "HTTP_ACCESS_CONTROL_REQUEST_HEADERS": "content-type, x-odd"}
    return Client().options("/self-service/login", HTTP_ORIGIN=origin, **asked)


def allowed(response: HttpResponse) -> dict[str, str]:
    return {name: value for name, value in response.items() if name.startswith("Access-Control")}


def test_nobody_is_let_in_by_default() -> None:
    assert allowed(start(APP)) == allowed(preflight(APP)) == {}
    assert "origin" not in start(APP).get("Vary", "").lower()


@pytest.mark.usefixtures("open_to_apps")
def test_a_page_of_an_allowed_origin_reads_the_answer() -> None:
    response = start(APP)

    assert (response.status_code, response["Access-Control-Allow-Origin"]) == (200, APP)
    assert "origin" in response["Vary"].lower()


@pytest.mark.usefixtures("open_to_apps")
def test_a_preflight_is_told_what_it_asked_for() -> None:
    response = preflight(APP)

    assert response.status_code == 204
    assert response["Access-Control-Allow-Methods"] == "POST"
    assert response["Access-Control-Allow-Headers"] == "content-type"


@pytest.mark.usefixtures("open_to_apps")
def test_a_page_of_another_origin_reads_nothing() -> None:
    assert allowed(start(EVE)) == allowed(preflight(EVE)) == {}


@pytest.mark.usefixtures("open_to_apps")
def test_the_operators_listener_lets_no_page_in() -> None:
    response = Client(**{"vestibule.listener": "admin"}).get("/health/alive", HTTP_ORIGIN=APP)

    assert (response.status_code, allowed(response)) == (200, {})
