"""What a new password must fulfil (contract: methods.md 2.4). Raises one of WeakPassword's children.

WeakPassword
├── PasswordTooShort
├── PasswordTooSimilar
└── PasswordBreached
"""

import difflib
import hashlib
from collections.abc import Iterable

from django.core.cache import cache
from rapidfuzz.distance import Levenshtein

from identity import conf
from identity.errors import BadRequest, UpstreamError
from identity.http import outgoing

SIMILARITY_LIMIT = 256  # bytes; longer texts are not compared
MIN_DISTANCE = 5  # edits
MAX_SHARE = 0.5  # of the password that may be one piece of the identifier
BREACH_CACHE = 3600  # seconds
BREACH_TIMEOUT = 1.0  # seconds


class WeakPassword(BadRequest):
    """The password cannot be used."""


class PasswordTooShort(WeakPassword):
    def __init__(self, minimum: int, actual: int) -> None:
        super().__init__(f"The password needs at least {minimum} characters.")
        self.minimum, self.actual = minimum, actual


class PasswordTooSimilar(WeakPassword):
    def __init__(self) -> None:
        super().__init__("The password is too similar to your identifier.")


class PasswordBreached(WeakPassword):
    def __init__(self, breaches: int) -> None:
        super().__init__("The password is known from data breaches.")
        self.breaches = breaches


def check(password: str, identifiers: Iterable[str]) -> None:
    """Check a new password: length, likeness to each identifier, known breaches. Raises WeakPassword, UpstreamError."""
    policy = conf.password_policy()
    length = len(password.encode())
    if length < policy.min_length:
        raise PasswordTooShort(policy.min_length, length)
    if policy.similarity and any(is_similar(password, identifier) for identifier in identifiers):
        raise PasswordTooSimilar
    if policy.breaches and (found := breaches_of(password)) > policy.max_breaches:
        raise PasswordBreached(found)


def is_similar(password: str, identifier: str) -> bool:
    """Whether few edits lead from one to the other, or more than half of the password is one piece of the identifier."""
    a, b = password.lower(), identifier.lower()
    if not a or not b or max(len(text.encode()) for text in (password, identifier, a, b)) > SIMILARITY_LIMIT:
        return False
    if Levenshtein.distance(a, b, score_cutoff=MIN_DISTANCE) < MIN_DISTANCE:
        return True
    shared = difflib.SequenceMatcher(None, a, b, autojunk=False).find_longest_match()
    return shared.size / len(a) > MAX_SHARE


def breaches_of(password: str) -> int:
    """Return in how many known breaches *password* appeared.

    Five hex digits of its SHA-1 leave the house, never more (k-anonymity of the range protocol of Pwned Passwords).

    Raises:
        UpstreamError: The service did not answer, and the configuration does not let that pass.
    """
    policy = conf.password_policy()
    digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
    prefix, suffix = digest[:5], digest[5:]
    known = cache.get(f"breaches:{policy.breaches_host}:{digest}")
    if known is not None:
        return int(known)
    scheme = "" if "://" in policy.breaches_host else "https://"
    try:
        answer = outgoing.request(
            "GET", f"{scheme}{policy.breaches_host}/range/{prefix}", timeout=BREACH_TIMEOUT, headers={"Add-Padding": "true"}
        )
        if answer.status != 200:
            raise outgoing.OutgoingError(f"status {answer.status}")
    except outgoing.OutgoingError as error:
        if policy.ignore_network_errors:
            return 0
        raise UpstreamError("The password could not be checked against known breaches. Please try again later.") from error
    found = _count(answer.body.decode("ascii", "replace"), suffix)
    cache.set(f"breaches:{policy.breaches_host}:{digest}", found, BREACH_CACHE)
    return found


def _count(lines: str, suffix: str) -> int:
    for line in lines.splitlines():
        name, _, count = line.strip().partition(":")
        if name.upper() == suffix:
            return int(count.replace(",", "") or 1)
    return 0
