"""Signatures: those of the Standard Webhooks specification, checked by its own library."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.utils import timezone
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from actions.delivery import signing

# An example in the specification's own documents: secret, id, time and body, and the signature that has to come out.
SECRET, ID, AT, BODY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNED = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_it_signs_as_the_specification_says() -> None:
    made = signing.headers({"secret": SECRET}, ID, datetime.fromtimestamp(AT, UTC), BODY)
    assert made == {"webhook-id": ID, "webhook-timestamp": str(AT), "webhook-signature": SIGNED}


def test_a_receiver_with_the_library_believes_it_and_nothing_else() -> None:
    now = timezone.now()
    made = signing.headers({"secret": SECRET}, ID, now, BODY)
    assert Webhook(SECRET).verify(BODY.decode(), made) == {"test": 2432232314}
    for forged in ({**made, "webhook-id": "other"}, {**made, "webhook-timestamp": str(int(now.timestamp()) + 1)}):
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(BODY.decode(), forged)


def test_each_of_several_secrets_signs() -> None:
    other = "whsec_" + base64.b64encode(b"x" * 32).decode()
    made = signing.headers({"secrets": [other, SECRET]}, ID, timezone.now(), BODY)
    for secret in (other, SECRET):
        Webhook(secret).verify(BODY.decode(), made)


def test_it_signs_with_a_key_pair() -> None:
    key = Ed25519PrivateKey.generate()
    secret = "whsk_" + base64.b64encode(key.private_bytes_raw()).decode()
    at = timezone.now()
    version, signature = signing.headers({"secret": secret}, ID, at, BODY)["webhook-signature"].split(",")
    assert version == "v1a"
    key.public_key().verify(base64.b64decode(signature), f"{ID}.{int(at.timestamp())}.{BODY.decode()}".encode())


def test_id_and_time_are_sent_without_a_secret() -> None:
    assert set(signing.headers(None, ID, timezone.now(), BODY)) == {"webhook-id", "webhook-timestamp"}


@pytest.mark.parametrize(
    "section",
    [
        {},
        {"secret": "plain"},
        {"secret": "whsec_%%%"},
        {"secret": "whsec_eA=="},
        {"secrets": []},
        {"secrets": "x"},
        {"secret": SECRET, "secrets": []},
        {"secret": 7},
        "x",
        {"secret": "whsk_eA=="},
    ],
    ids=str,
)
def test_what_cannot_sign_is_refused_with_the_configuration(section: object) -> None:
    assert signing.problem(section)
