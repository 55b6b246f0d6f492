"""Open, raise, prolong and end sessions. The only writer of sessions."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from identity import conf, crypto
from identity.db import rows
from identity.errors import SessionInactive
from identity.identities.models import Identity, read_beside
from identity.ids import alphanumeric
from identity.sessions import aal
from identity.sessions.models import Session

TOKEN_PREFIX, LOGOUT_PREFIX = "ory_st_", "ory_lo_"
TOKEN_LENGTH = 32  # alphanumeric characters: 190 bits


@dataclass
class OpenedSession:
    """A session and the token that opens it: the one moment when the token is known."""

    session: Session
    token: str
    is_new: bool = True


def proof(method: str, level: str, at: datetime | None = None, **more: Any) -> dict[str, Any]:
    """Return one entry of `authentication_methods`."""
    return {"method": method, "aal": level, "completed_at": rfc3339(at or timezone.now()), **more}


def rfc3339(at: datetime) -> str:
    """Return *at* (UTC) with microseconds and a Z (contract: identities.md 0.6)."""
    return at.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def issue(identity: Identity, proofs: Iterable[dict[str, Any]], device: dict[str, Any] | None = None) -> OpenedSession:
    """Return a session that is not stored yet; its id is final. `save` stores it."""
    now, token = timezone.now(), _new_token()
    used = list(proofs)
    session = Session(
        identity=identity,
        token_hash=crypto.keyed_hash(token),
        issued_at=now,
        authenticated_at=now,
        expires_at=now + conf.sessions().lifespan,
        authentication_methods=used,
        aal=aal.of_methods(used),
        devices=[device] if device else [],
    )
    return OpenedSession(session, token)


def upgrade(session: Session, proofs: Iterable[dict[str, Any]], device: dict[str, Any]) -> OpenedSession:
    """Return the same session after its person proved something more; not stored yet.

    It keeps its id and gets a new token: who had the old one before this proof does not profit from it. *device*, from
    which that was proved, is told along with it and not kept: the session stays one of the device that it was begun on.
    """
    now, token = timezone.now(), _new_token()
    session.authentication_methods = [*session.authentication_methods, *proofs]
    session.aal = aal.of_methods(session.authentication_methods)
    session.authenticated_at = now
    session.expires_at = now + conf.sessions().lifespan
    session.token_hash = crypto.keyed_hash(token)
    session.updated_at = now
    session.devices = [*session.devices, device]
    return OpenedSession(session, token, is_new=False)


def prove(session: Session, proof: dict[str, Any]) -> None:
    """Add to a session what its person proved in it, not stored yet. Its token and its end stay as they are."""
    session.authentication_methods = [*session.authentication_methods, proof]
    session.aal = aal.of_methods(session.authentication_methods)
    session.authenticated_at = session.updated_at = timezone.now()


def renew_token(session: Session) -> OpenedSession:
    """Return the same session under a new token, not stored yet: the old one opens nothing any more."""
    token = _new_token()
    session.token_hash, session.updated_at = crypto.keyed_hash(token), timezone.now()
    return OpenedSession(session, token, is_new=False)


def _new_token() -> str:
    return TOKEN_PREFIX + alphanumeric(TOKEN_LENGTH)


CHANGING = ("token_hash", "authenticated_at", "expires_at", "aal", "authentication_methods", "updated_at")


def save(opened: OpenedSession) -> None:
    """Store a new session, or what changed of a known one.

    Raises:
        SessionInactive: It was ended or removed meanwhile.
    """
    if opened.is_new:
        rows.insert_by_the_end([opened.session])
    else:
        _store(opened.session, CHANGING)


def require_active(session: Session) -> None:
    """Raises SessionInactive when a session was ended or removed since it was read."""
    if not rows.where(Session, pk=session.pk, active=True):
        raise SessionInactive


def save_proof(session: Session) -> None:
    _store(session, ("authenticated_at", "aal", "authentication_methods", "updated_at"))


def _store(session: Session, names: Iterable[str]) -> None:
    new = {name: getattr(session, name) for name in names}
    if not rows.update(Session, {"pk": session.pk, "active": True}, new):
        raise SessionInactive


def find_by_token(token: str, *, whole: bool = False) -> Session | None:
    """Return the live session that *token* opens, with its identity, or None; *whole*: read with all that the identity holds."""
    if not token.startswith(TOKEN_PREFIX) or len(token) > 64:
        return None
    wanted = {"token_hash": tuple(crypto.keyed_hashes(token))}
    session = _whole(wanted) if whole else next(iter(rows.where(Session, "identity", **wanted)), None)
    return session if session is not None and session.is_live else None


def _whole(wanted: rows.Values) -> Session | None:
    identities, (sessions,) = read_beside(rows.Those(Session, "identity_id", wanted), (Session, wanted))
    session: Session | None = next(iter(sessions), None)
    if session is not None:
        session.identity = next(identity for identity in identities if identity.pk == session.identity_id)
    return session


def others(session: Session, offset: int, limit: int) -> list[Session]:
    """Return the other live sessions of its person, the newest first."""
    statement = f"""
        SELECT {rows.columns(Session)} FROM identity_session
        WHERE identity_id = %s AND active AND expires_at > %s AND id <> %s ORDER BY created_at DESC, id DESC LIMIT %s OFFSET %s
    """  # noqa: S608  our own names
    return rows.returned(Session, statement, [session.identity_id, timezone.now(), session.pk, limit, offset])


def count_others(session: Session) -> int:
    return Session.objects.filter(live(), identity_id=session.identity_id).exclude(pk=session.pk).count()


def logout_token(session: Session) -> str:
    """Return what a page needs to sign this session out: derived from the session's secret part, stored nowhere."""
    digest = crypto.keyed_hash(f"logout {session.id} {session.token_hash}")
    return LOGOUT_PREFIX + digest[:TOKEN_LENGTH]


