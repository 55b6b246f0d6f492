"""What identity schemas find in traits, wherever their keywords stand."""

from __future__ import annotations

import base64
import copy
import json
from typing import Any

import pytest

from identity import config
from identity.identities import formats, services
from identity.identities.schemas import EXTENSION, Schema

NAMES = {"credentials": {"password": {"identifier": True}, "totp": {"account_name": True}}}
NAMED = {"type": "string", EXTENSION: NAMES}
PLAIN = {"type": "string"}


def schema(traits: dict[str, Any], **more: Any) -> Schema:
    return Schema("x", {"properties": {"traits": traits}, **more})


@pytest.mark.parametrize(
    ("traits", "more", "given"),
    [
        ({"properties": {"a": NAMED, "b": PLAIN}}, {}, {"a": "ada", "b": "no"}),
        ({"properties": {"a": {"properties": {"b": {"properties": {"c": NAMED}}}}}}, {}, {"a": {"b": {"c": "ada"}}}),
        ({"properties": {"a": {"type": "array", "items": {"properties": {"b": NAMED}}}}}, {}, {"a": [{"b": "ada"}]}),
        ({"properties": {"a": PLAIN}, "anyOf": [PLAIN, {"properties": {"a": NAMED}}]}, {}, {"a": "ada"}),
        ({"properties": {"a": PLAIN}, "if": PLAIN, "then": {"allOf": [{"properties": {"a": NAMED}}]}}, {}, {"a": "ada"}),
        ({"properties": {"a": {"$ref": "#/definitions/name"}}}, {"definitions": {"name": NAMED}}, {"a": "ada"}),
        (
            {"properties": {"a": {"$ref": "#/definitions/node"}}},
            {"definitions": {"node": {"properties": {"next": {"$ref": "#/definitions/node"}, "name": NAMED}}}},
            {"a": {"next": {"next": {"name": "ada"}}}},
        ),
    ],
    ids=["beside", "below", "in a list", "in a branch", "in a condition", "elsewhere", "in itself"],
)
def test_a_keyword_is_found(traits: dict[str, Any], more: dict[str, Any], given: dict[str, Any]) -> None:
    found = schema(traits, **more).collect(given)

    assert (found.identifiers, found.totp_account) == ({"password": ["ada"]}, "ada")


@pytest.mark.parametrize("reference", ["#/definitions/none", "#/definitions/loop", "other.json"])
def test_a_reference_to_nothing_finds_nothing(reference: str) -> None:
    traits = {"properties": {"a": {"$ref": reference}}}

    assert schema(traits, definitions={"loop": {"$ref": "#/definitions/loop"}}).collect({"a": "ada"}).identifiers == {}


def test_a_schema_that_refers_to_itself_for_nothing_finds_nothing() -> None:
    node = {"properties": {"next": {"$ref": "#/definitions/node"}, "name": PLAIN}}
    traits = {"properties": {"a": {"$ref": "#/definitions/node"}}}

    assert schema(traits, definitions={"node": node}).collect({"a": {"next": {"name": "ada"}}}).identifiers == {}


def test_traits_stay_as_they_are_until_numbers_are_respelled() -> None:
    number = {"type": "string", EXTENSION: {"verification": {"via": "sms"}}}
    traits = {"phones": ["+49 176 671 11 638"]}
    before = copy.deepcopy(traits)

    found = schema({"properties": {"phones": {"type": "array", "items": number}}}).collect(traits)

    assert (traits, found.verifiable) == (before, [("sms", "+4917667111638")])
    found.respell()
    assert traits == {"phones": ["+4917667111638"]}


def test_an_identity_keeps_numbers_as_e164_spells_them() -> None:
    phone = {"type": "string", "format": "tel", EXTENSION: {"verification": {"via": "sms"}}}
    document = {"properties": {"traits": {"type": "object", "properties": {"phone": phone}}}}
    url = "base64://" + base64.b64encode(json.dumps(document).encode()).decode()
    with config.override({"identity": {"default_schema_id": "people", "schemas": [{"id": "people", "url": url}]}}):
        identity = services.propose("", {"phone": "+49 176 671 11 638"})
        services.derive(identity)

    assert identity.traits == {"phone": "+4917667111638"}
    assert [row.value for row in identity.verifiable] == ["+4917667111638"]


@pytest.mark.parametrize(
    "address", ["ada@h.test", "a.b+c@h.test", "!#$%&'*+/=?^_`{|}~-@h.test", '"a,b"@h.test', "A@H.Test", "a" * 64 + "@h.test"]
)
def test_an_address_is_one(address: str) -> None:
    assert formats.email(address)


NO_ADDRESSES = [
    "",
    "ada",
    "@h.test",
    "ada@",
    "a..b@h.test",
    ".a@h.test",
    "a.@h.test",
    "a b@h.test",
    "a@b@h.test",
    "a\n@h.test",
    "a@h_h.test",
]
NO_ADDRESSES += [
    "a@h.test.",
    "a@h.test..",
    "a@h.test\n",
    "a,b@h.test",
    "a(b)@h.test",
    "<a@h.test>",
    "a" * 65 + "@h.test",
    "a\u00a0b@h.test",
    "a\x00@h.test",
]


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_an_address_is_none(address: str) -> None:
    assert not formats.email(address)
