"""Argon2 by two libraries, which agree; the vectors are the reference implementation's."""

from __future__ import annotations

import concurrent.futures
import subprocess
import sys
from typing import Any

import pytest
from argon2.exceptions import HashingError
from argon2.low_level import Type, error_to_str, hash_secret, hash_secret_raw, lib, verify_secret
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.pwhash import argon2id as sodium

from identity.credentials import argon2
from identity.credentials.hashing import hashing
from identity.errors import ServiceUnavailable

VECTORS = [  # phc-winner-argon2, src/test.c: password, encoded
    (b"password", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"),
    (b"password", "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc"),
    (b"differentpassword", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$C4TWUs9rDEvq7w3+J4umqA32aWKB1+DSiRuBfYxFj94"),
    (b"password", "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA"),
]
SMALL = {"salt_length": 16, "hash_length": 32, "memory": 64, "passes": 1, "lanes": 1}


@pytest.mark.parametrize(("secret", "encoded"), VECTORS)
def test_it_knows_the_vectors_of_the_reference(secret: bytes, encoded: str) -> None:
    assert argon2.read(encoded)
    assert argon2.verify(encoded, secret)
    assert not argon2.verify(encoded, secret + b"x")


@pytest.mark.parametrize(("memory", "lanes", "length"), [(64, 1, 32), (19456, 1, 32), (1000, 4, 16), (100_000, 2, 64)])
def test_what_it_makes_the_library_verifies_and_the_other_way_round(memory: int, lanes: int, length: int) -> None:
    made = argon2.make(b"s\x00ecret", salt_length=16, hash_length=length, memory=memory, passes=1, lanes=lanes)
    theirs = hash_secret(b"s\x00ecret", b"0123456789abcdef", 1, memory, lanes, length, Type.ID).decode()

    assert verify_secret(made.encode(), b"s\x00ecret", Type.ID)
    assert argon2.verify(theirs, b"s\x00ecret")
    assert not argon2.verify(theirs, b"s")


def test_two_hashes_of_one_secret_differ() -> None:
    assert argon2.make(b"secret", **SMALL) != argon2.make(b"secret", **SMALL)


def test_threads_do_not_share_their_memory() -> None:
    secrets = [f"secret {number}".encode() for number in range(64)]
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda secret: argon2.make(secret, **{**SMALL, "memory": 4096}), secrets))

    assert all(verify_secret(encoded.encode(), secret, Type.ID) for encoded, secret in zip(made, secrets, strict=True))


@settings(max_examples=60, deadline=None)
@given(
    secret=st.binary(max_size=300),
    salt=st.binary(min_size=16, max_size=16),
    length=st.integers(16, 64),
    memory=st.integers(8, 300),
    passes=st.integers(1, 4),
)
def test_both_libraries_compute_the_same(secret: bytes, salt: bytes, length: int, memory: int, passes: int) -> None:
    assert sodium.kdf(length, secret, salt, passes, memory * 1024) == hash_secret_raw(secret, salt, passes, memory, 1, length, Type.ID)
    assert argon2._hash(secret, salt, length, memory, passes, 1, Type.ID) == sodium.kdf(length, secret, salt, passes, memory * 1024)


