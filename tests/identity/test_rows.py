"""Rows that are read and written by statements of our own are those that the framework would read and write."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from identity.credentials.models import Credential, CredentialIdentifier
from identity.db import rows
from identity.identities.models import Identity, RecoveryAddress, VerifiableAddress
from identity.sessions.models import Session

pytestmark = pytest.mark.django_db
TRAITS = {"name": {"first": "Ada\U0001f600", "née": "Byron"}, "count": 2**70, "none": None}


def person(**fields: object) -> Identity:
    return Identity(schema_id="default", **{"traits": TRAITS, **fields})


def columns_of(row: object) -> dict[str, object]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}  # type: ignore[attr-defined]


@pytest.fixture
def ada() -> Identity:
    """Stored by the framework."""
    return Identity.objects.create(schema_id="default", traits=TRAITS, metadata_public={"a": [1, "b"]}, organization_id=uuid.uuid4())


def test_what_was_inserted_is_what_was_meant() -> None:
    new = person(metadata_admin=["x"], external_id="ext'; --", organization_id=uuid.uuid4(), state_changed_at=None)
    rows.insert([new])

    assert columns_of(Identity.objects.get(pk=new.pk)) == columns_of(new)
    assert (new._state.adding, new._state.db) == (False, "default")


def test_what_is_read_is_what_the_framework_reads(ada: Identity) -> None:
    found = rows.by_key(Identity, ada.pk)

    assert found is not None
    assert columns_of(found) == columns_of(Identity.objects.get(pk=ada.pk))
    assert rows.by_key(Identity, uuid.uuid4()) is None


@pytest.mark.parametrize(
    "value", [{"née": "\U0001f600 \u2028"}, [1, 1.5, -(2**63), 2**64 - 1], "text", 0, False, {}, [], {"deep": [{"er": None}]}]
)
def test_json_comes_back_as_it_was(value: object) -> None:
    new = person(metadata_public=value, metadata_admin=None)
    rows.insert([new])

    assert Identity.objects.get(pk=new.pk).metadata_public == value
    assert Identity.objects.filter(metadata_public=value, metadata_admin__isnull=True).get() == new


def test_what_is_no_json_is_not_stored() -> None:
    with pytest.raises(TypeError):
        rows.insert([person(metadata_public={"at": timezone.now()})])


@pytest.mark.parametrize(("count", "statements"), [(0, 0), (1, 1), (rows.MANY, 1), (rows.MANY + 5, 1)])
def test_rows_of_one_model_are_stored_by_one_statement(count: int, statements: int) -> None:
    with CaptureQueriesContext(connection) as captured:
        rows.insert([person() for _ in range(count)])

    assert len([query for query in captured.captured_queries if query["sql"].startswith("INSERT")]) == statements
    assert Identity.objects.count() == count


def test_rows_that_refer_to_each_other_are_stored_together() -> None:
    ada = person()
    credential = Credential(identity=ada, type="password")
    names = [CredentialIdentifier(credential=credential, identity=ada, type="password", identifier="ada")]
    with CaptureQueriesContext(connection) as captured:
        rows.insert([ada], [], [credential], names)

    assert columns_of(CredentialIdentifier.objects.get()) == columns_of(names[0])
    assert Identity.objects.get().pk == credential.identity_id == Credential.objects.get().identity_id
    assert not any(row._state.adding for row in (ada, credential, *names))
    assert len(captured) == (1 if connection.vendor == "postgresql" else 3)


def test_none_asks_for_null_and_a_tuple_for_any_of_its_values(ada: Identity) -> None:
    bob, eve = person(external_id="bob"), person(external_id="eve")
    rows.insert([bob, eve])

    assert [row.pk for row in rows.where(Identity, external_id=None)] == [ada.pk]
    assert {row.pk for row in rows.where(Identity, external_id=("bob", "eve", "mallory"))} == {bob.pk, eve.pk}
    assert rows.where(Identity, external_id="bob", state="inactive") == []


def test_no_values_at_all_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="no values"):
        rows.where(Identity, external_id=())


def test_a_chain_of_foreign_keys_is_read_along(ada: Identity) -> None:
    credential = Credential.objects.create(identity=ada, type="password", config={"hashed_password": "x"})
    CredentialIdentifier.objects.create(credential=credential, identity=ada, type="password", identifier="ada")

    with CaptureQueriesContext(connection) as captured:
        [found] = rows.where(CredentialIdentifier, "credential__identity", type="password", identifier=("ada", "Ada"))
        seen = (found.credential.config, found.credential.identity.traits, found.credential.identity.pk)

    assert seen == ({"hashed_password": "x"}, TRAITS, ada.pk)
    assert len(captured) == 1


def test_rows_of_several_models_are_read_by_one_statement(ada: Identity) -> None:
    bob = person(external_id="bob")
    address = VerifiableAddress(identity=ada, via="email", value="ada@example.org", verified=True, verified_at=timezone.now())
    theirs = VerifiableAddress(identity=bob, via="email", value="bob@example.org")
    credential = Credential(identity=ada, type="password", config={"hashed_password": "x", "née": [1, None]})
    names = [CredentialIdentifier(credential=credential, identity=ada, type="password", identifier=name) for name in ("ada", "ada2")]
    rows.insert([bob], [address, theirs], [credential], names)
    models = (VerifiableAddress, RecoveryAddress, Credential, CredentialIdentifier)

    with CaptureQueriesContext(connection) as captured:
        found = rows.gather(*((model, {"identity_id": ada.pk}) for model in models))

    assert len(captured) == 1
    for model, gathered in zip(models, found, strict=True):
        stored = {row.pk: columns_of(row) for row in model._default_manager.filter(identity=ada)}
        assert {row.pk: columns_of(row) for row in gathered} == stored
    assert [len(gathered) for gathered in found] == [1, 0, 1, 2]


def test_values_are_looked_up_in_another_table(ada: Identity) -> None:
    bob = person(external_id="bob")
    credentials = [Credential(identity=identity, type="password") for identity in (ada, bob)]
    names = [
        CredentialIdentifier(credential=credential, identity=credential.identity, type="password", identifier=name)
        for credential, name in zip(credentials, ("ada", "bob"), strict=True)
    ]
    rows.insert([bob], credentials, names)

    def owners(*spelled: str) -> rows.Those:
        return rows.Those(CredentialIdentifier, "identity_id", {"type": "password", "identifier": spelled})

    assert {row.pk for row in rows.where(Identity, pk=owners("ada", "bob"))} == {ada.pk, bob.pk}
    assert [row.pk for row in rows.where(Identity, external_id="bob", pk=owners("ada", "bob"))] == [bob.pk]
    assert rows.where(Identity, pk=owners("eve")) == []
    identities, held = rows.gather((Identity, {"pk": owners("ada")}), (Credential, {"identity_id": owners("bob")}))
    assert ([row.pk for row in identities], [row.pk for row in held]) == ([ada.pk], [credentials[1].pk])


def test_rows_are_held_until_a_transaction_ends(ada: Identity) -> None:
    with CaptureQueriesContext(connection) as captured, transaction.atomic():
        [held] = rows.locked(Identity, pk=ada.pk)

    assert columns_of(held) == columns_of(Identity.objects.get(pk=ada.pk))
    assert any(query["sql"].endswith("FOR NO KEY UPDATE") for query in captured.captured_queries) == (connection.vendor == "postgresql")


@pytest.mark.django_db(transaction=True)
def test_rows_are_not_held_outside_of_a_transaction() -> None:
    with pytest.raises(transaction.TransactionManagementError):
        rows.locked(Identity, pk=uuid.uuid4())


def test_only_what_is_as_wanted_is_changed(ada: Identity) -> None:
    now = timezone.now()
    session = Session(identity=ada, token_hash="a", expires_at=now + timedelta(hours=1))
    rows.insert([session])

    assert rows.update(Session, {"pk": session.pk, "token_hash": "b"}, {"active": False}) == 0
    assert rows.update(Session, {"pk": session.pk, "token_hash": "a"}, {"active": False, "devices": [], "updated_at": now}) == 1

    session.refresh_from_db()
    assert (session.active, session.devices, session.updated_at) == (False, [], now)


def test_it_counts_up_in_the_database(ada: Identity) -> None:
    credential = Credential.objects.create(identity=ada, type="password")
    for _ in range(2):
        rows.update(Credential, {"pk": credential.pk}, {"version": rows.ONE_MORE, "config": {"a": 1}})

    credential.refresh_from_db()
    assert (credential.version, credential.config) == (3, {"a": 1})


def test_a_known_row_is_stored_whole_or_in_part(ada: Identity) -> None:
    ada.traits, ada.state, ada.metadata_public = {"a": 1}, "inactive", None
    assert rows.store(ada, ("traits",)) == 1
    assert columns_of(Identity.objects.get(pk=ada.pk)) | {"state": "inactive", "metadata_public": None} == columns_of(ada)

    assert rows.store(ada) == 1
    assert columns_of(Identity.objects.get(pk=ada.pk)) == columns_of(ada)


def test_a_row_that_is_gone_is_said_to_be(ada: Identity) -> None:
    Identity.objects.all().delete()

    assert rows.store(ada) == 0
    assert Identity.objects.count() == 0


def test_a_second_owner_is_refused_as_by_the_framework(ada: Identity) -> None:
    addresses = [VerifiableAddress(identity=ada, via="email", value="ada@example.org") for _ in range(2)]

    with pytest.raises(IntegrityError), transaction.atomic():
        rows.insert(addresses)

    assert VerifiableAddress.objects.count() == 0


def test_what_is_stored_by_the_end_is_seen_by_whoever_asks_before(ada: Identity) -> None:
    session = Session(identity=ada, token_hash="a", expires_at=timezone.now() + timedelta(hours=1))
    other = Session(identity=ada, token_hash="b", expires_at=timezone.now() + timedelta(hours=1))
    with transaction.atomic():
        rows.insert_by_the_end([session])
        assert Session.objects.get().pk == session.pk
        rows.insert_by_the_end([other])
        assert {row.pk for row in rows.where(Session, identity_id=ada.pk)} == {session.pk, other.pk}


@pytest.mark.django_db(transaction=True)
def test_what_is_wrong_with_it_is_said_at_the_end_and_nothing_is_stored() -> None:
    ada = person()
    rows.insert([ada])
    addresses = [VerifiableAddress(identity=ada, via="email", value="ada@example.org") for _ in range(2)]

    def store() -> None:
        with transaction.atomic():
            for address in addresses:
                rows.insert_by_the_end([address])

    with pytest.raises(IntegrityError):
        store()

    assert VerifiableAddress.objects.count() == 0
    rows.insert_by_the_end([addresses[0]])  # at once, where nothing is there to end
    assert VerifiableAddress.objects.get().pk == addresses[0].pk


@pytest.mark.django_db(transaction=True)
def test_what_was_to_be_stored_by_the_end_is_forgotten_when_it_goes_wrong() -> None:
    ada = person()
    with transaction.atomic():
        rows.insert_by_the_end([ada])
        transaction.set_rollback(True)
    assert Identity.objects.count() == 0

    with transaction.atomic():
        rows.insert_by_the_end([person(external_id="bob")])
    assert [row.external_id for row in Identity.objects.all()] == ["bob"]


def test_a_copy_changes_for_itself(ada: Identity) -> None:
    credential = Credential(identity=ada, type="password", config={"a": 1})
    rows.insert([credential])

    twin = rows.copied(credential)
    twin.type, twin.identity = "code", person()

    assert columns_of(rows.copied(credential)) == columns_of(credential)
    assert (credential.type, credential.identity, credential._state.adding) == ("password", ada, False)
    assert (twin._state.adding, twin._state.db, twin.config) == (False, "default", credential.config)
