"""Bad input is normal input: a clear refusal, nothing half stored, never a 500."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.clients import PASSWORD, App, Browser, Client, Page, messages_of, new_address
from tests.server import Server

BODIES: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "application/json"),
    "broken JSON": (b'{"method": ', "application/json"),
    "a list": (b"[]", "application/json"),
    "a text": (b'"x"', "application/json"),
    "null": (b"null", "application/json"),
    "a byte order mark": (b"\xef\xbb\xbf{}", "application/json"),
    "NaN": (b'{"method": NaN}', "application/json"),
    "a number without end": (b'{"method": 1e999}', "application/json"),
    "deep nesting": (b'{"a":' * 3000 + b"1" + b"}" * 3000, "application/json"),
    "NUL": (b'{"method": "password", "identifier": "a\\u0000b", "password": "x"}', "application/json"),
    "bad UTF-8": (b'{"method": "password", "identifier": "\xff\xfe", "password": "x"}', "application/json"),
    "half a surrogate": (b'{"method": "password", "identifier": "\\ud800", "password": "x"}', "application/json"),
    "a broken escape": (b"method=password&identifier=%zz", "application/x-www-form-urlencoded"),
    "NUL in a form": (b"method=password&identifier=a%00b&password=x", "application/x-www-form-urlencoded"),
    "bad UTF-8 in a form": (b"method=password&identifier=%ff&password=x", "application/x-www-form-urlencoded"),
    "another type": (b"<x/>", "application/xml"),
    "no type": (b"{}", ""),
    "a password of a megabyte": (
        b'{"method":"password","identifier":"a@example.org","password":"' + b"x" * 1_000_000 + b'"}',
        "application/json",
    ),
    "more than is read": (b"x" * (5 * 1024 * 1024 + 1), "application/json"),
    "wrong types": (b'{"method": ["password"], "identifier": {"a": 1}, "password": 7}', "application/json"),
}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("flow", ["login", "registration"])
def test_it_answers_a_bad_body_with_a_form_that_says_so(server: Server, flow: str, name: str) -> None:
    body, kind = BODIES[name]
    who = App(server.public)
    begun = who.begin(flow)

    answer = who.request("POST", begun["ui"]["action"], data=body, headers={"Content-Type": kind} if kind else {})

    assert answer.status_code == 400, answer.text[:300]
    assert messages_of(answer.json())
    assert who.fetch(flow, begun["id"])["id"] == begun["id"], "the form is still good"


HEADERS = {
    "X-Session-Token": "ory_st_" + "x" * 5000,
    "Authorization": "Bearer \x80\x81",
    "Cookie": "ory_kratos_session=MTY3; csrf_token_x=%%%; =; ;;",
    "X-Forwarded-Host": "evil.example, other.example/path",
    "X-Forwarded-Proto": "javascript",
    "X-Forwarded-For": "not an address, 999.1.1.1",
    "Accept": ";;;q=x, */*;q=nan",
    "X-Request-Id": "<script>",
}


@pytest.mark.parametrize("name", HEADERS)
def test_it_does_not_stumble_over_a_header(server: Server, name: str) -> None:
    for path in ("/self-service/login/api", "/self-service/login/browser", "/sessions/whoami", "/self-service/settings/api", "/ui/login"):
        answer = requests.get(server.public + path, headers={name: HEADERS[name].encode("latin-1")}, allow_redirects=False, timeout=30)
        assert answer.status_code < 500, (path, answer.text)
        assert "evil.example" not in answer.headers.get("Location", "")


@pytest.mark.parametrize("id", ["", "x", "00000000-0000-0000-0000-000000000000", "%00", "../../etc", "' OR 1=1", "é" * 100])
def test_it_does_not_stumble_over_a_flow_id(server: Server, id: str) -> None:
    for flow in ("login", "registration", "settings", "recovery", "verification"):
        for client in (App, Page, Browser):
            who = client(server.public)
            assert who.request("GET", f"/self-service/{flow}/flows", params={"id": id}).status_code in (302, 401, 404)
            assert who.request("POST", f"/self-service/{flow}", params={"flow": id}, json={}).status_code in (303, 400, 401, 404)


def test_it_does_not_show_a_form_to_another_browser(server: Server) -> None:
    flow = Browser(server.public).begin("login")

    answer = Browser(server.public).request("GET", "/self-service/login/flows", params={"id": flow["id"]})

    assert answer.status_code == 403
    assert answer.json()["error"]["id"] == "security_csrf_violation"


def test_it_does_not_take_a_form_from_another_browser(server: Server) -> None:
    flow, address = Page(server.public).begin("registration"), new_address()

    answer = Page(server.public).send(flow, {"method": "password", "password": PASSWORD, "traits": {"email": address}})

    assert answer.status_code == 403
    assert requests.get(f"{server.admin}/admin/identities", params={"credentials_identifier": address}, timeout=30).json() == []


def test_it_does_not_take_a_form_of_another_kind_of_flow(server: Server) -> None:
    flow = App(server.public).begin("registration")

    answer = App(server.public).request("POST", "/self-service/login", params={"flow": flow["id"]}, json={"method": "password"})

    assert answer.status_code == 404


TRAITS: dict[str, Any] = {
    "none": None,
    "a list": [],
    "a text": "x",
    "an unknown one": {"email": "a@example.org", "admin": True},
    "of the wrong type": {"email": 7},
    "a prototype": {"__proto__": {"x": 1}, "email": "b@example.org"},
    "a huge one": {"email": "x" * 400 + "@example.org"},
}


@pytest.mark.parametrize("name", TRAITS)
def test_it_stores_nobody_with_bad_traits(server: Server, client_type: type[Client], name: str) -> None:
    if client_type is Browser and not isinstance(TRAITS[name], dict):
        TRAITS_IN_A_FORM = {"method": "password", "password": PASSWORD, "traits": "not json"}
        sent = TRAITS_IN_A_FORM
    else:
        sent = {"method": "password", "password": PASSWORD, "traits": TRAITS[name]}
    who = client_type(server.public)

    answer = who.send(who.begin("registration"), sent)

    assert messages_of(who.shown("registration", answer))
    assert not who.is_signed_in()


def test_it_says_no_to_evil_return_addresses(server: Server) -> None:
    for evil in (
        "https://evil.example/",
        "//evil.example",
        "javascript:alert(1)",
        server.public + "@evil.example/self-service",
        "\\\\evil.example",
        "/\\evil.example",
        "https:evil.example",
    ):
        answer = App(server.public).request(
            "GET", "/self-service/login/browser", params={"return_to": evil}, headers={"Accept": "application/json"}
        )
        assert answer.status_code == 400, evil
