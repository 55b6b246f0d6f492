"""The only writer of identities. A proposed identity is a model instance with its lists in memory; `create` and `update` store it.

    propose -> derive -> (hooks may change it, derive again) -> create | update

Every function that stores runs in the caller's transaction.
"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from django.db import IntegrityError, models, transaction
from django.utils import timezone

from identity.credentials.models import Credential, CredentialIdentifier
from identity.credentials.services import FROM_TRAITS
from identity.db import rows, values
from identity.errors import BadRequest, Conflict, IdentityDisabled, NotFound
from identity.identities import normalize, schemas
from identity.identities.models import Address, Identity, RecoveryAddress, VerifiableAddress
from identity.sessions import aal

AddressRow = TypeVar("AddressRow", bound=Address)
RACE = "Something else changed this account at the same moment. Please look at it again and retry."
EXTERNAL_ID = 64  # characters
DERIVED = frozenset(("available_aal", "updated_at"))  # columns that follow from others


class Taken(Conflict):
    """Somebody else has this identifier, address or external id. The answer does not say which."""

    title = "Somebody has this identifier, address or external id already."

    def __init__(self, identifier: str = "") -> None:
        super().__init__()
        self.identifier = identifier


class ChangedMeanwhile(BadRequest):
    """What somebody wanted to change is no longer as they saw it."""


def propose(schema_id: str = "", traits: Any = None, **fields: Any) -> Identity:
    """Return an identity that is not stored yet; its id is final. Raises BadRequest for an unknown schema."""
    identity = Identity(schema_id=schemas.get(schema_id).id, traits={} if traits is None else traits, **fields)
    identity.verifiable, identity.recovery, identity.factors = [], [], {}
    return identity


def propose_nobody() -> Identity:
    """Return an identity that is never stored, for work that has to take as long for nobody as for somebody: its lists are looked up."""
    return Identity(schema_id=schemas.get("").id, traits={})


def revise(identity: Identity) -> Identity:
    """Return a copy of a stored identity to change: the original keeps saying how things were."""
    proposed = rows.copied(identity)
    proposed.traits = copy.deepcopy(identity.traits)
    proposed.verifiable = [rows.copied(row) for row in identity.verifiable]
    proposed.recovery = [rows.copied(row) for row in identity.recovery]
    proposed.factors = {type: revise_credential(row) for type, row in identity.factors.items()}
    return proposed


def revise_credential(credential: Credential) -> Credential:
    proposed = rows.copied(credential)
    proposed.config = copy.deepcopy(credential.config)
    proposed.names = list(credential.names)
    return proposed


def lock(id: uuid.UUID | None) -> Identity:
    """Return a stored identity that nobody else can change until the caller's transaction ends. Raises NotFound."""
    identity = next(iter(rows.locked(Identity, pk=id)), None) if id else None
    if identity is None:
        raise NotFound
    return identity


def require_as_proved(identity: Identity, used: Credential | None = None) -> Identity:
    """Hold an identity whose person proved who they are, by the credential *used*, and see that this still holds.

    Returns it as it is stored now.

    A password is hashed and hooks are asked between the proof and what it opens; meanwhile somebody may close the account,
    change the password or remove the key to shut out whoever signs in right now. Both are as they were read before the proof.

    Raises:
        IdentityDisabled: The account was closed.
        ChangedMeanwhile: The secret is another one now, or gone.
        NotFound: The identity was deleted.
    """
    stored = lock(identity.pk)
    if not stored.is_active:
        raise IdentityDisabled("This account is disabled.")
    if used is not None and stored.updated_at != identity.updated_at:
        now = stored.credential(used.type)
        if now is None or not _holds(now, used):
            raise ChangedMeanwhile(RACE)
    return stored


def _holds(now: Credential, used: Credential) -> bool:
    """Whether nothing of what somebody may have proved themselves by was replaced or taken away."""
    secrets = all(now.config.get(name) == used.config.get(name) for name in ("hashed_password", "totp_url"))
    return secrets and _parts(used) <= _parts(now)


