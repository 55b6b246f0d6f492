"""Sign up, sign in, change things, sign out: with a password, in each kind of client, on both databases."""

from __future__ import annotations

from tests.clients import PASSWORD, Browser, Client, messages_of, new_address, value_of
from tests.server import Server

NEW = "another-Horse-8-battery"


def test_it_signs_a_new_person_in(server: Server, client_type: type[Client]) -> None:
    who, address = client_type(server.public), new_address()

    answer = who.register(address)

    assert who.succeeded(answer), answer.text
    seen = who.whoami().json()
    assert seen["identity"]["traits"] == {"email": address}
    assert [entry["method"] for entry in seen["authentication_methods"]] == ["password"]


def test_it_signs_in_and_out_again(server: Server, client_type: type[Client]) -> None:
    address = new_address()
    client_type(server.public).register(address)
    who = client_type(server.public)

    assert who.succeeded(who.login(f"  {address.upper()} "))
    assert who.is_signed_in()
    sign_out(who)
    assert not who.is_signed_in()


def sign_out(who: Client) -> None:
    if token := who.headers.get("X-Session-Token"):
        assert who.request("DELETE", "/self-service/logout/api", json={"session_token": token}).status_code == 204
        return
    link = who.request("GET", "/self-service/logout/browser", headers={"Accept": "application/json"}).json()["logout_url"]
    assert who.request("GET", link).status_code in (204, 303)


def test_it_shows_one_answer_for_unknown_people_and_wrong_passwords(server: Server, client_type: type[Client]) -> None:
    address = new_address()
    client_type(server.public).register(address)
    who = client_type(server.public)

    wrong = who.shown("login", who.login(address, "not-The-Password"))
    unknown = who.shown("login", who.login(new_address()))

    assert messages_of(wrong) == messages_of(unknown) == [4000006]
    assert value_of(wrong, "identifier") == address
    assert value_of(wrong, "password") is None


def test_it_changes_profile_and_password(server: Server, client_type: type[Client]) -> None:
    who, address = client_type(server.public), new_address()
    who.register(address)
    elsewhere = client_type(server.public)
    elsewhere.login(address)

    who.send(
        who.begin("settings"),
        {"method": "profile", "traits": {"email": address, "name": {"first": "Ada"}}}
        if client_type is not Browser
        else {"method": "profile", "traits": {"email": address, "name.first": "Ada"}},
    )
    who.send(who.begin("settings"), {"method": "password", "password": NEW})

    assert who.whoami().json()["identity"]["traits"] == {"email": address, "name": {"first": "Ada"}}
    assert not elsewhere.is_signed_in(), "a new password ends the other sessions"
    assert client_type(server.public).succeeded(client_type(server.public).login(address, NEW))
    old = client_type(server.public)
    assert messages_of(old.shown("login", old.login(address, PASSWORD))) == [4000006]


def test_it_lists_and_ends_other_sessions(server: Server, client_type: type[Client]) -> None:
    address = new_address()
    first, second, third = (client_type(server.public) for _ in range(3))
    first.register(address)
    second.login(address)
    third.login(address)

    others = first.request("GET", "/sessions").json()
    assert len(others) == 2
    assert first.request("DELETE", f"/sessions/{second.whoami().json()['id']}").status_code == 204
    assert [who.is_signed_in() for who in (first, second, third)] == [True, False, True]
    assert first.request("DELETE", "/sessions").json() == {"count": 1}
    assert [who.is_signed_in() for who in (first, second, third)] == [True, False, False]


def test_it_does_not_end_the_session_of_somebody_else(server: Server, client_type: type[Client]) -> None:
    ada, eve = client_type(server.public), client_type(server.public)
    ada.register(new_address())
    eve.register(new_address())

    assert eve.request("DELETE", f"/sessions/{ada.whoami().json()['id']}").status_code == 204, "and learns nothing"
    assert ada.is_signed_in()


def test_it_refuses_a_second_account_with_one_address(server: Server, client_type: type[Client]) -> None:
    address = new_address()
    client_type(server.public).register(address)
    who = client_type(server.public)

    shown = who.shown("registration", who.register(address.upper()))

    assert messages_of(shown) == [4000007]
    assert value_of(shown, "traits.email") == address.upper()
    assert not who.is_signed_in()


def test_it_gives_a_new_token_when_the_person_signs_in_again(server: Server) -> None:
    who, address = Browser(server.public), new_address()
    who.register(address)
    before = dict(who.http.cookies)
    session = who.whoami().json()["id"]

    who.login(address, refresh="true")

    assert who.whoami().json()["id"] == session
    stolen = Browser(server.public)
    stolen.http.cookies.update(before)
    assert not stolen.is_signed_in(), "who had the old cookie has nothing"
