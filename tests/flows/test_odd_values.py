"""What a form can spell that no row can hold, or no answer can show: it is refused, and nobody's lists break of it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from actions import answers, rendering
from flows.errors import InvalidSubmission
from flows.methods.oidc import claims
from flows.models import RegistrationFlow
from flows.submission import _cast
from flows.ui import messages
from identity import config
from identity.db import values
from identity.errors import BadRequest
from identity.identities import schemas, services
from identity.identities.models import Identity
from tests.clients import PASSWORD
from tests.factor_journeys import configuration
from tests.server import merged

pytestmark = pytest.mark.django_db
EMAIL = "ada@example.org"
SCHEMA = {
    "properties": {
        "traits": {
            "type": "object",
            "properties": {
                "email": {"type": "string", "format": "email", "ory.sh/kratos": {"credentials": {"password": {"identifier": True}}}},
                "age": {"type": "number"},
                "count": {"type": "integer"},
                "free": {},
            },
        }
    }
}
HALF, LONG, HUGE = '{"a":"\\ud800"}', '{"a":100000000000000000000000}', '{"a":1e400}'
DEEP, DEEPER = '{"a":' * 150 + "1" + "}" * 150, '{"a":' * 3000 + "1" + "}" * 3000


@pytest.fixture(autouse=True)
def _configured() -> Iterator[None]:
    url = "base64://" + base64.b64encode(json.dumps(SCHEMA).encode()).decode()
    people = {"identity": {"default_schema_id": "odd", "schemas": [{"id": "odd", "url": url}]}}
    with config.override(merged(configuration(), people)):
        yield


def register(**fields: str) -> tuple[int, dict[str, Any]]:
    """Send a form as a browser does. Returns the status, and the flow as it is afterwards."""
    browser = Client()
    flow = browser.get("/self-service/registration/browser", HTTP_ACCEPT="application/json").json()
    [token] = [node["attributes"]["value"] for node in flow["ui"]["nodes"] if node["attributes"].get("name") == "csrf_token"]
    sent = {"csrf_token": token, "method": "password", "password": PASSWORD, **fields}
    answer = browser.post(
        f"/self-service/registration?flow={flow['id']}", urlencode(sent), content_type="application/x-www-form-urlencoded"
    )
    shown = browser.get("/self-service/registration/flows", {"id": flow["id"]}, HTTP_ACCEPT="application/json")
    return answer.status_code, shown.json()


@pytest.mark.parametrize("age", ["nan", "inf", "-Infinity", "1e400", "1e22", "9" * 30, "9" * 5000, "0x10", "1_000", "１２", "1e999999"])
@pytest.mark.parametrize("name", ["traits.age", "traits.count"])
def test_a_number_that_cannot_be_kept_is_said_at_its_field(name: str, age: str) -> None:
    status, flow = register(**{"traits.email": EMAIL, name: age})

    [field] = [node for node in flow["ui"]["nodes"] if node["attributes"].get("name") == name]
    assert status in (302, 303)
    assert field["messages"]
    assert Identity.objects.count() == 0


@pytest.mark.parametrize("value", [LONG, HUGE, DEEP, DEEPER])
@pytest.mark.parametrize("where", ["traits", "transient_payload"])
def test_json_in_a_field_is_refused_as_json_in_a_body(where: str, value: str) -> None:
    fields = (
        {"traits": value.replace('{"a"', f'{{"email":"{EMAIL}","free"', 1)} if where == "traits" else {"traits.email": EMAIL, where: value}
    )
    status, flow = register(**fields)

    assert status in (302, 303)
    assert flow["ui"]["messages"]
    assert Identity.objects.count() == 0


def test_half_a_character_is_replaced_and_the_person_signs_up() -> None:
    register(traits=f'{{"email":"{EMAIL}","free":"\\ud800"}}', transient_payload=HALF)

    assert Identity.objects.get().traits["free"] == "\ufffd"


@pytest.mark.parametrize("levels", [150, 300, 3000])
def test_a_name_with_many_dots_nests_no_deeper_than_json_may(levels: int) -> None:
    status, flow = register(**{"traits.email": EMAIL, "traits.free." + ".".join("a" * levels): "1"})

    assert status in (302, 303)
    assert flow["ui"]["messages"]
    assert RegistrationFlow.objects.get().completed_at is None


@pytest.mark.parametrize(
    ("text", "kind", "meant"),
    [
        ("5", "integer", 5),
        (" 5 ", "number", 5),
        ("-0", "integer", 0),
        ("1e5", "integer", 100000),
        ("2.5", "number", 2.5),
        ("2.5", "integer", "2.5"),
        ("9223372036854775807", "integer", 2**63 - 1),
        ("9223372036854775808", "integer", "9223372036854775808"),
        ("", "number", ""),
    ],
)
def test_digits_are_read_as_the_number_that_they_spell(text: str, kind: str, meant: object) -> None:
    assert _cast(text, {"type": kind}) == meant


@pytest.mark.parametrize("value", [10**30, float("nan"), float("inf"), "a\x00b", {"\x00": 1}, json.loads('{"a":' * 101 + "1" + "}" * 101)])
@pytest.mark.parametrize("name", ["traits", "metadata_public", "metadata_admin"])
def test_whoever_proposes_it_an_identity_holds_only_what_can_be_shown(name: str, value: object) -> None:
    """Hooks and mappers propose, too."""
    identity = services.propose("", {"email": EMAIL})
    setattr(identity, name, {"email": EMAIL, "free": value} if name == "traits" else {"a": value})

    with pytest.raises(BadRequest):
        services.derive(identity)


@pytest.mark.parametrize("id", ["x" * 65, "a\x00b"])
def test_an_external_id_fits_its_column(id: str) -> None:
    identity = services.propose("", {"email": EMAIL}, external_id=id)

    with pytest.raises(BadRequest):
        services.derive(identity)


def hook_says(**message: Any) -> bytes:
    return json.dumps(
        {"messages": [{"instance_ptr": "#/traits/email", "messages": [{"id": 1, "text": "no", "type": "error", **message}]}]}
    ).encode()


def test_a_hooks_message_that_can_be_kept_is_taken() -> None:
    assert isinstance(answers.refusal(hook_says(context={"a": 2**60})), InvalidSubmission)


@pytest.mark.parametrize("context", [{"a": 1e22}, {"a": "\x00"}, json.loads('{"a":' * 120 + "1" + "}" * 120)])
def test_a_hooks_message_that_cannot_be_kept_is_none(context: dict[str, Any]) -> None:
    assert answers.refusal(hook_says(context=context)) is None


@pytest.mark.parametrize(
    "address",
    [
        5,
        {},
        {"value": 5},
        {"value": "a", "via": 5},
        {"value": "a", "status": 5},
        {"value": "a", "status": ["sent"]},
        {"value": "a", "status": "other"},
        {"value": "a", "verified": "no"},
        {"value": "a", "verified_at": 5},
        {"value": "a", "verified_at": {}},
        {"value": "a", "verified_at": "garbage"},
        {"value": "a", "verified_at": "2026-01-31T12:00:00"},
        {"value": "a", "verified_at": "0000-01-01T00:00:00Z"},
        {"value": "a", "verified_at": "0001-01-01T00:00:00+23:00"},
    ],
)
def test_an_address_of_a_hook_that_cannot_be_stored_is_no_answer(address: object) -> None:
    with pytest.raises(ValueError, match="holds what is no address"):
        answers.identity_of(json.dumps({"identity": {"verifiable_addresses": [address]}}).encode())


def test_an_address_of_a_hook_that_can_be_stored_is_taken() -> None:
    entry = {"value": EMAIL, "via": "email", "verified": True, "status": "completed", "verified_at": "2026-01-31T12:00:00Z"}

    assert answers.identity_of(json.dumps({"identity": {"verifiable_addresses": [entry, {"value": "a"}]}}).encode())


@pytest.mark.parametrize("messages", [5, "x", {"a": 1}, True])
def test_messages_that_are_no_list_are_no_refusal(messages: object) -> None:
    assert answers.refusal(json.dumps({"messages": [{"instance_ptr": "#/", "messages": messages}]}).encode()) is None


@pytest.mark.parametrize("made", [{"a": 10**30}, {"a": "\ud800"}, json.loads('{"a":' * 300 + "1" + "}" * 300)])
def test_what_a_hooks_program_makes_is_sent_as_it_is(made: dict[str, Any]) -> None:
    assert json.loads(rendering.encode(made, "application/json")) == made


def test_a_providers_claims_lose_what_no_row_can_hold() -> None:
    said = {"n": 10**25, "m": 1e22, "text": "a\x00\ud800", "ok": [5, 2.5, True, None]}

    assert claims._storable(said) == {"n": None, "m": None, "text": "a?", "ok": [5, 2.5, True, None]}


def test_what_can_be_kept_is_left_as_it_is() -> None:
    value = {"a": [1, -(2**63), 2.5, True, None, "é\U0001f600"]}

    assert values.storable(value) == value


@pytest.mark.parametrize(
    ("traits", "text"), [({"plan": "gold"}, "Choose one of: free, pro."), ({"colour": "red"}, "There is no such field: colour.")]
)
def test_what_may_be_chosen_is_said(traits: dict[str, str], text: str) -> None:
    schema = schemas.Schema(
        "x",
        {"type": "object", "properties": {"traits": {"properties": {"plan": {"enum": ["free", "pro"]}}, "additionalProperties": False}}},
    )

    [error] = schema.errors(traits)

    assert messages.trait_error(error).text == text