def _parts(credential: Credential) -> set[tuple[str, str]]:
    """Return what a credential has several of: names, keys, backup codes. A code that was spent is still there."""
    kept = {("name", name) for name in credential.names}
    kept |= {("key", str(key.get("id"))) for key in credential.config.get("credentials") or ()}
    return kept | {("code", str(entry.get("code"))) for entry in credential.config.get("recovery_codes") or ()}


def derive(identity: Identity, known: Iterable[dict[str, Any]] = (), known_recovery: Iterable[dict[str, Any]] = ()) -> None:
    """Check the traits and recompute what follows from them: addresses, identifiers, the reachable AAL.

    An address keeps what is known of it (verified or not); *known* adds what an import or a webhook says of addresses,
    each `{via, value, verified?, status?, verified_at?}`. Addresses that the traits do not hold disappear (contract: identities.md 2.4).

    Raises:
        BadRequest: There is no such schema, or something cannot be kept.
        InvalidTraits: The traits do not fit it.
    """
    schema = schemas.get(identity.schema_id)
    identity.schema_id = schema.id
    for name in ("traits", "metadata_public", "metadata_admin", "external_id"):
        setattr(identity, name, values.storable(getattr(identity, name)))
    if errors := schema.errors(identity.traits):
        raise schemas.InvalidTraits(errors)
    found = schema.collect(identity.traits)
    found.respell()
    identity.verifiable = _keep(VerifiableAddress, identity, identity.verifiable, found.verifiable)
    identity.recovery = _keep(RecoveryAddress, identity, identity.recovery, found.recovery)
    _mark(identity.verifiable, known)
    for type in FROM_TRAITS:
        if names := found.identifiers.get(type):
            credential = identity.factors.get(type) or new_credential(identity, type)
            credential.names = sorted(names)
            if type == "code":
                credential.config = {**credential.config, "addresses": found.code_addresses}
            identity.factors[type] = credential
    _require_room(identity)
    identity.available_aal = aal.available(identity)


def _require_room(identity: Identity) -> None:
    """Raises BadRequest for what does not fit its column: SQLite would store it all the same."""
    if len(identity.external_id or "") > EXTERNAL_ID:
        raise BadRequest(f"An external id may have at most {EXTERNAL_ID} characters.")
    if any(len(name) > 255 for credential in identity.factors.values() for name in credential.names):
        raise BadRequest("An identifier may have at most 255 characters.")
    if any(len(row.value) > 400 for row in (*identity.verifiable, *identity.recovery)):
        raise BadRequest("An address may have at most 400 characters.")


def _keep(kind: type[AddressRow], identity: Identity, held: list[AddressRow], wanted: list[tuple[str, str]]) -> list[AddressRow]:
    known = {row.key: row for row in held}
    return [known.get(key) or kind(identity=identity, via=key[0], value=key[1]) for key in wanted]


def _mark(addresses: list[VerifiableAddress], known: Iterable[dict[str, Any]]) -> None:
    said = {(entry.get("via") or "email", normalize.identifier(str(entry.get("value", "")))): entry for entry in known}
    for row in addresses:
        entry = said.get(row.key)
        if entry is None:
            continue
        row.verified = bool(entry.get("verified"))
        row.status = entry.get("status") or (VerifiableAddress.COMPLETED if row.verified else VerifiableAddress.PENDING)
        row.verified_at = (entry.get("verified_at") or row.verified_at or timezone.now()) if row.verified else None


def new_credential(identity: Identity, type: str, config: dict[str, Any] | None = None, names: Iterable[str] = ()) -> Credential:
    """Return a credential that is not stored yet, and put it among the identity's factors."""
    credential = Credential(identity=identity, type=type, config=config or {})
    credential.names = sorted(names)
    identity.factors[type] = credential
    return credential


