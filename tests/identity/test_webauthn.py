"""Both ceremonies of WebAuthn: with an authenticator that lies about one thing at a time, and with what real ones answered."""

from __future__ import annotations

import dataclasses
import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.db import connection

from identity.conf import RelyingParty
from identity.credentials import webauthn
from identity.credentials.models import Credential
from identity.credentials.webauthn import Ceremony, CeremonyFailed, Key, Malformed
from identity.identities.models import Identity
from tests.authenticator import BACKED_UP, ELIGIBLE, PRESENT, VERIFIED, Authenticator, Lie, Made

ORIGIN = "https://login.example.org"
RP = RelyingParty("example.org", "Example", (ORIGIN, "android:apk-key-hash:7d1043473d55bfa90e8530d35801d4e381bc69f0"))
SELECTION = {"userVerification": "preferred"}


def asks_for_new(**fields: object) -> Ceremony:
    return dataclasses.replace(Ceremony.new(user_handle=b"ada's handle"), **fields)  # type: ignore[arg-type]


def options(ceremony: Ceremony) -> dict[str, object]:
    return webauthn.creation_options(ceremony, rp=RP, name="ada", timeout=60_000, selection=SELECTION)


def registered(authenticator: Authenticator, lie: Lie | None = None, ceremony: Ceremony | None = None) -> Key:
    ceremony = ceremony or asks_for_new()
    answer = webauthn.read_registration(authenticator.create(options(ceremony), lie or Lie()))
    return webauthn.register(ceremony=ceremony, rp=RP, answer=answer, display_name="", is_passwordless=True)


def asked_to_sign(ceremony: Ceremony) -> dict[str, object]:
    return webauthn.request_options(ceremony, rp=RP, timeout=60_000, user_verification="preferred")


def signed(
    authenticator: Authenticator, keys: list[Key], lie: Lie | None = None, ceremony: Ceremony | None = None, with_key: Made | None = None
) -> Key:
    ceremony = ceremony or Ceremony.new()
    answer = webauthn.read_assertion(authenticator.get(asked_to_sign(ceremony), lie or Lie(), with_key))
    return webauthn.authenticate(ceremony=ceremony, rp=RP, answer=answer, keys=keys)


@pytest.fixture
def authenticator() -> Authenticator:
    return Authenticator(ORIGIN)


# -- a new key


def test_it_keeps_the_key_that_was_made(authenticator: Authenticator) -> None:
    key = registered(authenticator)

    assert key.id == authenticator.keys[0].id
    assert (key.sign_count, key.attestation_type, key.is_passwordless) == (0, "none", True)
    assert key.flags == {"user_present": True, "user_verified": True, "backup_eligible": False, "backup_state": False}


def test_the_page_of_an_app_may_make_a_key() -> None:
    assert registered(Authenticator(RP.origins[1])).id


@pytest.mark.parametrize(
    ("lie", "named"),
    [
        (Lie(origin="https://evil.example.org"), "origin"),
        (Lie(origin="http://login.example.org"), "origin"),
        (Lie(origin=f"{ORIGIN}:8443"), "origin"),
        (Lie(rp_id="evil.org"), "RP ID"),
        (Lie(challenge=b"of another flow"), "challenge"),
        (Lie(ceremony="webauthn.get"), "another ceremony"),
        (Lie(flags=VERIFIED), "present"),
        (Lie(flags=PRESENT | BACKED_UP), "backed up"),
        (Lie(algorithm=-65535), "alg"),
        (Lie(algorithm=-7_777), "alg"),
        (Lie(format="made-up"), "attestation"),
        (Lie(key_id=b"another key"), "another key"),
        (Lie(raw_id=b"another key"), "two keys"),
        (Lie(key_id=bytes(1024)), "another key"),
        (Lie(cut=1), "cannot be read"),
        (Lie(cut=200), "cannot be read"),
    ],
)
def test_it_refuses_a_new_key_whose_answer_lies(authenticator: Authenticator, lie: Lie, named: str) -> None:
    with pytest.raises(CeremonyFailed, match=named):
        registered(authenticator, lie)


def test_it_refuses_a_new_key_without_verification_where_that_is_required(authenticator: Authenticator) -> None:
    with pytest.raises(CeremonyFailed, match="verified"):
        registered(authenticator, Lie(flags=PRESENT), asks_for_new(requires_verification=True))


def test_it_takes_a_new_key_without_verification_elsewhere(authenticator: Authenticator) -> None:
    assert registered(authenticator, Lie(flags=PRESENT)).flags == {
        "user_present": True,
        "user_verified": False,
        "backup_eligible": False,
        "backup_state": False,
    }