@pytest.mark.parametrize(
    ("form", "is_sodiums"),
    [
        ({"salt": b"s" * 16, "length": 32, "lanes": 1, "type": Type.ID}, True),
        ({"salt": b"s" * 16, "length": 16, "lanes": 1, "type": Type.ID}, True),
        ({"salt": b"s" * 8, "length": 32, "lanes": 1, "type": Type.ID}, False),
        ({"salt": b"s" * 17, "length": 32, "lanes": 1, "type": Type.ID}, False),
        ({"salt": b"s" * 16, "length": 15, "lanes": 1, "type": Type.ID}, False),
        ({"salt": b"s" * 16, "length": 32, "lanes": 2, "type": Type.ID}, False),
        ({"salt": b"s" * 16, "length": 32, "lanes": 1, "type": Type.I}, False),
    ],
)
def test_each_form_is_computed_by_whoever_knows_it(form: dict[str, Any], is_sodiums: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    reference, fast = argon2.hash_secret_raw, sodium.kdf
    monkeypatch.setattr(argon2, "hash_secret_raw", lambda *given: asked.append("reference") or reference(*given))
    monkeypatch.setattr(sodium, "kdf", lambda *given, **named: asked.append("sodium") or fast(*given, **named))

    made = argon2._hash(b"secret", memory=64, passes=3, **form)

    assert made == hash_secret_raw(b"secret", form["salt"], 3, 64, form["lanes"], form["length"], form["type"])
    assert asked == ["sodium" if is_sodiums else "reference"]


def spelled(type: str = "id", version: int = 19, memory: str = "64", salt: bytes = b"somesalt", length: int = 32) -> str:
    """Return a true hash of b"password", if the library makes one, under this spelling."""
    kind = {"id": Type.ID, "i": Type.I, "d": Type.D}[type]
    digest = hash_secret_raw(b"password", salt, 1, 64, 1, length, kind, version)
    return f"$argon2{type}$v={version}$m={memory},t=1,p=1${argon2._base64(salt)}${argon2._base64(digest)}"


def test_the_spelling_that_the_others_depart_from_is_right() -> None:
    assert argon2.verify(spelled(), b"password")


@pytest.mark.parametrize(
    "encoded",
    [
        spelled(type="d"),
        spelled(version=16),
        spelled(memory="\u0666\u0664"),
        spelled(memory="064") + "=",
        spelled() + "\n",
        spelled() + "$",
        spelled().rpartition("$")[0],
        "$argon2id$v=19$m=64,t=1,p=1$c2FsdA$" + "a" * 43,  # 4 bytes of salt
        "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$aaa",  # 2 bytes of hash
        "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$aaaaa",  # no base64
        "$argon2id$v=19$m=4,t=1,p=1$c29tZXNhbHQ$" + "a" * 43,  # less memory than there may be
        "$argon2id$v=19$m=64,t=1,p=16$c29tZXNhbHQ$" + "a" * 43,  # for so many lanes
        "",
    ],
)
def test_what_is_no_hash_fits_nothing(encoded: str) -> None:
    assert argon2.read(encoded) is None
    assert not argon2.verify(encoded, b"password")


@pytest.mark.parametrize("code", [lib.ARGON2_MEMORY_ALLOCATION_ERROR, lib.ARGON2_THREAD_FAIL, lib.ARGON2_INCORRECT_TYPE])
def test_a_lack_is_told_from_what_is_wrong(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*given: object) -> bytes:
        raise HashingError(error_to_str(code))

    monkeypatch.setattr(argon2, "hash_secret_raw", fail)
    with pytest.raises(HashingError if code == lib.ARGON2_INCORRECT_TYPE else MemoryError):
        argon2.verify(VECTORS[1][1], b"password")


@pytest.mark.parametrize("parameters", ["m=1048577,t=1,p=1", "m=64,t=11,p=1", "m=64,t=1,p=17", "m=0,t=1,p=1", f"m={'9' * 5000},t=1,p=1"])
def test_what_costs_too_much_is_unknown(parameters: str) -> None:
    assert not argon2.read(f"$argon2id$v=19${parameters}$c29tZXNhbHQ$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")


def test_who_finds_no_memory_is_told_to_come_back() -> None:
    def hungry() -> str:
        raise MemoryError

    with pytest.raises(ServiceUnavailable):
        hashing.run(hungry)


@pytest.mark.parametrize("salt", ["c29tZXNhbHQ", "c29tZXNhbHRzb21lc2FsdA"])
def test_no_memory_is_said_and_not_taken_for_a_wrong_secret(salt: str) -> None:
    encoded = VECTORS[0][1].replace("m=65536", "m=1048576").replace("c29tZXNhbHQ", salt)
    program = f"""
import resource, sys
from identity.credentials import argon2
resource.setrlimit(resource.RLIMIT_AS, (512 * 2**20, resource.RLIM_INFINITY))
try:
    argon2.verify({encoded!r}, b"password")
except MemoryError:
    sys.exit(7)
"""
    done = subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": ":".join(sys.path)}, check=False, capture_output=True)
    assert done.returncode == 7, done.stderr
