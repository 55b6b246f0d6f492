"""Passwords: hash, verify, renew, and what makes a good one (NIST SP 800-63B section 5.1.1; contract: methods.md 2.4, identities.md 4)."""

from __future__ import annotations

import re
from collections.abc import Iterable

import bcrypt

from identity import conf, config
from identity.config import Config, Fault
from identity.credentials import argon2, foreign
from identity.credentials.hashing import hashing
from identity.errors import BadRequest

BCRYPT_LIMIT = 72  # bytes; what follows would be ignored
BCRYPT = re.compile(r"\$2[abyz]?\$(\d\d)\$")
BCRYPT_WHOLE = re.compile(BCRYPT.pattern + r"[./A-Za-z0-9]{53}", re.ASCII)
MAX_COST = 15  # log2 of the rounds: what a login may cost


class PasswordTooLong(BadRequest):
    """bcrypt reads 72 bytes; a longer password would be cut silently."""

    def __init__(self, length: int) -> None:
        super().__init__(f"A password may have at most {BCRYPT_LIMIT} bytes here.")
        self.length = length


def check(c: Config) -> Iterable[Fault]:
    """What is hashed by this configuration must be what a sign-in may cost."""
    chosen = conf.hashers()
    path = f"hashers.{chosen.algorithm}"
    if chosen.algorithm == "bcrypt":
        if chosen.bcrypt_cost > MAX_COST:
            yield Fault(f"{path}.cost", f"must be at most {MAX_COST}: a sign-in would take too long.")
        return
    if chosen.argon2_iterations > argon2.MAX_PASSES:
        yield Fault(f"{path}.iterations", f"must be at most {argon2.MAX_PASSES}: a sign-in would take too long. Raise `memory` instead.")
    if chosen.argon2_parallelism > argon2.MAX_LANES:
        yield Fault(f"{path}.parallelism", f"must be at most {argon2.MAX_LANES}.")
    least = argon2.LEAST_MEMORY * chosen.argon2_parallelism
    if not least <= chosen.argon2_memory <= argon2.MAX_MEMORY:
        yield Fault(f"{path}.memory", f"must be at least {least}KB, 8KB for each lane, and at most {argon2.MAX_MEMORY // 1024}MB.")


def make_hash(password: str) -> str:
    """Return the hash of a new password with the configured algorithm. Raises PasswordTooLong (bcrypt only)."""
    chosen = conf.hashers()
    secret = password.encode()
    if chosen.algorithm == "bcrypt":
        if len(secret) > BCRYPT_LIMIT:
            raise PasswordTooLong(len(secret))
        return hashing.run(lambda: bcrypt.hashpw(secret, bcrypt.gensalt(chosen.bcrypt_cost)).decode())
    return hashing.run(
        lambda: argon2.make(
            secret,
            salt_length=chosen.argon2_salt_length,
            hash_length=chosen.argon2_key_length,
            memory=chosen.argon2_memory,
            passes=chosen.argon2_iterations,
            lanes=chosen.argon2_parallelism,
        )
    )


def is_known_hash(stored: str) -> bool:
    """Whether a login could be checked against this hash: a known format, and not too expensive (contract: identities.md 4.2)."""
    if stored.startswith("$argon2"):
        return argon2.read(stored) is not None
    if BCRYPT.match(stored):
        found = BCRYPT_WHOLE.fullmatch(stored)
        return found is not None and 4 <= int(found[1]) <= MAX_COST
    return foreign.family_of(stored) is not None


def verify(stored: str, password: str) -> bool:
    """Return whether *password* is the one that *stored* is the hash of. An unknown or too expensive hash fits nothing."""
    if not is_known_hash(stored):
        return waste_time(password)
    secret = password.encode()
    if stored.startswith("$argon2"):
        return hashing.run(lambda: argon2.verify(stored, secret))
    if not BCRYPT.match(stored):
        return hashing.run(lambda: foreign.verify(stored, secret))
    if len(secret) > BCRYPT_LIMIT:
        return waste_time(password[:BCRYPT_LIMIT])
    spelled = "$2b$" + stored.split("$", 2)[2]
    return hashing.run(lambda: bcrypt.checkpw(secret, spelled.encode()))


@config.per_config
def _nobodys_hash(_: Config) -> str:
    return make_hash("nobody has this password")


def waste_time(password: str) -> bool:
    """Take as long as a real check and say no: an unknown name must not answer sooner than a known one."""
    verify(_nobodys_hash(), password)
    return False


def needs_renewal(stored: str) -> bool:
    """Whether the hash is of another family than the configured one; parameters within a family are left alone."""
    return not (BCRYPT.match(stored) if conf.hashers().algorithm == "bcrypt" else stored.startswith("$argon2id$"))
