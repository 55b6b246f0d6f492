"""Both ceremonies with the bytes of real authenticators, and with those that the standard gives."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any

import cbor2
import pytest

from identity.conf import RelyingParty
from identity.credentials import webauthn
from identity.credentials.webauthn import Ceremony, CeremonyFailed, Key
from tests.authenticator import raw, text
from tests.vectors import Assertion, Recorded, Registration
from tests.vectors.webauthn_devices import DEVICES
from tests.vectors.webauthn_standard import VECTORS

REFUSED = {
    "Packed Attestation with Ed448 Credential": "cannot be read",  # an algorithm that is not offered
    "TPM Attestation with ES256 Credential": "Unrecognized TPM Manufacturer",  # its TPM was made by nobody
}
ALL = [each for each in (*DEVICES, *VECTORS) if each.name not in REFUSED]
MADE = [each for each in ALL if each.registration]
SIGNED = [each for each in ALL if each.assertion]


def named(recorded: Recorded) -> str:
    return recorded.name


def ceremony(answer: Registration | Assertion) -> Ceremony:
    return Ceremony(challenge=raw(answer.challenge))


def site(answer: Registration | Assertion) -> RelyingParty:
    return RelyingParty(answer.rp_id, "Example", (answer.origin,))


def asked_for_something_else(answer: Registration | Assertion) -> list[tuple[dict[str, Any], str]]:
    """Return other questions than the one that *answer* is to, and what is said of each."""
    return [
        ({"ceremony": Ceremony(challenge=with_a_bit_changed(raw(answer.challenge)))}, "challenge"),
        ({"rp": RelyingParty(answer.rp_id, "Example", (answer.origin + ".evil.example",))}, "origin"),
        ({"rp": RelyingParty("evil.example", "Example", (answer.origin,))}, "RP ID"),
    ]


def sent(id: str, **response: str) -> str:
    return json.dumps({"id": id, "rawId": id, "type": "public-key", "response": response})


def made(answer: Registration, **other: Any) -> Key:
    read = webauthn.read_registration(sent(answer.id, clientDataJSON=answer.client_data, attestationObject=answer.attestation_object))
    asked = {"ceremony": ceremony(answer), "rp": site(answer)} | other
    return webauthn.register(answer=read, display_name="", is_passwordless=False, **asked)


def signed(recorded: Recorded, answer: Assertion, **other: Any) -> Key:
    response = {"clientDataJSON": answer.client_data, "authenticatorData": answer.authenticator_data, "signature": answer.signature}
    asked = {"ceremony": ceremony(answer), "rp": site(answer)} | other
    return webauthn.authenticate(answer=webauthn.read_assertion(sent(answer.id, **response)), keys=[key_of(recorded)], **asked)


def key_of(recorded: Recorded) -> Key:
    if recorded.registration:
        return made(recorded.registration)
    assert recorded.assertion is not None
    return Key(id=raw(recorded.assertion.id), public_key=raw(recorded.assertion.public_key))


def with_a_bit_changed(bytes_: bytes) -> bytes:
    return bytes_[:-1] + bytes([bytes_[-1] ^ 1])


def statement_of(answer: Registration) -> dict[str, Any]:
    return dict(cbor2.loads(raw(answer.attestation_object)))


# -- new keys


@pytest.mark.parametrize("recorded", MADE, ids=named)
def test_it_takes_a_key_that_a_device_made(recorded: Recorded) -> None:
    assert recorded.registration is not None

    key = made(recorded.registration)

    assert text(key.id) == recorded.registration.id
    assert key.attestation_type == statement_of(recorded.registration)["fmt"]


@pytest.mark.parametrize("recorded", MADE, ids=named)
def test_it_takes_no_key_that_was_made_for_something_else(recorded: Recorded) -> None:
    answer = recorded.registration
    assert answer is not None

    for other, said in asked_for_something_else(answer):
        with pytest.raises(CeremonyFailed, match=said):
            made(answer, **other)


@pytest.mark.parametrize(
    "recorded", [each for each in MADE if each.registration and statement_of(each.registration)["fmt"] != "none"], ids=named
)
def test_a_statement_is_about_one_key_and_one_question(recorded: Recorded) -> None:
    """The same words with a blank more have another hash; the rest of the answer is as it was."""
    answer = recorded.registration
    assert answer is not None
    altered = dataclasses.replace(answer, client_data=text(raw(answer.client_data) + b" "))

    with pytest.raises(CeremonyFailed):
        made(altered)


@pytest.mark.parametrize(
    "recorded", [each for each in MADE if each.registration and "sig" in statement_of(each.registration)["attStmt"]], ids=named
)
def test_it_takes_no_key_whose_statement_has_one_bit_of_its_signature_changed(recorded: Recorded) -> None:
    answer = recorded.registration
    assert answer is not None
    statement = statement_of(answer)
    statement["attStmt"]["sig"] = with_a_bit_changed(statement["attStmt"]["sig"])

    with pytest.raises(CeremonyFailed):
        made(dataclasses.replace(answer, attestation_object=text(cbor2.dumps(statement))))


@pytest.mark.parametrize("name", ["iPhone or iPad", "Pixel 8a", "Samsung Galaxy S9+ with Android 10"])
def test_a_device_is_welcome_after_the_certificates_of_its_maker_ended(name: str) -> None:
    """Of these recordings they did, years ago: a key without any statement would be as good."""
    [recorded] = [each for each in DEVICES if each.name == name]
    assert recorded.registration is not None

    assert made(recorded.registration).id


@pytest.mark.parametrize("recorded", [each for each in VECTORS if each.name in REFUSED], ids=named)
def test_it_takes_no_key_of_a_kind_that_it_never_asks_for(recorded: Recorded) -> None:
    assert recorded.registration is not None

    with pytest.raises(CeremonyFailed, match=REFUSED[recorded.name]):
        made(recorded.registration)


# -- signatures


@pytest.mark.parametrize("recorded", SIGNED, ids=named)
def test_it_knows_the_signature_of_a_device(recorded: Recorded) -> None:
    answer = recorded.assertion
    assert answer is not None

    used = signed(recorded, answer)

    assert text(used.id) == answer.id
    assert not used.clone_warning


@pytest.mark.parametrize("recorded", SIGNED, ids=named)
def test_it_refuses_the_answer_of_a_device_that_was_given_to_something_else(recorded: Recorded) -> None:
    answer = recorded.assertion
    assert answer is not None

    for other, said in asked_for_something_else(answer):
        with pytest.raises(CeremonyFailed, match=said):
            signed(recorded, answer, **other)


@pytest.mark.parametrize("recorded", SIGNED, ids=named)
def test_it_refuses_the_answer_of_a_device_with_one_bit_changed(recorded: Recorded) -> None:
    """Of the signature, of the counter, of the page's words (the blank)."""
    answer = recorded.assertion
    assert answer is not None

    for altered in (
        {"signature": text(with_a_bit_changed(raw(answer.signature)))},
        {"authenticator_data": text(with_a_bit_changed(raw(answer.authenticator_data)))},
        {"client_data": text(raw(answer.client_data) + b" ")},
    ):
        with pytest.raises(CeremonyFailed, match="signature is wrong"):
            signed(recorded, dataclasses.replace(answer, **altered))


def test_every_recording_says_where_it_comes_from_and_is_there_once() -> None:
    seen = [each.registration or each.assertion for each in (*DEVICES, *VECTORS)]

    assert all(each.source and each.name for each in (*DEVICES, *VECTORS))
    assert len({hashlib.sha256(str(answer).encode()).hexdigest() for answer in seen}) == len(seen)
