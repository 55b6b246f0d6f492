"""Codes of an authenticator app: which are right, and that each is right once."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from identity import config
from identity.credentials import sealing, totp
from identity.credentials.models import Credential
from identity.identities.models import Identity

SHA1 = base64.b32encode(b"12345678901234567890").decode()
SHA256 = base64.b32encode(b"12345678901234567890123456789012").decode()
SHA512 = base64.b32encode(b"1234567890123456789012345678901234567890123456789012345678901234").decode()
RFC_6238 = [  # appendix B: unix seconds, code of 8 digits, algorithm, secret
    (59, "94287082", "SHA1", SHA1),
    (59, "46119246", "SHA256", SHA256),
    (59, "90693936", "SHA512", SHA512),
    (1111111109, "07081804", "SHA1", SHA1),
    (1111111109, "68084774", "SHA256", SHA256),
    (1111111109, "25091201", "SHA512", SHA512),
    (1111111111, "14050471", "SHA1", SHA1),
    (1111111111, "67062674", "SHA256", SHA256),
    (1111111111, "99943326", "SHA512", SHA512),
    (1234567890, "89005924", "SHA1", SHA1),
    (1234567890, "91819424", "SHA256", SHA256),
    (1234567890, "93441116", "SHA512", SHA512),
    (2000000000, "69279037", "SHA1", SHA1),
    (2000000000, "90698825", "SHA256", SHA256),
    (2000000000, "38618901", "SHA512", SHA512),
    (20000000000, "65353130", "SHA1", SHA1),
    (20000000000, "77737706", "SHA256", SHA256),
    (20000000000, "47863826", "SHA512", SHA512),
]
URL = f"otpauth://totp/Example:ada?secret={SHA1}&issuer=Example"
NOW = 1111111109.0
CODE, EARLIER, LATER = "081804", "731029", "050471"  # of the step at NOW, the one before, the one after


@pytest.fixture(autouse=True)
def _known_secrets() -> Iterator[None]:
    with config.override({"secrets": {"cipher": ["0123456789abcdef0123456789abcdef"]}}):
        yield


@pytest.fixture
def _at_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(totp.time, "time", lambda: NOW)


def enrolled(url: str = URL, step: int = 0) -> Credential:
    identity = Identity.objects.create(schema_id="default", traits={"email": "ada@example.org"})
    return Credential.objects.create(identity=identity, type="totp", config=totp.new_config(url, step))


@pytest.mark.parametrize(("at", "code", "algorithm", "secret"), RFC_6238)
def test_it_agrees_with_the_vectors_of_the_rfc(at: int, code: str, algorithm: str, secret: str) -> None:
    url = f"otpauth://totp/Example:ada?secret={secret}&algorithm={algorithm}&digits=8"

    assert totp.matching_step(url, code, at=at) == at // 30


def test_a_new_secret_has_160_bits_and_its_address_says_whose_it_is() -> None:
    url = totp.new_url(issuer="A & B", account="ada lovelace@example.org")

    assert len(base64.b32decode(totp.secret_of(url))) == 20
    assert url.startswith("otpauth://totp/A%20%26%20B:ada%20lovelace%40example.org?")
    assert "issuer=A%20%26%20B" in url


def test_two_new_secrets_differ() -> None:
    first, second = (totp.secret_of(totp.new_url(issuer="i", account="a")) for _ in range(2))

    assert first != second


@pytest.mark.parametrize(("code", "step"), [(EARLIER, -1), (CODE, 0), (LATER, 1)])
def test_it_accepts_a_clock_that_is_one_step_off(code: str, step: int) -> None:
    assert totp.matching_step(URL, code, at=NOW) == int(NOW) // 30 + step


@pytest.mark.parametrize("seconds", [-61, 61])
def test_it_rejects_a_clock_that_is_two_steps_off(seconds: int) -> None:
    assert totp.matching_step(URL, CODE, at=NOW + seconds) is None


@pytest.mark.parametrize("code", ["", "0", "08180", "0818044", "abcdef", "٠٨١٨٠٤", "\ud800" * 6, "081804\x00"])
def test_it_rejects_what_is_no_code(code: str) -> None:
    assert totp.matching_step(URL, code, at=NOW) is None


def test_it_forgives_the_gap_in_the_middle() -> None:
    assert totp.matching_step(URL, "081 804", at=NOW) is not None


def test_it_takes_secrets_from_elsewhere_that_are_short() -> None:
    short = "otpauth://totp/Old:ada?secret=JBSWY3DPEHPK3PXP"  # 80 bits, as many sites gave out
    app = totp.device(short)
    assert app is not None

    assert totp.matching_step(short, app.generate_otp(41), at=41 * 30) == 41


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "otpauth://totp/x",
        "otpauth://totp/x?secret=1",
        "otpauth://totp/x?secret=%00",
        f"otpauth://totp/x?secret={SHA1}&digits=many",
        f"otpauth://totp/x?secret={SHA1}&period=0",
        f"otpauth://totp/x?secret={SHA1}&algorithm=MD5",
    ],
)
def test_an_address_that_is_none_fits_no_code(url: str) -> None:
    assert totp.matching_step(url, CODE, at=NOW) is None


@pytest.mark.django_db
@pytest.mark.usefixtures("_at_now")
def test_a_code_is_right_once() -> None:
    credential = enrolled()

    assert totp.verify(credential, CODE)
    assert not totp.verify(credential, CODE)


@pytest.mark.django_db
@pytest.mark.usefixtures("_at_now")
def test_a_step_before_the_one_that_was_spent_is_spent_too() -> None:
    credential = enrolled()
    assert totp.verify(credential, CODE)

    assert not totp.verify(credential, EARLIER)
    assert totp.verify(credential, LATER)


@pytest.mark.django_db
@pytest.mark.usefixtures("_at_now")
def test_the_code_that_set_the_app_up_is_spent() -> None:
    credential = enrolled(step=int(NOW) // 30)

    assert not totp.verify(credential, CODE)


@pytest.mark.django_db
@pytest.mark.usefixtures("_at_now")
def test_a_wrong_code_spends_nothing() -> None:
    credential = enrolled()
    assert not totp.verify(credential, "000000")

    assert totp.verify(credential, CODE)


@pytest.mark.django_db
@pytest.mark.usefixtures("_at_now")
def test_it_fits_nothing_once_the_app_was_removed() -> None:
    credential = enrolled()
    Credential.objects.all().delete()

    assert not totp.verify(credential, CODE)


@pytest.mark.django_db
@pytest.mark.usefixtures("_at_now")
def test_it_reads_what_was_written_in_clear_elsewhere() -> None:
    credential = enrolled()
    Credential.objects.update(config={"totp_url": URL})

    assert totp.verify(credential, CODE)


@pytest.mark.django_db
def test_the_row_does_not_tell_the_secret() -> None:
    credential = enrolled()

    assert SHA1 not in str(credential.config)
    assert sealing.for_operators("totp", credential.config) == {"totp_url": URL}


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_at_now")
def test_of_many_that_send_one_code_at_once_one_is_right() -> None:
    credential = enrolled()

    def submit(_: int) -> bool:
        try:
            return totp.verify(credential, CODE)
        finally:
            connection.close()

    with ThreadPoolExecutor(12) as threads:
        assert list(threads.map(submit, range(40))).count(True) == 1


@pytest.mark.parametrize(
    "url", ["http://[::1", "otpauth://totp/x?digits=six&secret=AAAA", "otpauth://totp/x?algorithm=MD5&secret=AAAA", "", "x"]
)
def test_what_was_imported_and_is_no_address_fits_no_code(url: str) -> None:
    assert totp.matching_step(url, "000000", at=0) is None
