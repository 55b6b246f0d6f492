"""How often a factor may be guessed."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from identity.credentials import attempts
from identity.credentials.attempts import TooManyGuesses
from identity.credentials.models import GuessCount
from identity.identities.models import Identity
from identity.sessions.models import Session


@pytest.fixture
def ada(db: None) -> Identity:
    return Identity.objects.create(schema_id="default", traits={"email": "ada@example.org"})


@pytest.fixture
def eve(db: None) -> Identity:
    return Identity.objects.create(schema_id="default", traits={"email": "eve@example.org"})


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock()
    monkeypatch.setattr(timezone, "now", lambda: clock.now)
    return clock


class Clock:
    def __init__(self) -> None:
        self.now: datetime = timezone.now()

    def passes(self, **time: float) -> None:
        self.now += timedelta(**time)


def guess_wrong(identity: Identity, times: int, factor: str = "totp") -> None:
    for _ in range(times):
        attempts.take(identity, factor)


def test_it_lets_ten_wrong_guesses_pass(ada: Identity) -> None:
    guess_wrong(ada, 10)


def test_it_makes_the_eleventh_wait_and_says_how_long(ada: Identity, clock: Clock) -> None:
    guess_wrong(ada, 10)

    with pytest.raises(TooManyGuesses, match=r"wait 3[01] seconds") as refused:
        attempts.take(ada, "totp")

    assert refused.value.wait == timedelta(seconds=30)
    assert refused.value.status == 400


def test_each_further_guess_waits_longer_up_to_a_quarter_of_an_hour(ada: Identity, clock: Clock) -> None:
    guess_wrong(ada, 10)
    waits = []
    for _ in range(8):
        with pytest.raises(TooManyGuesses) as refused:
            attempts.take(ada, "totp")
        waits.append(refused.value.wait.total_seconds())
        clock.passes(seconds=waits[-1])
        attempts.take(ada, "totp")

    assert waits == [30, 60, 120, 240, 480, 900, 900, 900]


def test_a_guess_that_came_too_early_does_not_prolong_the_wait(ada: Identity, clock: Clock) -> None:
    guess_wrong(ada, 10)
    for _ in range(50):
        clock.passes(seconds=0.5)
        with pytest.raises(TooManyGuesses):
            attempts.take(ada, "totp")
    clock.passes(seconds=5)

    attempts.take(ada, "totp")


def test_it_counts_each_factor_and_each_identity_by_itself(ada: Identity, eve: Identity) -> None:
    guess_wrong(ada, 10)

    attempts.take(ada, "lookup_secret")
    attempts.take(eve, "totp")


def test_a_right_answer_forgets_the_wrong_ones(ada: Identity) -> None:
    guess_wrong(ada, 10)

    attempts.forgive(ada, "totp")

    guess_wrong(ada, 10)


def test_a_day_without_a_guess_forgets_the_wrong_ones(ada: Identity, clock: Clock) -> None:
    guess_wrong(ada, 10)
    clock.passes(days=1, seconds=1)

    guess_wrong(ada, 10)


def test_it_never_locks_out_for_good(ada: Identity, clock: Clock) -> None:
    for _ in range(200):
        clock.passes(minutes=15)
        attempts.take(ada, "totp")


def test_a_device_that_used_a_second_factor_counts_by_itself(ada: Identity) -> None:
    own = Session(identity=ada, aal="aal2")
    guess_wrong(ada, 10)

    attempts.take(ada, "totp", own)


def test_a_session_with_one_factor_does_not_count_by_itself(ada: Identity) -> None:
    half = Session(identity=ada, aal="aal1")
    guess_wrong(ada, 10)

    with pytest.raises(TooManyGuesses):
        attempts.take(ada, "totp", half)


def test_counts_that_say_nothing_any_more_are_removed(ada: Identity, eve: Identity, clock: Clock) -> None:
    guess_wrong(ada, 3)
    clock.passes(days=2)
    guess_wrong(eve, 3)

    assert attempts.forget_old(clock.now) == 1
    assert GuessCount.objects.get().identity_id == eve.pk


@pytest.mark.django_db(transaction=True)
def test_of_a_hundred_guesses_at_once_ten_are_looked_at(ada: Identity) -> None:
    def guess(_: int) -> bool:
        try:
            attempts.take(ada, "totp")
        except TooManyGuesses:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(16) as threads:
        looked_at = list(threads.map(guess, range(100)))

    assert looked_at.count(True) == attempts.FREE


@pytest.mark.django_db(transaction=True)
def test_right_and_wrong_guesses_at_once_get_in_nobodys_way(ada: Identity) -> None:
    def guess(_: int) -> None:
        try:
            attempts.take(ada, "code")
            attempts.forgive(ada, "code")
        except TooManyGuesses:
            pass  # sixteen at once may be more than are free
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(guess, range(200)))

    attempts.forgive(ada, "code")
    assert not GuessCount.objects.exists()