def put_credential(identity: Identity, type: str, config: dict[str, Any], names: Iterable[str]) -> None:
    """Give a proposed identity a credential, or its credential another config and other identifiers."""
    credential = identity.factors.get(type)
    if credential is None:
        new_credential(identity, type, config, names)
    else:
        credential.config, credential.names = config, sorted(names)
    identity.available_aal = aal.available(identity)


def drop_credential(identity: Identity, type: str) -> None:
    """Take a credential away from a proposed identity."""
    identity.factors.pop(type, None)
    identity.available_aal = aal.available(identity)


def create(identity: Identity) -> None:
    """Store a proposed identity with all that belongs to it, in the caller's transaction.

    Raises:
        Taken: An identifier, address or external id has an owner already; the transaction must be rolled back.
    """
    create_all([identity])


def create_all(identities: Sequence[Identity]) -> None:
    """Store several proposed identities with a few statements. Raises Taken, as `create`, when one of them cannot be."""
    verifiable = [row for identity in identities for row in _owned(identity, identity.verifiable)]
    recovery = [row for identity in identities for row in _owned(identity, identity.recovery)]
    credentials = [row for identity in identities for row in _owned(identity, identity.factors.values())]
    try:
        with transaction.atomic(savepoint=False):
            rows.insert(identities, verifiable, recovery, credentials, _identifiers(credentials))
    except IntegrityError as error:
        raise Taken(_first_name(identities[0])) from error


def _owned(identity: Identity, held: Iterable[Any]) -> list[Any]:
    owned = list(held)
    for row in owned:
        row.identity = identity
    return owned


def _identifiers(credentials: Iterable[Credential]) -> list[CredentialIdentifier]:
    return [
        CredentialIdentifier(credential=credential, identity=credential.identity, type=credential.type, identifier=name)
        for credential in credentials
        for name in credential.names
    ]


def _first_name(identity: Identity) -> str:
    return next((name for credential in identity.factors.values() for name in credential.names), "")


def update(before: Identity, after: Identity) -> Identity:
    """Store how an identity changed, in the caller's transaction; what did not change is not written.

    Returns the identity as it was stored before, whose lists, looked up when they are asked for, are those of now.

    *before* may be older than the row: a form waits for hashes and hooks, and an operator does not wait for the form. What
    others changed meanwhile stays, and *after* shows it.

    Raises:
        Taken: As `create`.
        ChangedMeanwhile: Something that was changed is not as it was any more.
        NotFound: The identity was deleted meanwhile.
    """
    now = timezone.now()
    if before.state != after.state:
        after.state_changed_at = now
    try:
        with transaction.atomic(savepoint=False):
            stored = lock(after.pk)
            changed = _merge(before, after, stored)
            after.updated_at = now
            _sync_addresses(VerifiableAddress, before.verifiable, _owned(after, after.verifiable))
            _sync_addresses(RecoveryAddress, before.recovery, _owned(after, after.recovery))
            if _sync_credentials(before, after):
                after.available_aal = aal.available(stored)  # of the factors that there are now, others' changes among them
            rows.store(after, {*changed, "available_aal", "updated_at"})
            return stored
    except IntegrityError as error:
        raise Taken(_first_name(after)) from error


def _merge(before: Identity, after: Identity, stored: Identity) -> list[str]:
    """Return the columns that a change is about, and give *after* the others as they are stored. Raises ChangedMeanwhile."""
    old, new, now = _columns(before), _columns(after), _columns(stored)
    changed = [name for name in new if new[name] != old[name] and name not in DERIVED]
    if any(now[name] != old[name] for name in changed if name not in ("state", "state_changed_at")):
        raise ChangedMeanwhile(RACE)
    for name in new:
        if name not in changed:
            setattr(after, name, now[name])
    return changed


def _sync_addresses(kind: type[AddressRow], before: list[AddressRow], after: list[AddressRow]) -> None:
    old = {row.pk: row for row in before}
    kept = {row.pk for row in after}
    if gone := [pk for pk in old if pk not in kept]:
        kind._default_manager.filter(pk__in=gone).delete()
    rows.insert([row for row in after if row.pk not in old])
    for row in after:
        if row.pk in old and _columns(row) != _columns(old[row.pk]):
            row.updated_at = timezone.now()
            _store(row)