@pytest.mark.parametrize(
    "answer",
    ["", "nonsense", "[]", "{}", "null", "1", '{"id": 1}', json.dumps({"id": "a", "rawId": "a", "type": "x", "response": {}})],
)
def test_it_cannot_read_what_no_browser_sends(answer: str) -> None:
    with pytest.raises(Malformed):
        webauthn.read_registration(answer)
    with pytest.raises(Malformed):
        webauthn.read_assertion(answer)


@pytest.mark.parametrize("broken", ["AA", "!!!!", "", "oA", "pGNmbXRkbm9uZQ"])
def test_it_refuses_garbage_in_the_right_places(authenticator: Authenticator, broken: str) -> None:
    ceremony = asks_for_new()
    answer = json.loads(authenticator.create(options(ceremony)))
    answer["response"]["attestationObject"] = broken

    with pytest.raises((CeremonyFailed, Malformed)):
        _made_of(json.dumps(answer), ceremony)


def _made_of(answer: str, ceremony: Ceremony) -> Key:
    read = webauthn.read_registration(answer)
    return webauthn.register(ceremony=ceremony, rp=RP, answer=read, display_name="", is_passwordless=True)


# -- signing in


def test_it_returns_the_key_that_signed(authenticator: Authenticator) -> None:
    first, second = registered(authenticator), registered(authenticator)

    assert signed(authenticator, [first, second]).id == second.id


def test_it_knows_es384() -> None:
    authenticator = Authenticator(ORIGIN, curve=ec.SECP384R1())
    key = registered(authenticator)

    assert signed(authenticator, [key]).id == key.id
    with pytest.raises(CeremonyFailed, match="signature"):
        signed(authenticator, [key], Lie(signature=b"0" * 100))


@pytest.mark.parametrize(
    ("lie", "named"),
    [
        (Lie(origin="https://evil.example.org"), "origin"),
        (Lie(origin="https://login.example.org.evil.example"), "origin"),
        (Lie(rp_id="evil.org"), "RP ID"),
        (Lie(challenge=b"of another flow"), "challenge"),
        (Lie(ceremony="webauthn.create"), "ceremony"),
        (Lie(flags=VERIFIED), "present"),
        (Lie(flags=PRESENT | BACKED_UP), "backed up"),
        (Lie(flags=PRESENT | ELIGIBLE), "backups"),
        (Lie(signature=b"no signature"), "signature"),
        (Lie(signature=b"\x30\x06\x02\x01\x00\x02\x01\x00"), "signature"),
        (Lie(key_id=b"a key of somebody else"), "does not belong"),
        (Lie(raw_id=b"another"), "two keys"),
        (Lie(cut=1), "cannot be read"),
        (Lie(cut=37), "cannot be read"),
    ],
)
def test_it_refuses_a_signature_that_lies(authenticator: Authenticator, lie: Lie, named: str) -> None:
    key = registered(authenticator)

    with pytest.raises(CeremonyFailed, match=named):
        signed(authenticator, [key], lie)


def test_it_refuses_another_persons_key(authenticator: Authenticator) -> None:
    ada = registered(authenticator)
    eves = Authenticator(ORIGIN)
    registered(eves)

    with pytest.raises(CeremonyFailed, match="does not belong"):
        signed(eves, [ada])


def test_it_refuses_another_persons_key_under_the_id_of_the_right_one(authenticator: Authenticator) -> None:
    ada = registered(authenticator)
    eves = Authenticator(ORIGIN)
    registered(eves)

    with pytest.raises(CeremonyFailed, match="signature"):
        signed(eves, [ada], Lie(key_id=ada.id))


def test_it_refuses_a_key_that_was_not_asked_for(authenticator: Authenticator) -> None:
    first, second = registered(authenticator), registered(authenticator)

    with pytest.raises(CeremonyFailed, match="not asked for"):
        signed(authenticator, [first, second], ceremony=Ceremony.new(allowed=(first.id,)), with_key=authenticator.keys[1])


def test_it_refuses_an_answer_to_an_old_question(authenticator: Authenticator) -> None:
    key, old, new = registered(authenticator), Ceremony.new(), Ceremony.new()
    answer = webauthn.read_assertion(authenticator.get(asked_to_sign(old)))

    with pytest.raises(CeremonyFailed, match="challenge"):
        webauthn.authenticate(ceremony=new, rp=RP, answer=answer, keys=[key])


