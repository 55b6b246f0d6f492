"""Two change one identity at once: what each changed stays, and what cannot be reconciled is refused."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.utils import timezone

from identity.credentials.models import CredentialIdentifier
from identity.errors import IdentityDisabled, NotFound, SessionInactive
from identity.identities import services
from identity.identities.models import Identity, VerifiableAddress
from identity.identities.services import ChangedMeanwhile
from identity.sessions import services as sessions
from identity.sessions.models import Session
from tests.factor_journeys import make_person

pytestmark = pytest.mark.django_db
TOTP = {"totp_url": "otpauth://totp/x?secret=AAAA"}
CODES = {"recovery_codes": [{"code": "a"}]}


@pytest.fixture
def ada() -> Identity:
    return make_person("ada@example.org")


def stored(ada: Identity) -> Identity:
    return Identity.objects.get(pk=ada.pk)


def renamed(identity: Identity) -> Identity:
    after = services.revise(identity)
    after.traits = {**after.traits, "name": {"first": "Ada"}}
    services.derive(after)
    return after


def with_factor(identity: Identity, type: str, config: dict[str, object]) -> Identity:
    after = services.revise(identity)
    services.put_credential(after, type, config, [str(identity.pk)])
    return after


def without_factor(identity: Identity, type: str) -> Identity:
    after = services.revise(identity)
    services.drop_credential(after, type)
    return after


def test_an_account_that_was_closed_meanwhile_stays_closed(ada: Identity) -> None:
    after = renamed(ada)
    Identity.objects.filter(pk=ada.pk).update(state="inactive", metadata_admin={"why": "fraud"}, state_changed_at=timezone.now())

    services.update(ada, after)

    now = stored(ada)
    assert (now.state, now.metadata_admin, now.traits["name"]) == ("inactive", {"why": "fraud"}, {"first": "Ada"})
    assert (after.state, after.metadata_admin) == ("inactive", {"why": "fraud"}), "the answer says so, too"


def test_what_both_changed_is_refused_and_nothing_of_it_stored(ada: Identity) -> None:
    mine, theirs = services.revise(ada), services.revise(ada)
    mine.traits, theirs.traits = {"email": "mine@example.org"}, {"email": "theirs@example.org"}
    for proposed in (mine, theirs):
        services.derive(proposed)
    services.update(ada, theirs)

    with pytest.raises(ChangedMeanwhile), transaction.atomic():
        services.update(ada, mine)

    assert stored(ada).traits == {"email": "theirs@example.org"}
    assert [row.value for row in VerifiableAddress.objects.all()] == ["theirs@example.org"]
    assert {row.identifier for row in CredentialIdentifier.objects.filter(type="password")} == {"theirs@example.org"}


def test_a_factor_that_was_added_meanwhile_still_counts(ada: Identity) -> None:
    after = renamed(ada)
    services.update(ada, with_factor(ada, "lookup_secret", CODES))

    services.update(ada, after)

    assert stored(ada).available_aal == "aal2"


def test_a_factor_that_was_removed_meanwhile_counts_no_more(ada: Identity) -> None:
    services.update(ada, with_factor(ada, "totp", TOTP))
    seen = stored(ada)
    after = renamed(seen)
    services.update(seen, without_factor(seen, "totp"))

    services.update(seen, after)

    assert stored(ada).available_aal == "aal1"


def test_of_one_factor_that_comes_while_another_goes_the_one_that_is_there_counts(ada: Identity) -> None:
    services.update(ada, with_factor(ada, "totp", TOTP))
    seen = stored(ada)
    comes, goes = with_factor(seen, "lookup_secret", CODES), without_factor(seen, "totp")

    services.update(seen, goes)
    services.update(seen, comes)

    now = stored(ada)
    assert now.available_aal == "aal2"
    assert {"totp", "lookup_secret"} & set(now.factors) == {"lookup_secret"}


def test_a_session_that_was_ended_meanwhile_is_not_written_to(ada: Identity) -> None:
    opened = sessions.issue(ada, [sessions.proof("password", "aal1")])
    sessions.save(opened)
    Session.objects.update(active=False)
    renewed = sessions.renew_token(opened.session)

    with pytest.raises(SessionInactive):
        sessions.save(renewed)


def keys(*ids: str) -> dict[str, object]:
    return {"credentials": [{"id": id, "is_passwordless": True} for id in ids]}


@pytest.mark.parametrize(
    ("type", "used", "now"),
    [
        ("password", {"hashed_password": "a"}, {"hashed_password": "b"}),
        ("password", {"hashed_password": "a"}, {}),
        ("totp", {"totp_url": "a"}, {"totp_url": "b"}),
        ("passkey", keys("a"), keys()),
        ("webauthn", keys("a", "b"), keys("b", "c")),
        ("lookup_secret", CODES, None),
        ("lookup_secret", CODES, {"recovery_codes": [{"code": "b"}]}),
    ],
)
def test_a_proof_does_not_hold_once_its_secret_is_another_one_or_gone(ada: Identity, type: str, used: dict, now: dict | None) -> None:
    services.update(ada, with_factor(ada, type, used))
    proved = stored(ada)
    by = proved.credential(type)
    services.update(stored(ada), without_factor(stored(ada), type) if now is None else with_factor(stored(ada), type, now))

    with transaction.atomic(), pytest.raises(ChangedMeanwhile):
        services.require_as_proved(proved, by)


@pytest.mark.parametrize(
    ("type", "used", "now"),
    [
        ("passkey", keys("a"), keys("a", "b")),
        ("lookup_secret", CODES, {"recovery_codes": [{"code": "a", "used_at": "2026-01-01T00:00:00Z"}]}),
    ],
)
def test_a_proof_holds_when_something_was_added_or_spent(ada: Identity, type: str, used: dict, now: dict) -> None:
    services.update(ada, with_factor(ada, type, used))
    proved = stored(ada)
    by = proved.credential(type)
    services.update(stored(ada), with_factor(renamed(stored(ada)), type, now))

    with transaction.atomic():
        services.require_as_proved(proved, by)


def test_a_proof_does_not_hold_once_the_account_is_closed_or_gone(ada: Identity) -> None:
    proved = stored(ada)
    Identity.objects.filter(pk=ada.pk).update(state="inactive")
    with transaction.atomic(), pytest.raises(IdentityDisabled):
        services.require_as_proved(proved)

    ada.delete()
    with transaction.atomic(), pytest.raises(NotFound):
        services.require_as_proved(proved)
