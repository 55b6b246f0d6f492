"""What becomes of a settings form when the account changes while it is worked on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from flows import settings
from flows.models import SettingsFlow
from identity import config
from identity.errors import Conflict
from identity.identities import services
from identity.identities.models import Identity
from identity.sessions import services as sessions
from tests.factor_journeys import App, Page, configuration, make_person, said

pytestmark = pytest.mark.django_db
ADA = "ada@example.org"


@pytest.fixture(params=[App, Page])
def who(request: pytest.FixtureRequest) -> App:
    client: App = request.param()
    return client


def stored(ada: Identity) -> Identity:
    return Identity.objects.get(pk=ada.pk)


def meanwhile(monkeypatch: pytest.MonkeyPatch, react: Callable[[], object]) -> None:
    """Let *react* happen after a form was read and before it is stored."""
    real = services.revise

    def revise(identity: Identity) -> Identity:
        after = real(identity)
        monkeypatch.setattr(settings.services, "revise", real)
        react()
        return after

    monkeypatch.setattr(settings.services, "revise", revise)


def key(id: str) -> dict[str, object]:
    return {
        "id": id,
        "public_key": "a2V5",
        "attestation_type": "none",
        "is_passwordless": True,
        "display_name": id,
        "added_at": "2026-01-01T00:00:00Z",
    }


def with_keys(ada: Identity) -> Identity:
    """Somebody who signs in with a passkey or a security key, and nothing else."""
    after = services.revise(ada)
    services.drop_credential(after, "password")
    services.put_credential(after, "passkey", {"credentials": [key("cGFzcw==")], "user_handle": "YWRh"}, [str(ada.pk)])
    services.put_credential(after, "webauthn", {"credentials": [key("a2V5")], "user_handle": "YWRh"}, [ADA])
    services.update(ada, after)
    return after


def drop(ada: Identity, type: str) -> None:
    after = services.revise(stored(ada))
    services.drop_credential(after, type)
    services.update(stored(ada), after)


def close(ada: Identity) -> None:
    after = services.revise(stored(ada))
    after.state = Identity.INACTIVE
    services.update(stored(ada), after)


def test_two_forms_at_once_do_not_take_the_last_two_ways_in(who: App, monkeypatch: pytest.MonkeyPatch) -> None:
    with config.override(
        configuration(
            passkey={"enabled": True, "config": {"rp": RP}}, webauthn={"enabled": True, "config": {"rp": RP, "passwordless": True}}
        )
    ):
        ada = with_keys(make_person(ADA))
        who.sign_in(ada)
        form = who.start("settings")
        meanwhile(monkeypatch, lambda: drop(ada, "webauthn"))

        answer = who.submit(form, method="passkey", passkey_remove=b"pass".hex())

        assert said(answer.json()) == [4000001], answer.content
        assert stored(ada).credential("passkey") is not None


RP = {"id": "localhost", "display_name": "Here", "origins": ["http://localhost"]}


def test_nothing_is_stored_on_an_account_that_was_closed_meanwhile(who: App, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = make_person(ADA)
    who.sign_in(ada)
    form = who.start("settings")
    meanwhile(monkeypatch, lambda: close(ada))

    answer = who.submit(form, method="profile", traits={"email": ADA, "name": {"first": "Eve"}})

    assert answer.status_code in (401, 403), answer.content
    assert "name" not in stored(ada).traits


def test_a_form_that_was_removed_meanwhile_is_said_to_be(who: App) -> None:
    ada = make_person(ADA)
    who.sign_in(ada)
    [flow] = [SettingsFlow.objects.get(pk=who.start("settings")["id"])]
    ada.delete()

    with pytest.raises(Conflict):
        flow.keep()
    assert not sessions.Session.objects.exists()
