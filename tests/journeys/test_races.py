"""What happens at the same instant happens once: on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest
import requests

from tests.clients import PASSWORD, App, Client, Page, messages_of, new_address, value_of
from tests.receiver import Received, Receiver, Says
from tests.server import Server


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Return what each of *works* returns; all of them begin together."""
    start = Barrier(len(works))

    def begin(work: Callable[[], Any]) -> Any:
        start.wait()
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result() for future in [pool.submit(begin, work) for work in works]]


def twin(who: Client) -> Client:
    """Return a second client that is the same person at the same machine."""
    other = type(who)(who.public)
    other.http.cookies.update(who.http.cookies)
    other.headers.update(who.headers)
    return other


def test_it_takes_one_of_two_sign_ins_with_one_form(server: Server) -> None:
    for client in (App, Page):
        address = new_address()
        client(server.public).register(address)
        who = client(server.public)
        flow = who.begin("login")
        fields = {"method": "password", "identifier": address, "password": PASSWORD}

        answers = at_once(*(partial(twin(who).send, flow, fields) for _ in range(2)))

        assert sorted(answer.status_code for answer in answers) == [200, 410]
        late = next(answer for answer in answers if answer.status_code == 410)
        assert late.json()["error"]["id"] == "self_service_flow_replaced"
        assert late.json()["use_flow_id"] != flow["id"]


def test_it_makes_one_identity_of_eight_registrations_with_one_address(server: Server) -> None:
    address = new_address()

    answers = at_once(*(lambda: App(server.public).register(address) for _ in range(8)))

    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7
    assert {tuple(messages_of(answer.json())) for answer in answers if answer.status_code == 400} == {(4000007,)}
    found = requests.get(f"{server.admin}/admin/identities", params={"credentials_identifier": address}, timeout=30).json()
    assert len(found) == 1


def test_it_makes_one_identity_of_one_form_that_is_sent_twice(server: Server) -> None:
    who, address = Page(server.public), new_address()
    flow = who.begin("registration")
    fields = {"method": "password", "password": PASSWORD, "traits": {"email": address}}

    answers = at_once(*(partial(twin(who).send, flow, fields) for _ in range(2)))

    assert sorted(answer.status_code for answer in answers)[0] == 200
    assert all(answer.status_code in (200, 400, 410) for answer in answers)
    assert sum(answer.status_code == 200 for answer in answers) == 1


def test_it_saves_one_of_two_changes_made_from_one_form(server: Server) -> None:
    who, address = Page(server.public), new_address()
    who.register(address)
    flow = who.begin("settings")

    def change(other: Client, name: str) -> requests.Response:
        return other.send(flow, {"method": "profile", "traits": {"email": address, "name": {"first": name}}})

    answers = at_once(lambda: change(twin(who), "Ada"), lambda: change(twin(who), "Bob"))

    saved = requests.get(f"{server.admin}/admin/identities", params={"credentials_identifier": address}, timeout=30).json()[0]["traits"]
    winners = [value_of(answer.json(), "traits.name.first") for answer in answers if answer.status_code == 200]
    assert saved["name"]["first"] in winners
    assert all(answer.status_code in (200, 400, 401) for answer in answers), [answer.text for answer in answers]


@pytest.mark.parametrize("flow", ["login", "settings", "registration"])
def test_somebody_who_is_deleted_while_a_hook_is_asked_is_told_so(flow: str, postgres: str) -> None:
    """The operator's hook deletes the person that it is asked about, and lets them go on."""
    with Receiver() as hooks:
        asked = {"hook": "web_hook", "config": {"url": hooks.url + "/asked", "method": "POST", "can_interrupt": flow == "settings"}}
        after = {"hooks": [asked, {"hook": "session"}] if flow == "registration" else [asked]}
        flows = {flow: {"after": {"profile" if flow == "settings" else "password": after}}}
        with Server({"selfservice": {"flows": flows}}, postgres) as server:
            address, person = new_address(), App(server.public)

            def delete(got: Received) -> Says:
                [found] = requests.get(server.admin + "/admin/identities", params={"credentials_identifier": address}).json()
                requests.delete(f"{server.admin}/admin/identities/{found['id']}")
                return Says()

            if flow == "registration":
                hooks.on("/asked", delete)
                answer = person.register(address)
            else:
                person.register(address)
                hooks.on("/asked", delete)
                form = person.begin("settings")
                traits = {"email": address, "name": {"first": "Ada"}}
                answer = (
                    App(server.public).login(address) if flow == "login" else person.send(form, {"method": "profile", "traits": traits})
                )

            assert answer.status_code in (401, 404, 409), answer.text
            assert not person.is_signed_in()
            assert "Traceback" not in server.log.read_text()