def test_it_refuses_a_person_who_was_not_verified_where_that_is_required(authenticator: Authenticator) -> None:
    key = registered(authenticator)

    with pytest.raises(CeremonyFailed, match="verified"):
        signed(authenticator, [key], Lie(flags=PRESENT), Ceremony.new(requires_verification=True))


def test_an_old_record_takes_its_backup_flags_from_the_next_answer(authenticator: Authenticator) -> None:
    key = dataclasses.replace(registered(authenticator), flags=None)

    used = signed(authenticator, [key], Lie(flags=PRESENT | ELIGIBLE | BACKED_UP))

    assert used.flags is not None
    assert used.flags["backup_eligible"]


# -- the counter


def test_it_raises_the_counter(authenticator: Authenticator) -> None:
    key = registered(authenticator)

    assert signed(authenticator, [key], Lie(counter=7)).sign_count == 7


@pytest.mark.parametrize("counter", [0, 6, 7])
def test_a_counter_that_does_not_rise_leaves_a_warning(authenticator: Authenticator, counter: int) -> None:
    key = dataclasses.replace(registered(authenticator), sign_count=7)

    used = signed(authenticator, [key], Lie(counter=counter))

    assert (used.sign_count, used.clone_warning) == (7, True)


def test_a_key_that_never_counts_is_fine() -> None:
    synced = Authenticator(ORIGIN, counts=False)
    key = registered(synced)

    used = signed(synced, [key])

    assert (used.sign_count, used.clone_warning) == (0, False)


@pytest.mark.django_db(transaction=True)
def test_of_uses_at_once_the_highest_counter_stays_and_no_key_is_lost(authenticator: Authenticator) -> None:
    keys = [registered(authenticator) for _ in range(3)]
    identity = Identity.objects.create(schema_id="default", traits={})
    credential = Credential.objects.create(identity=identity, type="passkey", config=webauthn.config_with(None, keys))

    def use(counter: int) -> None:
        try:
            webauthn.remember_use(credential, dataclasses.replace(keys[counter % 3], sign_count=counter))
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(use, range(1, 25)))
    credential.refresh_from_db()

    assert [key.sign_count for key in webauthn.keys_of(credential)] == [24, 22, 23]


# -- how it rests


def test_a_key_rests_as_the_contract_says(authenticator: Authenticator) -> None:
    held = registered(authenticator).as_dict()

    assert set(held) == {
        "id", "public_key", "attestation_type", "authenticator", "display_name", "added_at", "is_passwordless", "flags",
    }  # fmt: skip
    assert set(held["authenticator"]) == {"aaguid", "sign_count", "clone_warning"}


def test_what_others_wrote_beside_a_key_stays(authenticator: Authenticator) -> None:
    held = registered(authenticator).as_dict() | {"attestation": {"object": "AAAA"}, "transport": ["usb"]}

    assert Key.from_dict(held).as_dict() == held


def test_an_old_record_can_be_read() -> None:
    key = Key.from_dict({"id": "AQID", "public_key": "BAUG"})

    assert (key.id, key.is_passwordless, key.flags, key.sign_count) == (b"\x01\x02\x03", False, None, 0)


def test_a_ceremony_can_be_kept_in_a_flow() -> None:
    ceremony = Ceremony.new(user_handle=os.urandom(16), allowed=(b"one", b"two"), requires_verification=True, identity="someone")

    assert Ceremony.from_dict(json.loads(json.dumps(ceremony.as_dict()))) == ceremony


def test_two_questions_differ() -> None:
    assert Ceremony.new().challenge != Ceremony.new().challenge
    assert len(Ceremony.new().challenge) == 32


@pytest.mark.parametrize(("handle", "name"), [(b"letters", "letters"), (b"\xff\xfe", "//4="), (b"a\x00b", "YQBi")])
def test_a_handle_names_its_person(handle: bytes, name: str) -> None:
    assert webauthn.handle_name(handle) == name


@pytest.mark.parametrize(
    "broken",
    [
        None,
        5,
        "x",
        {"authenticator": 5},
        {"authenticator": {"sign_count": "x"}},
        {"transport": 5},
        {"id": 5},
    ],
)
def test_an_imported_key_that_cannot_be_read_keeps_nobody_from_the_others(authenticator: Authenticator, broken: Any) -> None:
    good = registered(authenticator).as_dict()
    credential = Credential(type="webauthn", config={"credentials": [broken, good]})

    assert [key.as_dict() for key in webauthn.keys_of(credential)] == [good]
