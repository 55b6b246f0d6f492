"""Signing in by password: what happens while it is hashed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import bcrypt
import pytest
from django.test import Client
from django.utils import timezone

from flows import linking
from flows.methods import password as method
from flows.models import LoginFlow
from identity.credentials import password
from identity.errors import IdentityDisabled
from identity.identities import services
from identity.identities.models import Identity
from identity.sessions import services as sessions
from identity.sessions.models import Session
from tests.factor_journeys import make_person

pytestmark = pytest.mark.django_db
OLD, NEW = "correct horse battery staple", "another staple of horses"
ADDRESS = "ada@example.org"


@pytest.fixture
def ada() -> Identity:
    return with_password(make_person(ADDRESS), password.make_hash(OLD))


def with_password(ada: Identity, hashed: str) -> Identity:
    after = services.revise(ada)
    services.put_credential(after, "password", {"hashed_password": hashed}, [ADDRESS])
    services.update(ada, after)
    return after


def stored(ada: Identity) -> Identity:
    return Identity.objects.get(pk=ada.pk)


def change_password(ada: Identity) -> None:
    """As the settings do: the other sessions end."""
    changed = with_password(stored(ada), password.make_hash(NEW))
    sessions.revoke_others(changed, keep=None)


def close(ada: Identity) -> None:
    after = services.revise(stored(ada))
    after.state = Identity.INACTIVE
    services.update(stored(ada), after)


def sign_in(typed: str = OLD) -> int:
    app = Client()
    flow = app.get("/self-service/login/api").json()
    fields = {"method": "password", "identifier": ADDRESS, "password": typed}
    answer = app.post(f"/self-service/login?flow={flow['id']}", fields, content_type="application/json")
    return answer.status_code


def meanwhile(monkeypatch: pytest.MonkeyPatch, name: str, react: Callable[[], None]) -> None:
    """Let *react* happen while the sign-in hashes: after the function *name* of identity/credentials/password.py was right."""
    real = getattr(password, name)

    def during(*arguments: str) -> object:
        result = real(*arguments)
        monkeypatch.setattr(method.password, name, real)
        react()
        return result

    monkeypatch.setattr(method.password, name, during)


@pytest.mark.parametrize("change", [change_password, close])
def test_a_sign_in_does_not_outlive_a_change_that_was_made_while_it_hashed(
    ada: Identity, monkeypatch: pytest.MonkeyPatch, change: Callable[[Identity], None]
) -> None:
    meanwhile(monkeypatch, "verify", lambda: change(ada))

    assert sign_in() == 400
    assert not Session.objects.filter(active=True).exists()


def test_a_sign_in_does_not_mind_that_something_else_was_changed(ada: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    def rename() -> None:
        after = services.revise(stored(ada))
        after.traits = {**after.traits, "name": {"first": "Ada"}}
        services.update(stored(ada), after)

    meanwhile(monkeypatch, "verify", rename)

    assert sign_in() == 200
    assert stored(ada).traits["name"] == {"first": "Ada"}


def test_a_renewed_hash_does_not_bring_an_old_password_back(ada: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    with_password(stored(ada), bcrypt.hashpw(OLD.encode(), bcrypt.gensalt(4)).decode())
    meanwhile(monkeypatch, "make_hash", lambda: change_password(ada))

    assert sign_in() == 400
    assert (sign_in(OLD), sign_in(NEW)) == (400, 200)
    assert Session.objects.filter(active=True).count() == 1


def test_two_sign_ins_may_renew_one_hash(ada: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    with_password(stored(ada), bcrypt.hashpw(OLD.encode(), bcrypt.gensalt(4)).decode())
    others: list[int] = []
    meanwhile(monkeypatch, "make_hash", lambda: others.append(sign_in()))

    assert (sign_in(), others) == (200, [200])
    credential = stored(ada).credential("password")
    assert credential is not None
    assert credential.config["hashed_password"].startswith("$argon2id$")


@pytest.mark.parametrize("change", [change_password, close])
def test_no_account_is_linked_to_one_that_changed_while_it_was_proved(ada: Identity, change: Callable[[Identity], None]) -> None:
    """Else who knows an old password had a way in for good."""
    flow = LoginFlow.objects.create(request_url="https://h.test/", expires_at=timezone.now() + timedelta(hours=1))
    account = {"provider": "corp", "subject": "eve", "initial_id_token": "", "initial_access_token": "", "initial_refresh_token": ""}
    waiting = linking.Pending(account, "Corp", ADDRESS, sessions.proof("oidc", "aal1"))
    proved = stored(ada)
    by = proved.credential("password")
    change(ada)

    with pytest.raises((services.ChangedMeanwhile, IdentityDisabled)):
        linking.link(waiting, flow, proved, by)

    assert stored(ada).credential("oidc") is None
