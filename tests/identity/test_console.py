"""The console: what operators see of people, flows and deliveries, and the few things that they can do there."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from actions.delivery import outbox
from actions.delivery.models import Delivery, DeliveryAttempt
from flows.models import LoginFlow, RecoveryFlow, RegistrationFlow, SettingsFlow, VerificationFlow
from identity import console_sign_in
from identity.credentials.models import Credential
from identity.identities.models import Identity
from identity.sessions.models import Session
from tests.identity.conftest import ADMIN, HASH

IDENTITIES = "/console/identity/identity/"
DELIVERIES = "/console/actions/delivery/"


@pytest.fixture(autouse=True)
def _cheap_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def console(client, db):
    client.force_login(User.objects.create_superuser("admin", password="x"))
    client.cookies["vestibule_console"]["path"] = "/console/"
    return client


def page(console, path, query=None):
    response = console.get(path, query, **ADMIN)
    assert response.status_code == 200, response
    return response.content.decode()


def act(console, path, action, *ids):
    return console.post(path, {"action": action, "_selected_action": [str(id) for id in ids]}, follow=True, **ADMIN)


def flow(kind, until=None, **fields):
    secret = {"csrf_hash": "csrf-hash", "internal": {"kept": "inside"}}
    return kind.objects.create(request_url="https://h.test/", expires_at=until or timezone.now() + timedelta(hours=1), **secret, **fields)


def test_it_asks_strangers_to_sign_in(client, db):
    response = client.get(IDENTITIES, **ADMIN)

    assert response.status_code == 302
    assert response["Location"].startswith("/console/login/")


def test_it_lets_an_operator_sign_in(client, db):
    User.objects.create_superuser("admin", password="a password")

    response = client.post("/console/login/?next=/console/", {"username": "admin", "password": "a password"}, **ADMIN)

    assert (response.status_code, response["Location"]) == (302, "/console/")
    assert response.cookies["vestibule_console"]["path"] == "/console/"
    assert response.cookies["vestibule_console"]["httponly"]


def test_it_is_not_there_on_the_public_listener(client, db):
    assert client.get("/console/").status_code == 404
    assert client.get(IDENTITIES).status_code == 404


def test_it_shows_every_page(console, make):
    flow(SettingsFlow, identity=make.identity())
    page(console, "/console/")  # where the pages are looked for
    assert len(admin.site._registry) >= 8
    for registered in admin.site._registry:
        url = reverse(f"admin:{registered._meta.app_label}_{registered._meta.model_name}_changelist", urlconf="identity.admin_urls")
        page(console, url)
    assert "Identities" in page(console, "/console/")
    assert Group not in admin.site._registry


def test_it_lists_people_with_few_statements(console, make, django_assert_max_num_queries):
    for n in range(10):
        make.identity(f"p{n}@h.test")

    with django_assert_max_num_queries(6):
        seen = page(console, IDENTITIES)

    assert all(f"p{n}@h.test" in seen for n in range(10))


@pytest.mark.parametrize("term", ["ADA@h.test", "crm-1", " ada@h.test "])
def test_it_finds_a_person_by_any_of_their_names(console, make, term):
    make.identity(external_id="crm-1")
    make.identity("bob@h.test")

    seen = page(console, IDENTITIES, {"q": term})

    assert "ada@h.test" in seen
    assert "bob@h.test" not in seen


def test_it_finds_a_person_by_id(console, make):
    ada = make.identity()
    make.identity("bob@h.test")

    assert "bob@h.test" not in page(console, IDENTITIES, {"q": str(ada.id)})


@pytest.mark.parametrize("term", ["nobody", "'", "%", "ada@h.tes", "x" * 5000])
def test_it_finds_nobody_by_what_is_nobodys(console, make, term):
    make.identity()

    assert "ada@h.test</" not in page(console, IDENTITIES, {"q": term}).replace(" ", "")


def test_it_survives_a_search_that_no_database_could_make(console, make):
    make.identity()

    assert "Null characters are not allowed" in page(console, IDENTITIES, {"q": "\x00"})


def test_it_shows_a_person_but_no_secret(console, make):
    ada = make.identity(metadata_admin={"note": "vip"})
    Credential.objects.create(identity=ada, type="totp", config={"totp_url": "sealed-seed"})
    session = make.session(ada)

    seen = page(console, f"{IDENTITIES}{ada.id}/change/")

    assert all(text in seen for text in ("ada@h.test", "vip", "totp", "password", "::1", "End session"))
    assert not any(secret in seen for secret in (HASH, "sealed-seed", session.token_hash))
    assert 'name="_save"' not in seen


def test_it_escapes_what_people_say(console, make):
    ada = make.identity(metadata_public={"x": "<script>alert(1)</script>"})

    assert "<script>alert(1)" not in page(console, f"{IDENTITIES}{ada.id}/change/")


def test_it_changes_nothing_by_its_forms(console, make):
    ada = make.identity()

    assert console.post(f"{IDENTITIES}{ada.id}/change/", {"state": "inactive"}, **ADMIN).status_code == 403
    assert console.get(f"{IDENTITIES}add/", **ADMIN).status_code == 403
    assert console.post(f"{IDENTITIES}{ada.id}/delete/", {"post": "yes"}, **ADMIN).status_code == 403
    assert Identity.objects.get().state == "active"


def test_it_disables_and_enables(console, make):
    ada, bob = make.identity(), make.identity("bob@h.test")

    assert "1 disabled" in act(console, IDENTITIES, "disable", ada.id).content.decode()
    assert list(Identity.objects.filter(state="inactive")) == [ada]
    assert Identity.objects.get(pk=ada.pk).state_changed_at > ada.state_changed_at

    assert "1 enabled" in act(console, IDENTITIES, "enable", ada.id, bob.id).content.decode()
    assert not Identity.objects.filter(state="inactive").exists()


def test_it_ends_all_sessions_of_those_who_were_chosen(console, make):
    ada, bob = make.identity(), make.identity("bob@h.test")
    stays = make.session(bob)
    for _ in range(2):
        make.session(ada)

    assert "2 sessions ended" in act(console, IDENTITIES, "end_sessions", ada.id).content.decode()
    assert list(Session.objects.filter(active=True)) == [stays]


def test_it_ends_one_session_by_post_only(console, make):
    ada = make.identity()
    session, stays = make.session(ada), make.session(ada)
    path = f"{IDENTITIES}{ada.id}/sessions/{session.id}/end"

    assert console.get(path, **ADMIN).status_code == 405
    assert console.post(path, **ADMIN).status_code == 302
    assert list(Session.objects.filter(active=True)) == [stays]
    assert console.post(path.replace(str(ada.id), str(stays.id)), **ADMIN).status_code == 404


def test_it_refuses_a_forged_form(db, make):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.create_superuser("admin", password="x"))
    ada = make.identity()

    assert act(strict, IDENTITIES, "disable", ada.id).status_code == 403
    assert Identity.objects.get().is_active


def test_it_offers_no_actions_to_who_may_only_look(client, make):
    ada = make.identity()
    viewer = User.objects.create_user("viewer", password="x", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_identity"))
    client.force_login(viewer)

    act(client, IDENTITIES, "disable", ada.id)
    ended = client.post(f"{IDENTITIES}{ada.id}/sessions/{make.session(ada).id}/end", **ADMIN)

    assert "ada@h.test" in page(client, IDENTITIES)
    assert Identity.objects.get().is_active
    assert ended.status_code == 404


@pytest.mark.parametrize("kind", [LoginFlow, RegistrationFlow, SettingsFlow, RecoveryFlow, VerificationFlow])
def test_it_shows_flows_and_marks_the_expired(console, make, kind):
    owner = {"identity": make.identity()} if kind is SettingsFlow else {}
    old = flow(kind, until=timezone.now() - timedelta(hours=1), **owner)
    path = f"/console/flows/{kind._meta.model_name}/"

    listed, seen = page(console, path), page(console, f"{path}{old.id}/change/")

    assert "expired" in listed
    assert "expired" in seen
    assert "csrf-hash" not in seen
    assert "inside" not in seen


def delivery(**columns):
    row = outbox.enqueue_message("email", "ada@h.test", "recovery_code_valid", {"subject": "s", "body": "123456"})
    Delivery.objects.filter(pk=row.pk).update(**columns)
    return row


def test_it_shows_a_delivery_and_how_it_went(console):
    row = delivery(status="abandoned", attempts=6)
    DeliveryAttempt.objects.create(
        delivery=row, number=1, started_at=timezone.now(), took_ms=12, answer_status=503, answer="busy", error="HTTP 503"
    )

    listed, seen = page(console, DELIVERIES), page(console, f"{DELIVERIES}{row.id}/change/")

    assert all(text in listed for text in ("recovery_code_valid", "ada@h.test", "abandoned"))
    assert all(text in seen for text in ("12 ms", "503", "busy", "HTTP 503"))
    assert row.content not in seen
    assert "123456" not in seen


def test_it_filters_deliveries(console):
    delivery(status="abandoned")

    assert "ada@h.test" in page(console, DELIVERIES, {"status__exact": "abandoned"})
    assert "ada@h.test" not in page(console, DELIVERIES, {"channel__exact": "sms"})


def test_it_sends_again_what_is_kept(console):
    kept, blanked = delivery(status="abandoned", attempts=6), delivery(status="sent", content="")

    said = act(console, DELIVERIES, "send_again", kept.id, blanked.id).content.decode()

    assert "1 will be sent again" in said
    assert "1 cannot be sent again" in said
    assert outbox.due(5) == [kept.id]


# -- what it was never meant to be asked


@pytest.fixture
def looker(client, db):
    """Somebody who may look at everything, and do nothing."""
    user = User.objects.create_user("looker", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(user)
    client.cookies["vestibule_console"]["path"] = "/console/"
    return client


@pytest.mark.parametrize(
    ("path", "lookup"),
    [
        ("/console/flows/loginflow/", "csrf_hash__startswith"),
        ("/console/flows/loginflow/", "internal__kept__startswith"),
        ("/console/flows/loginflow/", "state__regex"),
        (DELIVERIES, "content__contains"),
        (IDENTITIES, "metadata_admin__why__startswith"),
    ],
)
def test_a_column_that_is_not_shown_cannot_be_guessed(looker, path, lookup):
    flow(LoginFlow)

    for value in ("csrf", "inside", "(((", "x"):
        assert looker.get(path, {lookup: value}, **ADMIN).status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        IDENTITIES + "?state=%00",
        IDENTITIES + "?state__exact=a%00",
        DELIVERIES + "?status=%00",
        "/console/flows/loginflow/?type=%00",
        "/console/r/1/1/",
        "/console/r/1/%00/",
        "/console/search/?s=a&page=abc",
        "/console/search/?s=a&page=" + "9" * 30,
        "/console/auth/user/" + "9" * 30 + "/change/",
        IDENTITIES + "?q=%00",
    ],
)
def test_odd_addresses_are_no_errors_of_ours(console, path):
    assert console.get(path, **ADMIN).status_code in (200, 302, 400, 404)


@pytest.mark.parametrize("path", [IDENTITIES, DELIVERIES, "/console/auth/user/"])
@pytest.mark.parametrize("id", ["foo", "\0", "9" * 30])
def test_actions_on_what_is_no_row_are_no_errors_of_ours(console, path, id):
    action = {IDENTITIES: "disable", DELIVERIES: "send_again"}.get(path, "delete_selected")

    response = console.post(path, {"action": action, "_selected_action": [id]}, **ADMIN)

    assert response.status_code in (200, 302, 400)


def test_it_stands_in_nobodys_frame(console):
    response = console.get("/console/", **ADMIN)

    assert response["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in response["Content-Security-Policy"]


def sign_in(name, password, address="192.0.2.1"):
    return Client().post("/console/login/", {"username": name, "password": password}, REMOTE_ADDR=address, **ADMIN)


@pytest.fixture
def guesses():
    console_sign_in.GUESSES.storage.reset()
    yield
    console_sign_in.GUESSES.storage.reset()


@pytest.mark.usefixtures("guesses")
def test_passwords_of_operators_cannot_be_guessed_without_end(db):
    User.objects.create_superuser("admin", password="a password")
    for _ in range(10):
        assert sign_in("admin", "wrong").status_code == 200

    refused = sign_in("Admin", "a password")

    assert refused.status_code == 200
    assert "Too many attempts" in refused.content.decode()
    assert sign_in("admin", "a password", "192.0.2.2").status_code == 302, "from elsewhere nobody is kept out"


@pytest.mark.usefixtures("guesses")
def test_a_right_password_forgets_the_wrong_ones(db):
    User.objects.create_superuser("admin", password="a password")
    for _ in range(3):
        assert [sign_in("admin", word).status_code for word in ["wrong"] * 5 + ["a password"]] == [200] * 5 + [302]


@pytest.mark.usefixtures("guesses")
def test_one_address_cannot_go_through_many_names(db):
    User.objects.create_superuser("admin", password="a password")
    for number in range(50):
        sign_in(f"nobody{number}", "wrong")

    assert "Too many attempts" in sign_in("admin", "a password").content.decode()
