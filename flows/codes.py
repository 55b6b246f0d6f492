"""One-time secrets that are mailed: codes and links. Make one, send it, spend it (contract: flows.md 8, methods.md 6.1, 9)."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone

from flows import conf
from flows.models import Code, Flow
from identity import crypto
from identity.identities.models import Identity
from identity.ids import alphanumeric

DIGITS = 6
TOKEN = 32  # alphanumeric characters of a link's token
LINK = "link"  # part of the purpose of tokens


class Spent(Exception):
    """The code was right once, but it was used already."""


class TooManyAttempts(Exception):
    """The flow's budget of guesses is used up; a new code does not renew it."""


def issue(
    flow: Flow, via: str, address: str, identity: Identity | None, *, lifespan: timedelta | None = None, operators: bool = False
) -> str:
    """Return a new code for this flow; earlier ones of the flow are void. The row holds its keyed hash only.

    Without an *identity* nobody can use it, but for a registration, where nobody exists yet: the row is written so that an
    unknown address costs as much time as a known one.
    """
    discard(flow)
    return issue_another(flow, via, address, identity, lifespan=lifespan, operators=operators)


def issue_another(
    flow: Flow, via: str, address: str, identity: Identity | None, *, lifespan: timedelta | None = None, operators: bool = False
) -> str:
    """As `issue`, beside those that the flow has: a person with two addresses is sent one to each."""
    code = "".join(secrets.choice("0123456789") for _ in range(DIGITS))
    _store(flow, flow.kind, code, via, address, identity, lifespan or conf.codes().lifespan, operators)
    return code


def issue_link(
    flow: Flow, via: str, address: str, identity: Identity | None, *, lifespan: timedelta | None = None, operators: bool = False
) -> str:
    """Return a new token for a link to this flow; otherwise as `issue`."""
    token = alphanumeric(TOKEN)
    discard(flow)
    _store(flow, f"{flow.kind}_{LINK}", token, via, address, identity, lifespan or conf.link_lifespan(), operators)
    return token


def discard(flow: Flow) -> None:
    """Make the codes and links of this flow void."""
    Code.objects.filter(flow_id=flow.pk).delete()


def _store(
    flow: Flow, purpose: str, secret: str, via: str, address: str, identity: Identity | None, lifespan: timedelta, operators: bool
) -> None:
    now = timezone.now()
    Code.objects.create(
        flow_id=flow.pk,
        purpose=purpose,
        identity=identity,
        via=via,
        address=address[:400],
        code_hash=_hashes(flow, secret)[0],
        by_operator=operators,
        issued_at=now,
        expires_at=now + lifespan,
    )


def _hashes(flow: Flow, secret: str) -> list[str]:
    return crypto.keyed_hashes(f"code {flow.pk} {secret}")


def count_attempt(flow: Flow) -> None:
    """Count one guess, before it is looked at. Raises TooManyAttempts."""
    limit = conf.codes().max_submissions
    if not type(flow)._default_manager.filter(pk=flow.pk, submissions__lt=limit).update(submissions=F("submissions") + 1):
        raise TooManyAttempts


def spend(flow: Flow, secret: str, *, is_link: bool = False) -> Code | None:
    """Return the row of the code that came back, used from now on; None when it is wrong or out of date.

    Of a hundred that send the same code at once one gets the row. Raises Spent.
    """
    row = find(flow, secret, is_link=is_link)
    if row is None or row.expires_at < timezone.now():
        return None
    if row.used_at is not None or not Code.objects.filter(pk=row.pk, used_at=None).update(used_at=timezone.now()):
        raise Spent
    return row


def find(flow: Flow, secret: str, *, is_link: bool = False) -> Code | None:
    """Return the row of a code or token of this flow, whatever became of it. One that nobody may use is not found."""
    purpose = f"{flow.kind}_{LINK}" if is_link else flow.kind
    rows = Code.objects.select_related("identity").filter(flow_id=flow.pk, purpose=purpose)
    if flow.kind != "registration":
        rows = rows.filter(identity__isnull=False)
    return rows.filter(code_hash__in=_hashes(flow, secret)).first()


def revoke_all(identity: Identity) -> None:
    """Make every code and link void that could let somebody in as this identity."""
    Code.objects.filter(identity_id=identity.pk, used_at=None).exclude(purpose__startswith="verification").delete()


def minutes(lifespan: timedelta) -> int:
    return int(lifespan.total_seconds() // 60)


def template_data(flow: Flow, address: str, identity: dict[str, Any] | None, lifespan: timedelta) -> dict[str, Any]:
    """Return the variables that every message with a code or link has (contract: identities.md 5.3)."""
    return {
        "to": address,
        "identity": identity,
        "request_url": flow.request_url,
        "transient_payload": flow.transient_payload or {},
        "expires_in_minutes": minutes(lifespan),
    }
