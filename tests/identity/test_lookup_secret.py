"""Backup codes: each serves once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from identity import config, crypto
from identity.credentials import lookup_secret, sealing
from identity.credentials.lookup_secret import Verdict
from identity.credentials.models import Credential
from identity.identities.models import Identity

CODES = ["abcd1234", "efgh5678", "ijkl9012"]
CIPHER = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def _known_secrets() -> Iterator[None]:
    with config.override({"secrets": {"cipher": [CIPHER]}}):
        yield


@pytest.fixture
def credential(db: None) -> Credential:
    identity = Identity.objects.create(schema_id="default", traits={"email": "ada@example.org"})
    return Credential.objects.create(identity=identity, type="lookup_secret", config=lookup_secret.new_config(CODES))


def test_it_makes_twelve_different_codes_of_eight_characters() -> None:
    codes = lookup_secret.new_codes()

    assert len(set(codes)) == 12
    assert all(re.fullmatch(r"[a-z0-9]{8}", code) for code in codes)


def test_a_code_serves_once(credential: Credential) -> None:
    assert lookup_secret.verify(credential, "abcd1234") is Verdict.RIGHT
    assert lookup_secret.verify(credential, "abcd1234") is Verdict.USED


def test_the_others_stay_good(credential: Credential) -> None:
    lookup_secret.verify(credential, "abcd1234")

    assert lookup_secret.verify(credential, "efgh5678") is Verdict.RIGHT


@pytest.mark.parametrize("typed", ["", "nosuch12", "ABCD1234", "abcd123", "abcd12345", " abcd1234", "\ud800", "abcd1234\x00"])
def test_it_takes_a_code_only_as_it_was_shown(credential: Credential, typed: str) -> None:
    assert lookup_secret.verify(credential, typed) is Verdict.WRONG


def test_it_says_which_were_used_and_when(credential: Credential) -> None:
    lookup_secret.verify(credential, "efgh5678")
    credential.refresh_from_db()

    first, second, third = lookup_secret.codes_of(credential.config)

    assert (first.used_at, third.used_at) == ("", "")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", second.used_at)


def test_the_row_does_not_tell_the_codes(credential: Credential) -> None:
    assert not any(code in str(credential.config) for code in CODES)
    assert sealing.for_operators("lookup_secret", credential.config) == {"recovery_codes": [{"code": code} for code in CODES]}


def test_it_reads_what_was_written_in_clear_elsewhere(credential: Credential) -> None:
    Credential.objects.update(config={"recovery_codes": [{"code": "plain123"}, {"code": "spent123", "used_at": "2025-01-01T00:00:00Z"}]})

    assert lookup_secret.verify(credential, "plain123") is Verdict.RIGHT
    assert lookup_secret.verify(credential, "spent123") is Verdict.USED


def test_what_no_secret_opens_is_no_code(credential: Credential) -> None:
    with config.override({"secrets": {"cipher": ["another secret of 32 characters!"]}}):
        sealed = crypto.encrypt("abcd1234")
    Credential.objects.update(config={"recovery_codes": [{"code": sealed}]})

    assert lookup_secret.verify(credential, sealed) is Verdict.WRONG
    assert lookup_secret.verify(credential, "") is Verdict.WRONG


def test_it_fits_nothing_once_the_codes_were_removed(credential: Credential) -> None:
    Credential.objects.all().delete()

    assert lookup_secret.verify(credential, "abcd1234") is Verdict.WRONG


@pytest.mark.django_db(transaction=True)
def test_of_many_that_send_one_code_at_once_one_is_let_in(credential: Credential) -> None:
    with ThreadPoolExecutor(12) as threads:
        verdicts = list(threads.map(lambda _: _verify(credential, "abcd1234"), range(40)))

    assert verdicts.count(Verdict.RIGHT) == 1
    assert verdicts.count(Verdict.USED) == 39


@pytest.mark.django_db(transaction=True)
def test_two_codes_at_once_are_both_spent(credential: Credential) -> None:
    with ThreadPoolExecutor(3) as threads:
        verdicts = list(threads.map(lambda code: _verify(credential, code), CODES))
    credential.refresh_from_db()

    assert verdicts == [Verdict.RIGHT] * 3
    assert all(code.used_at for code in lookup_secret.codes_of(credential.config))


def _verify(credential: Credential, code: str) -> Verdict:
    try:
        return lookup_secret.verify(credential, code)
    finally:
        connection.close()