def _columns(row: models.Model) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields if field.name != "updated_at"}


def _sync_credentials(before: Identity, after: Identity) -> bool:
    """Returns whether anything changed about what somebody signs in with."""
    has_changed = _ways_in(before) != _ways_in(after)
    kept = {row.pk for row in after.factors.values()}
    if gone := [row.pk for row in before.factors.values() if row.pk not in kept]:
        Credential.objects.filter(pk__in=gone).delete()
    for type, credential in after.factors.items():
        old = before.factors.get(type)
        old = old if old is not None and old.pk == credential.pk else None
        credential.identity = after
        if old is None:
            rows.insert([credential])
        elif _columns(credential) != _columns(old):
            _replace(old, credential)
        _sync_names(after, credential, set(old.names) if old else set())
    return has_changed


def _ways_in(identity: Identity) -> dict[str, Any]:
    return {type: (_columns(row), sorted(row.names)) for type, row in identity.factors.items()}


def _replace(old: Credential, new: Credential) -> None:
    """Store a changed credential, unless it is no longer as it was read: a key that was added meanwhile must not be lost."""
    new.updated_at = timezone.now()
    changed = {"config": new.config, "version": new.version, "updated_at": new.updated_at}
    if not rows.update(Credential, {"pk": old.pk, "updated_at": old.updated_at}, changed):
        raise ChangedMeanwhile(RACE)


def _sync_names(identity: Identity, credential: Credential, old: set[str]) -> None:
    wanted = set(credential.names)
    if gone := old - wanted:
        CredentialIdentifier.objects.filter(credential=credential, identifier__in=gone).delete()
    rows.insert(
        [
            CredentialIdentifier(credential=credential, identity=identity, type=credential.type, identifier=name)
            for name in sorted(wanted - old)
        ]
    )


def save_credential(credential: Credential) -> None:
    """Store a change of one credential's config alone: a renewed hash.

    Raises:
        ChangedMeanwhile: It is gone, or no longer as it was read.
    """
    new = rows.copied(credential)
    _replace(credential, new)
    credential.updated_at = new.updated_at


def _store(row: models.Model, names: Iterable[str] = ()) -> None:
    """Raises ChangedMeanwhile when the row is gone."""
    if not rows.store(row, names):
        raise ChangedMeanwhile(RACE)


def prove_address(identity: Identity, via: str, value: str) -> bool:
    """Mark an address as the person's own, in the caller's transaction. Returns False when the identity no longer has it."""
    for row in identity.verifiable:
        if row.key == (via, value):
            row.prove()
            row.updated_at = timezone.now()
            return rows.store(row, ("verified", "status", "verified_at", "updated_at")) > 0
    return False


def require_free(address: VerifiableAddress) -> None:
    """Raises Taken when an address that is not stored yet is somebody else's."""
    held = VerifiableAddress.objects.filter(via=address.via, value=address.value)
    if held.exclude(identity_id=address.identity_id).exists():
        raise Taken(address.value)


def is_protected_change(before: Identity, after: Identity) -> bool:
    """Whether the change touches what signs in or receives mail: such changes want a fresh session (contract: flows.md 11.2)."""
    return (
        {row.key for row in before.verifiable} != {row.key for row in after.verifiable}
        or {row.key for row in before.recovery} != {row.key for row in after.recovery}
        or {(t, n) for t, row in before.factors.items() for n in row.names}
        != {(t, n) for t, row in after.factors.items() for n in row.names}
        or {t: row.config for t, row in before.factors.items()} != {t: row.config for t, row in after.factors.items()}
    )


def delete(identity: Identity) -> None:
    """Remove an identity with its credentials, addresses, sessions and flows."""
    identity.delete()
