"""The operator's API over identities (contract: identities.md 3.1 to 3.8)."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime

import pytest
from django.db import connection

from identity import config
from identity.credentials import password
from identity.credentials.models import Credential, CredentialIdentifier
from identity.http.listener import NOT_CACHED
from identity.identities.models import Identity
from identity.sessions import services as sessions
from identity.sessions.models import Session
from tests.identity.conftest import HASH, PASSWORD, Operator, at_once

NOBODY = "b4f5c9e4-0000-4000-8000-000000000000"
TOTP = "otpauth://totp/vestibule:ada?issuer=vestibule&secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
KEY = {"id": "a2V5LW9uZQ==", "public_key": "cHVibGljLW9uZQ==", "attestation_type": "none", "display_name": "blue", "is_passwordless": True}


def problem(response, status: int) -> dict:
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/json"
    error = response.json()["error"]
    assert error["code"] == status
    return error


def create(operator, email="ada@h.test", **fields):
    return operator.post("/admin/identities", {"traits": {"email": email}, **fields})


def patch(operator, id, *operations):
    return operator.patch(f"/admin/identities/{id}", [dict(zip(("op", "path", "value"), o, strict=False)) for o in operations])


# -- create


def test_it_creates_an_identity_and_says_where(operator):
    response = create(operator)

    assert response.status_code == 201
    made = response.json()
    assert response["Location"].endswith(f"/identities/{made['id']}")
    assert response["Content-Type"] == "application/json; charset=utf-8"
    assert response.content.endswith(b"\n")
    assert made["state"] == "active"
    assert made["verifiable_addresses"][0]["value"] == "ada@h.test"
    assert made["credentials"]["password"]["identifiers"] == ["ada@h.test"]
    assert "config" not in made["credentials"]["password"]
    assert "metadata_admin" not in made


def test_it_serves_every_path_without_the_prefix_too(operator):
    made = operator.post("/identities", {"traits": {"email": "ada@h.test"}}).json()

    assert operator.get(f"/identities/{made['id']}").json()["id"] == made["id"]


def test_it_shows_what_was_created_the_same_way_later(operator):
    said = [{"value": "ADA@H.Test", "via": "email", "verified": True}]
    made = create(operator, external_id="crm-1", metadata_admin={"a": [1]}, metadata_public="x", verifiable_addresses=said).json()

    later = operator.get(f"/admin/identities/{made['id']}")

    assert later["Cache-Control"] == NOT_CACHED
    assert later.json() == made
    assert made["verifiable_addresses"][0]["status"] == "completed"
    assert operator.get("/admin/identities/by/external/crm-1").json() == made


@pytest.mark.parametrize("microsecond", [0, 120000, 7])
def test_it_writes_times_alike_everywhere(operator, make, microsecond):
    at = datetime(2026, 1, 2, 3, 4, 5, microsecond, tzinfo=UTC)
    ada = make.identity(created_at=at, updated_at=at, state_changed_at=at)

    shown = operator.get(f"/admin/identities/{ada.id}").json()

    assert {shown["created_at"], shown["updated_at"], shown["state_changed_at"]} == {sessions.rfc3339(at)}


def test_it_is_not_reachable_through_the_public_listener(client, make):
    ada = make.identity()

    response = client.get(f"/admin/identities/{ada.id}")

    assert response.status_code == 307
    assert b"ada@h.test" not in response.content


def test_it_asks_for_the_key_when_one_is_configured(operator, make):
    make.identity()
    with config.override({"serve": {"admin": {"api_keys": ["sixteen-letters-at-least"]}}}):
        refused = operator.get("/admin/identities")
        served = operator.get("/admin/identities", headers={"Authorization": "Bearer sixteen-letters-at-least"})

    problem(refused, 401)
    assert len(served.json()) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"surprise": 1},
        {"id": NOBODY},
        {"state": "asleep"},
        {"state": 7},
        {"schema_id": "nothing"},
        {"schema_id": ["default"]},
        {"traits": None},
        {"traits": []},
        {"traits": "ada"},
        {"traits": {"email": "no address"}},
        {"traits": {"email": "a\x00@h.test"}},
        {"metadata_public": {"deep": {"text": "\x00"}}},
        {"metadata_admin": {"\x00": 1}},
        {"external_id": "x" * 65},
        {"external_id": "a\x00b"},
        {"external_id": {}},
        {"organization_id": "garbage"},
        {"region": "moon"},
        {"verifiable_addresses": "ada"},
        {"verifiable_addresses": [{"value": 7}]},
        {"verifiable_addresses": [{"value": "ada@h.test", "verified": "yes"}]},
        {"verifiable_addresses": [{"value": "ada@h.test", "verified_at": "yesterday"}]},
        {"credentials": []},
        {"credentials": {"password": {"config": {}}}},
        {"credentials": {"password": {"config": {"password": ""}}}},
        {"credentials": {"password": {"config": {"hashed_password": "what?"}}}},
        {"credentials": {"password": {"config": {"hashed_password": 7}}}},
        {"credentials": {"password": {"config": "x"}}},
        {"credentials": {"code": {"config": {}}}},
        {"credentials": {"passkey": {"config": {"credentials": []}}}},
        {"credentials": {"passkey": {"config": {"credentials": [KEY]}}}},
        {"credentials": {"passkey": {"config": {"credentials": [{**KEY, "id": "not base64!"}], "user_handle": "aGFuZGxl"}}}},
        {"credentials": {"oidc": {"config": {"providers": [{"provider": "corp"}]}}}},
        {"credentials": {"oidc": {"config": {"providers": "corp"}}}},
        {"credentials": {"lookup_secret": {"config": {"codes": ["x"]}}}},
        {"credentials": {"totp": {"config": {}}}},
    ],
    ids=lambda body: json.dumps(body)[:60],
)
def test_it_refuses_what_is_not_documented(operator, body):
    problem(create(operator, **body), 400)
    assert not Identity.objects.exists()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{not json",
        b"[]",
        b'"x"',
        b"null",
        b"[" * 100_000,
        b'{"traits": {"email": "a@h.test", "n": 1e999}}',
        b'{"traits": ' + b"9" * 5000 + b"}",
    ],
)
def test_it_refuses_bodies_that_are_no_use(operator, raw):
    problem(operator.post("/admin/identities", raw), 400)


def test_it_refuses_a_body_that_is_too_large(operator):
    problem(create(operator, metadata_public="x" * (5 * 1024 * 1024)), 400)


def test_it_refuses_endless_nesting(operator):
    deep: list = []
    for _ in range(200):
        deep = [deep]

    problem(create(operator, metadata_public=deep), 400)


def test_it_keeps_text_of_every_script_and_mends_half_a_pair(operator):
    raw = '{"traits": {"email": "ada@h.test", "name": {"first": "Zoë 𝒵 \\ud83d"}}}'

    made = operator.post("/admin/identities", raw.encode()).json()

    assert made["traits"]["name"]["first"] == "Zoë 𝒵 \ufffd"
    assert operator.get(f"/admin/identities/{made['id']}").json()["traits"] == made["traits"]


@pytest.mark.parametrize("number", ["1e22", "-1e400", "12345678901234567890123", "9223372036854775808", '[1, {"a": 1e300}]'])
def test_it_refuses_numbers_that_no_answer_could_hold(operator, number):
    problem(operator.post("/admin/identities", f'{{"traits": {{"email": "ada@h.test"}}, "metadata_public": {number}}}'.encode()), 400)


def test_it_keeps_numbers_as_they_are(operator, make):
    numbers = [9223372036854775807, -9223372036854775808, 1.5, 1e15, 0]

    ada = make.identity(metadata_public=numbers)

    assert operator.get(f"/admin/identities/{ada.id}").json()["metadata_public"] == numbers
    assert patch(operator, ada.id).json()["metadata_public"] == numbers


def test_it_replaces_broken_utf8_and_ignores_what_follows_the_value(operator):
    raw = b'{"traits": {"email": "ada@h.test"}, "metadata_public": "\xff"} trailing words'

    assert operator.post("/admin/identities", raw).json()["metadata_public"] == "\ufffd"


def test_it_points_at_bad_traits(operator):
    reason = problem(operator.post("/admin/identities", {"traits": {"email": 7, "shoe": 43}}), 400)["reason"]

    assert "I[#/traits/email] S[#/properties/traits/properties/email/type]" in reason
    assert "I[#/traits] S[#/properties/traits/additionalProperties]" in reason


def test_it_gives_the_same_answer_for_every_clash(operator):
    create(operator, external_id="one")

    by_address = problem(create(operator, " ADA@H.test".strip()), 409)
    by_external_id = problem(create(operator, "bob@h.test", external_id="one"), 409)

    assert by_address == by_external_id
    assert Identity.objects.count() == 1
    assert CredentialIdentifier.objects.count() == 3


@pytest.mark.usefixtures("database_for_many")
def test_it_gives_an_address_to_one_of_those_who_come_at_once():
    answers = at_once(*[lambda: create(Operator()).status_code] * 4)

    assert sorted(answers) == [201, 409, 409, 409]
    assert Identity.objects.count() == 1


def test_it_creates_with_few_statements(operator, django_assert_num_queries):
    inserts = 1 if connection.vendor == "postgresql" else 5
    with django_assert_num_queries(inserts + 2):  # in one transaction: BEGIN, COMMIT or savepoints count
        create(operator)


def test_it_treats_a_passkey_that_somebody_else_has_as_a_clash(operator):
    passkey = {"passkey": {"config": {"credentials": [KEY], "user_handle": "aGFuZGxl"}}}
    create(operator, credentials=passkey)

    problem(create(operator, "bob@h.test", credentials=passkey), 409)


# -- credentials: import and view


def test_it_hashes_a_password_in_clear(operator):
    with config.override({"hashers": {"algorithm": "bcrypt", "bcrypt": {"cost": 12}}}):
        made = create(operator, credentials={"password": {"config": {"password": PASSWORD}}}).json()

    stored = Credential.objects.get(identity_id=made["id"], type="password").config["hashed_password"]
    assert password.verify(stored, PASSWORD)


def test_it_takes_a_hash_as_it_is(operator):
    made = create(operator, credentials={"password": {"config": {"hashed_password": HASH}}}).json()

    shown = operator.get(f"/admin/identities/{made['id']}", {"include_credential": "password"}).json()

    assert shown["credentials"]["password"]["config"] == {"hashed_password": HASH}


def test_it_refuses_a_password_that_bcrypt_would_cut(operator):
    with config.override({"hashers": {"algorithm": "bcrypt"}}):
        problem(create(operator, credentials={"password": {"config": {"password": "x" * 73}}}), 400)


def test_it_shows_the_config_of_the_types_that_are_named_and_of_no_other(operator):
    made = create(
        operator,
        credentials={
            "password": {"config": {"hashed_password": HASH}},
            "oidc": {"config": {"providers": [{"provider": "corp", "subject": "S-1"}]}},
            "totp": {"config": {"totp_url": TOTP}},
            "lookup_secret": {"config": {"codes": [{"code": "aaaa1111"}, {"code": "bbbb2222", "used_at": "2024-01-02T03:04:05Z"}]}},
            "webauthn": {"config": {"credentials": [{**KEY, "is_passwordless": False}], "user_handle": "aGFuZGxl"}},
            "passkey": {"config": {"credentials": [KEY], "user_handle": "aGFuZGxl"}},
        },
    ).json()
    path = f"/admin/identities/{made['id']}"

    shown = {type: operator.get(path, {"include_credential": type}).json()["credentials"] for type in made["credentials"]}

    assert sorted(shown) == ["code", "lookup_secret", "oidc", "passkey", "password", "totp", "webauthn"]
    for type, seen in shown.items():
        assert [name for name, credential in seen.items() if "config" in credential] == [type]
    assert shown["totp"]["totp"]["config"] == {"totp_url": TOTP}
    assert shown["totp"]["totp"]["identifiers"] == [made["id"]]
    assert [code["code"] for code in shown["lookup_secret"]["lookup_secret"]["config"]["recovery_codes"]] == ["aaaa1111", "bbbb2222"]
    assert shown["oidc"]["oidc"]["config"]["providers"][0]["initial_id_token"] == ""
    assert shown["passkey"]["passkey"]["identifiers"] == ["handle"]
    assert Identity.objects.get().available_aal == "aal2"


def test_it_keeps_seeds_and_codes_encrypted(operator):
    create(operator, credentials={"totp": {"config": {"totp_url": TOTP}}, "lookup_secret": {"config": {"codes": [{"code": "aaaa1111"}]}}})

    stored = json.dumps([row.config for row in Credential.objects.all()])

    assert "JBSWY3DPEHPK3PXP" not in stored
    assert "aaaa1111" not in stored


# -- get and list


@pytest.mark.parametrize("id", [NOBODY, "not-a-uuid", "a\x00b", "%00", "ü" * 50])
def test_it_knows_nobody_by_that_id(operator, id):
    path = f"/admin/identities/{id}"
    problem(operator.get(path), 404)
    problem(operator.put(path, {"traits": {"email": "ada@h.test"}}), 404)
    problem(patch(operator, id, ("replace", "/state", "active")), 404)
    problem(operator.delete(path), 404)
    problem(operator.delete(path + "/credentials/totp"), 404)


def test_it_knows_nobody_by_that_external_id(operator):
    problem(operator.get("/admin/identities/by/external/nobody"), 404)
    problem(operator.get("/admin/identities/by/external/%00"), 404)
    problem(operator.get("/admin/identities/by/external/"), 400)


def test_it_lists_with_three_statements_however_many_there_are(operator, make, django_assert_num_queries):
    for n in range(12):
        make.identity(f"p{n}@h.test")

    with django_assert_num_queries(2):
        listed = operator.get("/admin/identities")
    with django_assert_num_queries(3):
        opened = operator.get("/admin/identities", {"include_credential": "password"})

    assert len(listed.json()) == 12
    assert all("credentials" not in person for person in listed.json())
    assert all(person["credentials"]["password"]["config"]["hashed_password"] == HASH for person in opened.json())
    assert listed["Cache-Control"] == NOT_CACHED


def test_it_finds_by_identifier_in_any_spelling(operator, make, django_assert_num_queries):
    ada = make.identity()
    make.identity("bob@h.test")

    with django_assert_num_queries(3):
        found = operator.get("/admin/identities", {"credentials_identifier": "  ADA@H.Test "}).json()

    assert [person["id"] for person in found] == [str(ada.id)]
    assert "password" in found[0]["credentials"]


def test_it_finds_a_subject_only_as_it_is_spelled(operator):
    made = create(operator, credentials={"oidc": {"config": {"providers": [{"provider": "corp", "subject": "Sub"}]}}}).json()

    def found(identifier):
        return [person["id"] for person in operator.get("/admin/identities", {"credentials_identifier": identifier}).json()]

    assert found("corp:Sub") == [made["id"]]
    assert found("corp:sub") == []
    assert found(made["id"]) == []


@pytest.mark.parametrize(
    ("term", "count"), [("ada", 2), ("ADA@", 1), ("bob", 0), ("a%", 0), ("a_a", 0), ("\\", 0), ("\x00", 0), ("ada@h.test", 1), ("'", 0)]
)
def test_it_finds_by_the_beginning_of_an_identifier(operator, make, term, count):
    make.identity("ada@h.test")
    make.identity("adam@h.test")

    assert len(operator.get("/admin/identities", {"preview_credentials_identifier_similar": term}).json()) == count


def test_it_finds_by_ids_once_each(operator, make):
    ada, bob = make.identity(), make.identity("bob@h.test")

    found = operator.get("/admin/identities", {"ids": [str(bob.id), str(ada.id), NOBODY, str(ada.id)]}).json()

    assert [person["id"] for person in found] == sorted([str(ada.id), str(bob.id)])


def test_it_finds_by_organization(operator, make):
    organization = uuid.uuid4()
    ada = make.identity(organization_id=organization)
    make.identity("bob@h.test")

    assert [p["id"] for p in operator.get("/admin/identities", {"organization_id": str(organization)}).json()] == [str(ada.id)]
    assert operator.get("/admin/identities", {"organization_id": NOBODY}).json() == []


@pytest.mark.parametrize(
    "query",
    [
        {"ids": NOBODY, "credentials_identifier": "a"},
        {"credentials_identifier": "a", "preview_credentials_identifier_similar": "a"},
        {"ids": "garbage"},
        {"ids": [NOBODY] * 501},
        {"organization_id": "garbage"},
        {"include_credential": "nonsense"},
        {"page_size": "many"},
        {"page_token": "garbage"},
        {"page": "600", "per_page": "2"},
    ],
    ids=lambda query: json.dumps(query)[:50],
)
def test_it_refuses_a_query_that_means_nothing(operator, query):
    problem(operator.get("/admin/identities", query), 400)


def test_it_says_405_in_plain_text(operator):
    response = operator.delete("/admin/identities")

    assert response.status_code == 405
    assert {"GET", "HEAD", "PATCH", "POST"} <= set(response["Allow"].split(", "))
    assert response["Content-Type"].startswith("text/plain")


# -- put


def test_it_replaces_what_is_sent_and_keeps_the_rest(operator):
    made = create(
        operator,
        external_id="one",
        metadata_public=1,
        metadata_admin=2,
        verifiable_addresses=[{"value": "ada@h.test", "verified": True}],
        credentials={"password": {"config": {"hashed_password": HASH}}},
    ).json()

    changed = operator.put(f"/admin/identities/{made['id']}", {"traits": {"email": "ada@h.test", "name": {"first": "Ada"}}, "unknown": 1})

    assert changed.status_code == 200
    after = changed.json()
    assert after["verifiable_addresses"][0] == made["verifiable_addresses"][0]
    assert after["state"] == "active"
    assert after["metadata_public"] is None
    assert not {"external_id", "metadata_admin"} & set(after)
    assert Credential.objects.get(type="password").config == {"hashed_password": HASH}


def test_it_moves_everything_with_the_address(operator, make):
    ada = make.identity()

    after = operator.put(f"/admin/identities/{ada.id}", {"traits": {"email": "new@h.test"}, "state": "inactive"}).json()

    assert [address["value"] for address in after["verifiable_addresses"]] == ["new@h.test"]
    assert after["credentials"]["code"]["identifiers"] == ["new@h.test"]
    assert after["state_changed_at"] > after["created_at"]
    assert operator.get("/admin/identities", {"credentials_identifier": "ada@h.test"}).json() == []


def test_it_adds_to_credentials_that_are_lists(operator):
    made = create(operator, credentials={"oidc": {"config": {"providers": [{"provider": "corp", "subject": "1"}]}}}).json()

    more = {"oidc": {"config": {"providers": [{"provider": "corp", "subject": "2"}, {"provider": "corp", "subject": "1"}]}}}
    after = operator.put(f"/admin/identities/{made['id']}", {"traits": made["traits"], "credentials": more}).json()

    assert after["credentials"]["oidc"]["identifiers"] == ["corp:1", "corp:2"]


def test_it_refuses_to_replace_with_what_is_wrong(operator, make):
    ada, bob = make.identity(), make.identity("bob@h.test")
    path, good = f"/admin/identities/{ada.id}", {"traits": {"email": "ada@h.test"}}

    problem(operator.put(path, good, content_type="text/plain"), 400)
    problem(operator.put(path), 400)
    problem(operator.put(path, {**good, "state": "asleep"}), 400)
    problem(operator.put(path, {**good, "schema_id": "nothing"}), 400)
    problem(operator.put(path, {"traits": {}}), 400)
    problem(operator.put(path, {**good, "metadata_public": "\x00"}), 400)
    problem(operator.put(path, {"traits": {"email": "bob@h.test"}}), 409)
    assert operator.get(path).json()["traits"] == good["traits"]
    assert operator.get(f"/admin/identities/{bob.id}").status_code == 200


# -- patch


def test_it_patches_by_path(operator, make):
    ada = make.identity(metadata_public={"tags": ["a", "b"]})

    after = patch(
        operator,
        ada.id,
        ("add", "/traits/name/first", "Ada"),
        ("add", "/metadata_public/tags/-", "c"),
        ("remove", "/metadata_public/tags/0"),
        ("replace", "/metadata_admin", {"seen": 1}),
        ("add", "/external_id", "one"),
        ("replace", "/verifiable_addresses/0/verified", True),
        ("replace", "/state", "inactive"),
        ("add", "/nonsense", 1),
        ("replace", "/created_at", "x"),
    ).json()

    assert after["traits"] == {"email": "ada@h.test", "name": {"first": "Ada"}}
    assert after["metadata_public"] == {"tags": ["b", "c"]}
    assert (after["metadata_admin"], after["external_id"], after["state"]) == ({"seen": 1}, "one", "inactive")
    assert "verified_at" in after["verifiable_addresses"][0]
    assert "nonsense" not in after
    assert (
        patch(operator, ada.id, ("replace", "/verifiable_addresses/0/verified", False)).json()["verifiable_addresses"][0].get("verified_at")
        is None
    )
    assert patch(operator, ada.id).status_code == 200


def test_it_patches_a_hash_and_keeps_what_it_did_not_touch(operator):
    made = create(operator, credentials={"totp": {"config": {"totp_url": TOTP}}, "password": {"config": {"hashed_password": HASH}}}).json()
    before = Credential.objects.get(type="totp").config

    assert patch(operator, made["id"], ("replace", "/credentials/password/config/hashed_password", "anything")).status_code == 200

    assert Credential.objects.get(type="password").config == {"hashed_password": "anything"}
    assert Credential.objects.get(type="totp").config == before


def test_it_patches_a_credential_away_and_keeps_its_identifiers(operator):
    made = create(operator, credentials={"totp": {"config": {"totp_url": TOTP}}, "password": {"config": {"hashed_password": HASH}}}).json()

    after = patch(operator, made["id"], ("remove", "/credentials/password"), ("remove", "/credentials/totp")).json()

    assert sorted(after["credentials"]) == ["code", "password", "webauthn"]
    assert Credential.objects.get(type="password").config == {}
    assert [p["id"] for p in operator.get("/admin/identities", {"credentials_identifier": "ada@h.test"}).json()] == [made["id"]]


@pytest.mark.parametrize(
    "operations",
    [
        [("replace", "/id", NOBODY)],
        [("replace", "/ID", NOBODY)],
        [("replace", "/stateChangedAt", "x")],
        [("replace", "/credentials", {})],
        [("replace", "/credentials/oidc/config", {})],
        [("add", "/credentials/SAML/x", 1)],
        [("replace", "/credentials/password", {"type": "totp"})],
        [("add", "/credentials/nonsense", {"type": "nonsense"})],
        [("add", "/credentials/password/config", 7)],
        [("add", "/credentials/password/config/hashed_password", 7)],
        [("add", "/credentials/webauthn/config/credentials", "keys")],
        [("add", "/credentials/webauthn/config/credentials", [{"id": ["x"]}])],
        [("add", "/credentials/code/config/addresses/0", None)],
        [("add", "/credentials/password/identifiers", [7])],
        [("replace", "/state", "asleep")],
        [("replace", "/state", None)],
        [("remove", "/state")],
        [("remove", "/traits/none")],
        [("remove", "/traits/email")],
        [("replace", "/traits", None)],
        [("replace", "/schema_id", "nothing")],
        [("replace", "/schema_id", 7)],
        [("test", "/traits/email", "ada@h.test")],
        [("add", "traits", 1)],
        [("add", "", 1)],
        [("add", 7, 1)],
        [("add", "/traits/email")],
        [("add", "/verifiable_addresses/7", {})],
        [("add", "/verifiable_addresses/x", {})],
        [("replace", "/verifiable_addresses", 7)],
        [("replace", "/verifiable_addresses/0/verified", "yes")],
        [("replace", "/state_changed_at", "yesterday")],
        [("replace", "/external_id", "x" * 65)],
        [("replace", "/organization_id", "x")],
        [("add", "/metadata_public", "\x00")],
        [("add", "/traits/email/x", 1)],
        [("add", "/region", "moon")],
    ],
    ids=str,
)
def test_it_refuses_a_patch_and_leaves_everything(operator, make, operations):
    ada = make.identity()
    before = operator.get(f"/admin/identities/{ada.id}").json()

    problem(patch(operator, ada.id, ("add", "/metadata_public", "changed"), *operations), 400)

    assert operator.get(f"/admin/identities/{ada.id}").json() == before


@pytest.mark.parametrize(
    "body", [{"op": "add", "path": "/traits/x", "value": 1}, "x", [7], [{}], [{"op": "copy", "from": "/a", "path": "/b"}]]
)
def test_it_refuses_what_is_no_patch(operator, make, body):
    problem(operator.patch(f"/admin/identities/{make.identity().id}", body), 400)
    problem(operator.patch(f"/admin/identities/{make.identity('b@h.test').id}", b"nothing"), 400)


def test_it_refuses_to_patch_into_what_somebody_else_has(operator, make):
    make.identity()
    bob = make.identity("bob@h.test")

    problem(patch(operator, bob.id, ("replace", "/traits/email", "ADA@h.test")), 409)

    assert operator.get(f"/admin/identities/{bob.id}").json()["traits"] == {"email": "bob@h.test"}


@pytest.mark.usefixtures("database_for_many")
def test_it_loses_no_patch_of_those_that_come_at_once(make):
    ada = make.identity(metadata_public={})

    answers = at_once(*(lambda name=name: patch(Operator(), ada.id, ("add", f"/metadata_public/{name}", 1)).status_code for name in "abcd"))

    assert answers == [200] * 4
    assert Identity.objects.get().metadata_public == dict.fromkeys("abcd", 1)


# -- delete


def test_it_deletes_everything_of_a_person(operator, make):
    ada = make.identity()
    make.session(ada)

    response = operator.delete(f"/admin/identities/{ada.id}")

    assert (response.status_code, response.content) == (204, b"")
    assert not Session.objects.exists()
    assert not CredentialIdentifier.objects.exists()
    problem(operator.delete(f"/admin/identities/{ada.id}"), 404)
    assert create(operator).status_code == 201


def test_it_takes_second_factors_away(operator):
    made = create(operator, credentials={"totp": {"config": {"totp_url": TOTP}}}).json()
    path = f"/admin/identities/{made['id']}/credentials/totp"

    assert operator.delete(path).status_code == 204

    problem(operator.delete(path), 404)
    assert Identity.objects.get().available_aal == "aal0"


def test_it_keeps_keys_that_sign_in_by_themselves(operator):
    keys = [KEY, {**KEY, "id": "dHdv", "is_passwordless": False}]
    made = create(operator, credentials={"webauthn": {"config": {"credentials": keys, "user_handle": "aGFuZGxl"}}}).json()

    assert operator.delete(f"/admin/identities/{made['id']}/credentials/webauthn").status_code == 204

    assert [key["id"] for key in Credential.objects.get(type="webauthn").config["credentials"]] == [KEY["id"]]


def test_it_never_takes_the_last_first_factor(operator):
    providers = [{"provider": "corp", "subject": "1"}]
    made = create(
        operator, credentials={"password": {"config": {"hashed_password": HASH}}, "oidc": {"config": {"providers": providers}}}
    ).json()
    path = f"/admin/identities/{made['id']}/credentials/"

    problem(operator.delete(path + "oidc"), 400)
    problem(operator.delete(path + "oidc?identifier=corp:2"), 404)
    assert operator.delete(path + "password").status_code == 204
    assert Credential.objects.get(type="password").names == ["ada@h.test"]
    problem(operator.delete(path + "oidc?identifier=corp:1"), 400)
    problem(operator.delete(path + "password"), 400)
    problem(operator.delete(path + "code"), 400)
    problem(operator.delete(path + "nonsense"), 404)


# -- batch


def batch(operator, *items):
    return operator.patch("/admin/identities", {"identities": list(items)})


def test_it_answers_each_of_a_batch_for_itself(operator, make):
    make.identity()
    marks = [str(uuid.uuid4()) for _ in range(4)]

    answer = batch(
        operator,
        {"create": {"traits": {"email": "new@h.test"}}, "patch_id": marks[0]},
        {"create": {"traits": {"email": "ada@h.test"}}, "patch_id": marks[1]},
        {"create": {"traits": {"email": "no address"}}, "patch_id": marks[2]},
        {"create": {"schema_id": "nothing", "traits": {"email": "x@h.test"}}, "patch_id": marks[3]},
        {"create": None},
        {"create": {"traits": {"email": "NEW@h.test"}}},
    )

    outcomes = answer.json()["identities"]
    assert answer.status_code == 200
    assert [outcome["patch_id"] for outcome in outcomes[:4]] == marks
    assert outcomes[4] is None
    assert [outcome and outcome["action"] for outcome in outcomes] == ["create", "error", "error", "error", None, "error"]
    assert [outcome["error"]["code"] for outcome in outcomes if outcome and "error" in outcome] == [409, 400, 400, 409]
    assert operator.get(f"/admin/identities/{outcomes[0]['identity']}").json()["traits"] == {"email": "new@h.test"}


def test_it_stores_a_batch_with_few_statements(operator, django_assert_max_num_queries):
    with django_assert_max_num_queries(9):
        answer = batch(operator, *({"create": {"traits": {"email": f"p{n}@h.test"}}} for n in range(50)))

    assert {outcome["action"] for outcome in answer.json()["identities"]} == {"create"}
    assert Identity.objects.count() == 50


def test_it_refuses_a_batch_that_is_taken_altogether(operator, make):
    make.identity()

    problem(batch(operator, {"create": {"traits": {"email": "ada@h.test"}}}, {"create": {"traits": {}}}), 409)


def test_it_says_200_when_every_item_is_faulty(operator):
    assert batch(operator, {"create": {"traits": {}}}).json()["identities"][0]["error"]["code"] == 400
    assert batch(operator).json() == {"identities": []}


@pytest.mark.parametrize(
    "bad", [{"state": "asleep"}, {"region": "moon"}, {"credentials": {"password": {"config": {"hashed_password": "x"}}}}]
)
def test_it_refuses_a_whole_batch_for_what_is_checked_first(operator, bad):
    problem(batch(operator, {"create": {"traits": {"email": "ok@h.test"}}}, {"create": {"traits": {"email": "b@h.test"}, **bad}}), 400)

    assert not Identity.objects.exists()


def test_it_limits_a_batch(operator):
    plain = {"credentials": {"password": {"config": {"password": PASSWORD}}}}

    problem(batch(operator, *[{"create": None}] * 1001), 400)
    problem(batch(operator, *({"create": {"traits": {"email": f"p{n}@h.test"}, **plain}} for n in range(201))), 400)


@pytest.mark.parametrize(
    "body",
    [{"surprise": []}, {"identities": 7}, {"identities": [7]}, {"identities": [{"create": 7}]}, {"identities": [{"patch_id": "x"}]}, []],
)
def test_it_cannot_decode_some_batches(operator, body):
    response = operator.patch("/admin/identities", body)

    assert (response.status_code, response.json()["error"]["code"]) == (400, 500)  # as upstream spells it