def is_logout_token(session: Session, token: str) -> bool:
    return hmac.compare_digest(logout_token(session).encode(), token.encode())


def revoke(session: Session) -> None:
    """End one session; its row stays."""
    rows.update(Session, {"pk": session.pk}, {"active": False, "updated_at": timezone.now()})
    session.active = False


def revoke_by_token(token: str) -> bool:
    """End the session that *token* opens or once opened. Returns whether there was one."""
    wanted = {"token_hash": tuple(crypto.keyed_hashes(token))}
    return rows.update(Session, wanted, {"active": False, "updated_at": timezone.now()}) > 0


def end(ended: QuerySet[Session]) -> int:
    """End these sessions; their rows stay. Returns how many were not ended before."""
    return ended.filter(active=True).update(active=False, updated_at=timezone.now())


def remove(forgotten: QuerySet[Session]) -> int:
    """Forget these sessions for good. Returns how many there were."""
    _, removed = forgotten.delete()
    return removed.get(Session._meta.label, 0)


def revoke_others(identity: Identity, keep: Session | None) -> int:
    """End every session of *identity* except *keep*. Returns how many there were."""
    others = Session.objects.filter(identity_id=identity.pk)
    if keep is not None:
        others = others.exclude(pk=keep.pk)
    return others.filter(active=True).update(active=False, updated_at=timezone.now())


def extend(session: Session) -> None:
    """Prolong a session by the configured lifespan, if it is near enough to its end (contract: flows.md 12.6)."""
    rules, now = conf.sessions(), timezone.now()
    if rules.earliest_possible_extend is not None and session.expires_at - rules.earliest_possible_extend > now:
        return
    session.expires_at = now + rules.lifespan
    session.updated_at = now
    _store(session, ("expires_at", "updated_at"))


def live(at: datetime | None = None) -> Q:
    """The condition on rows that are active and not expired."""
    return Q(active=True, expires_at__gt=at or timezone.now())
