"""How often somebody may guess (NIST SP 800-63B section 5.2.2).

Wrong guesses are counted for each identity and factor, over all flows and sessions: who starts anew does not start over.
The first ten cost nothing. After that each guess has to wait longer than the one before, up to a quarter of an hour;
nobody is locked out for good. A right answer, or a day without a wrong one, forgets them.

A device that has used a second factor in its session counts by itself: somebody who knows the password and guesses
elsewhere cannot make it wait.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from identity.credentials.models import GuessCount
from identity.errors import BadRequest
from identity.identities.models import Identity
from identity.sessions import aal
from identity.sessions.models import Session

FREE = 10  # wrong guesses without a wait
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(days=1)


class TooManyGuesses(BadRequest):
    """The factor was guessed wrong too often; `wait` is how long until the next guess."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(f"That was wrong too often. Please wait {_in_words(wait)} and try again.")
        self.wait = wait


def _in_words(wait: timedelta) -> str:
    seconds = int(wait.total_seconds()) + 1
    if seconds < 60:
        return f"{seconds} second{'' if seconds == 1 else 's'}"
    minutes = -(-seconds // 60)
    return f"{minutes} minute{'' if minutes == 1 else 's'}"


def wait_after(wrong: int) -> timedelta:
    """Return how long the next guess has to wait after so many wrong ones."""
    if wrong < FREE:
        return timedelta(0)
    doublings = min(wrong - FREE, 16)
    return min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)


def take(identity: Identity, factor: str, session: Session | None = None) -> None:
    """Count one guess, before anybody looks whether it is right; `forgive` takes it back.

    It is counted in a transaction of its own, whatever becomes of the submission, and under a lock: a hundred guesses at
    once are a hundred.

    Raises:
        TooManyGuesses: It is too early for another guess. This one is not counted, and must not be looked at.
    """
    now = timezone.now()
    with transaction.atomic(durable=True):
        count = _locked(identity, factor, _device(session), now)
        if count.last_at + FORGOTTEN_AFTER < now:
            count.wrong = 0
        wait = count.last_at + wait_after(count.wrong) - now
        if wait > timedelta(0):
            raise TooManyGuesses(wait)
        count.wrong, count.last_at = count.wrong + 1, now
        count.save(update_fields=["wrong", "last_at"])


def _locked(identity: Identity, factor: str, device: str, now: datetime) -> GuessCount:
    """Return the count, locked until the transaction ends. One statement makes it or locks it: a right answer may delete it meanwhile."""
    whose = {"identity_id": identity.pk, "factor": factor, "device": device}
    GuessCount.objects.bulk_create(
        [GuessCount(**whose, last_at=now)],
        update_conflicts=True,
        unique_fields=["identity", "factor", "device"],
        update_fields=["factor"],
    )
    return GuessCount.objects.get(**whose)


def forgive(identity: Identity, factor: str, session: Session | None = None) -> None:
    """Forget the wrong guesses: the answer was right."""
    GuessCount.objects.filter(identity_id=identity.pk, factor=factor, device=_device(session)).delete()


def _device(session: Session | None) -> str:
    return str(session.pk) if session is not None and session.aal == aal.AAL2 else ""


def forget_old(before: datetime) -> int:
    """Remove the counts that say nothing any more. Returns how many there were."""
    return GuessCount.objects.filter(last_at__lt=before - FORGOTTEN_AFTER).delete()[0]
