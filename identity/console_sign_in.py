"""Signing in to the console: guesses are bounded. Nobody who is not an operator has to be let in, so nobody waits politely."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from limits import parse, storage, strategies
from unfold.forms import AuthenticationForm

GUESSES = strategies.MovingWindowRateLimiter(storage.MemoryStorage())  # the admin listener is one process
OF_A_NAME, OF_AN_ADDRESS = parse("10 per 15 minutes"), parse("50 per 15 minutes")


class SignIn(AuthenticationForm):  # type: ignore[misc]  # unfold has no types
    """A name from one address, and an address, may be wrong so many times; a right password forgets them.

    From another address the same name may still be used: who guesses keeps no operator out. Behind a proxy all have one
    address, as the headers in which a proxy names another could be anybody's.
    """

    def clean(self) -> dict[str, Any]:
        address = self.request.META.get("REMOTE_ADDR", "")
        name = str(self.cleaned_data.get("username", "")).lower()
        if not (GUESSES.hit(OF_A_NAME, address, name) and GUESSES.hit(OF_AN_ADDRESS, address)):
            raise ValidationError("Too many attempts. Please wait a quarter of an hour.", code="too_many")
        cleaned: dict[str, Any] = super().clean()
        GUESSES.clear(OF_A_NAME, address, name)
        GUESSES.clear(OF_AN_ADDRESS, address)
        return cleaned