@pytest.mark.parametrize("change", ["closed", "password"])
def test_a_sign_in_that_waits_for_a_hook_does_not_outlive_what_it_was_proved_by(change: str) -> None:
    with Receiver() as hooks:
        asked = {"hook": "web_hook", "config": {"url": hooks.url + "/asked", "method": "POST"}}
        with Server({"selfservice": {"flows": {"login": {"after": {"password": {"hooks": [asked]}}}}}}) as server:
            address, owner, thief = new_address(), App(server.public), App(server.public)
            id = owner.register(address).json()["identity"]["id"]
            form = owner.begin("settings")

            def react(got: Received) -> Says:
                if change == "closed":
                    patch = [{"op": "replace", "path": "/state", "value": "inactive"}]
                    assert requests.patch(f"{server.admin}/admin/identities/{id}", json=patch).ok
                else:
                    assert owner.send(form, {"method": "password", "password": PASSWORD + "-new"}).ok
                return Says()

            hooks.on("/asked", react)
            answer = thief.login(address)

            assert answer.status_code == 400, answer.text
            assert not thief.is_signed_in()


@pytest.mark.parametrize("flow", ["registration", "recovery"])
def test_an_account_that_is_closed_while_a_hook_is_asked_gets_no_session(flow: str) -> None:
    """Not even one that opens something once the account is open again."""
    with Receiver() as hooks:
        asked = {"hook": "web_hook", "config": {"url": hooks.url + "/asked", "method": "POST"}}
        after = {"password": {"hooks": [asked, {"hook": "session"}]}} if flow == "registration" else {"hooks": [asked]}
        methods = {"code": {"enabled": True}}
        with Server({"selfservice": {"methods": methods, "flows": {flow: {"enabled": True, "after": after}}}}) as server:
            address, person = new_address(), App(server.public)

            def patch(state: str) -> bool:
                [found] = requests.get(server.admin + "/admin/identities", params={"credentials_identifier": address}).json()
                change = [{"op": "replace", "path": "/state", "value": state}]
                return requests.patch(f"{server.admin}/admin/identities/{found['id']}", json=change).ok

            if flow == "registration":
                hooks.on("/asked", lambda got: Says(200 if patch("inactive") else 500))
                answer = person.register(address)
            else:
                id = person.register(address).json()["identity"]["id"]
                hooks.on("/asked", lambda got: Says(200 if patch("inactive") else 500))
                made = requests.post(server.admin + "/admin/recovery/code", json={"identity_id": id, "flow_type": "api"}).json()
                form = f"{server.public}/self-service/recovery?flow={made['recovery_link'].rpartition('flow=')[2]}"
                answer = requests.post(form, json={"method": "code", "code": made["recovery_code"]})

            assert len(hooks.log) == 1
            assert messages_of(answer.json()) == [4010011], answer.text
            assert "session_token" not in answer.text
            assert patch("active")
            sessions = requests.get(server.admin + "/admin/sessions", params={"expand": "identity"}).json()
            assert len(sessions) == (0 if flow == "registration" else 1), "only the one of the sign-up, if any"


@pytest.mark.parametrize("client", [App, Page])
def test_a_change_that_waits_for_a_hook_is_not_made_once_the_session_was_ended(client: type[Client]) -> None:
    with Receiver() as hooks:
        asked = {"hook": "web_hook", "config": {"url": hooks.url + "/asked", "method": "POST", "can_interrupt": True}}
        with Server({"selfservice": {"flows": {"settings": {"after": {"profile": {"hooks": [asked]}}}}}}) as server:
            address, thief = new_address(), client(server.public)
            thief.register(address)
            thief.login(address) if not thief.is_signed_in() else None
            [found] = requests.get(server.admin + "/admin/identities", params={"credentials_identifier": address}).json()
            hooks.on(
                "/asked", lambda got: Says() if requests.delete(f"{server.admin}/admin/identities/{found['id']}/sessions").ok else Says(500)
            )

            thief.send(thief.begin("settings"), {"method": "profile", "traits": {"email": address, "name": {"first": "Eve"}}})

            now = requests.get(f"{server.admin}/admin/identities/{found['id']}").json()
            assert "name" not in now["traits"]
            assert not thief.is_signed_in()


def test_a_browsers_form_that_was_sent_with_a_token_gets_no_cookie_of_its_session(server: Server) -> None:
    address, app = new_address(), App(server.public)
    app.register(address)
    token = {"X-Session-Token": app.headers["X-Session-Token"], "Accept": "application/json"}
    page = requests.Session()
    flow = page.get(server.public + "/self-service/settings/browser", headers=token).json()
    fields = {"method": "profile", "csrf_token": value_of(flow, "csrf_token"), "traits": {"email": address, "name": {"first": "Ada"}}}

    answer = page.post(flow["ui"]["action"], json=fields, headers=token)

    assert answer.status_code == 200, answer.text
    assert not any("session" in cookie.name for cookie in page.cookies)
    assert app.is_signed_in()
