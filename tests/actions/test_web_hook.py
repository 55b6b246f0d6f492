"""What a webhook's answer means, in each mode (contract: actions.md 4.10)."""

from __future__ import annotations

import base64
import time
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.utils import timezone

from actions.base import ACTIONS, Entry, Place, Run
from actions.builtin import web_hook
from actions.builtin.web_hook import HookAnsweredWithError, HookFailed, HookTimedOut
from flows.errors import FlowRefused, InvalidSubmission
from flows.hooks import HookContext, RequestFacts
from flows.models import LoginFlow, RegistrationFlow
from identity import config
from identity.identities import services
from tests.receiver import Receiver, Says
from tests.services import free_port

REFUSAL = {
    "messages": [{"instance_ptr": "#/traits/name/first", "messages": [{"id": 7, "text": "No.", "type": "error", "context": {"a": 1}}]}]
}
MODES: dict[str, dict[str, Any]] = {"plain": {}, "can_interrupt": {"can_interrupt": True}, "parse": {"response": {"parse": True}}}


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_hook, "WAITS", (0.0, 0.0))


def jsonnet(program: str) -> str:
    return "base64://" + base64.b64encode(program.encode()).decode()


def context(kind: str = "registration") -> HookContext:
    flow = (RegistrationFlow if kind == "registration" else LoginFlow)(
        request_url="https://x", expires_at=timezone.now(), ui={"nodes": [], "messages": []}
    )
    flow.transient_payload = {"from": "spring"}
    identity = services.propose("", {"email": "ada@example.org"})
    services.derive(identity)
    facts = RequestFacts("POST", "https://x/y", {"User-Agent": ["x"], "Cookie": ["secret"], "Authorization": ["secret"]}, {"theirs": "1"})
    return HookContext(flow, facts, kind, "password", identity=identity, transient_payload={"from": "spring"})


def run(hooks: Receiver | str, kind: str = "registration", moment: str = "after", **more: Any) -> Run:
    url = hooks if isinstance(hooks, str) else hooks.url + "/hook"
    entry = Entry(
        ACTIONS["web_hook"], {"url": url, "method": "POST", **more}, Place(kind, moment, "password" if moment == "after" else ""), 0
    )
    return Run(entry, context(kind), f"{kind}.{moment}")


def call(one: Run) -> None:
    one.entry.action.interrupt(one)


ANSWERS: dict[str, tuple[Says, dict[str, type[Exception] | None]]] = {
    "200 with an object": (Says(200, {}), {"plain": None, "can_interrupt": None, "parse": None}),
    "200 with nothing": (Says(200), {"plain": None, "can_interrupt": None, "parse": None}),
    "200 with no JSON": (Says(200, b"<html>"), {"plain": None, "can_interrupt": None, "parse": HookFailed}),
    "200 with a list": (Says(200, []), {"plain": None, "can_interrupt": None, "parse": HookFailed}),
    "200 with text after it": (Says(200, b"{} x"), {"plain": None, "can_interrupt": None, "parse": HookFailed}),
    "200 with a wrong member": (Says(200, {"identity": {"schema_id": 7}}), {"plain": None, "can_interrupt": None, "parse": HookFailed}),
    "200 with an unknown state": (
        Says(200, {"identity": {"state": "asleep"}}),
        {"plain": None, "can_interrupt": None, "parse": HookFailed},
    ),
    "204": (Says(204), {"plain": None, "can_interrupt": None, "parse": None}),
    "201 with an identity": (Says(201, {"identity": {"state": "x"}}), {"plain": None, "can_interrupt": None, "parse": None}),
    "304": (Says(304), {"plain": None, "can_interrupt": None, "parse": None}),
    "400 with messages": (
        Says(400, REFUSAL),
        {"plain": HookAnsweredWithError, "can_interrupt": InvalidSubmission, "parse": InvalidSubmission},
    ),
    "403 without messages": (Says(403), {"plain": HookAnsweredWithError, "can_interrupt": HookFailed, "parse": HookFailed}),
    "403 with an id as text": (
        Says(403, {"messages": [{"instance_ptr": "", "messages": [{"id": "7"}]}]}),
        {"plain": HookAnsweredWithError, "can_interrupt": HookFailed, "parse": HookFailed},
    ),
    "403 with no groups": (Says(403, {"messages": []}), {"plain": HookAnsweredWithError, "can_interrupt": HookFailed, "parse": HookFailed}),
    "501 with messages": (
        Says(501, REFUSAL),
        {"plain": HookAnsweredWithError, "can_interrupt": InvalidSubmission, "parse": InvalidSubmission},
    ),
    "500": (Says(500), {"plain": HookAnsweredWithError, "can_interrupt": HookAnsweredWithError, "parse": HookAnsweredWithError}),
    "503 with messages": (
        Says(503, REFUSAL),
        {"plain": HookAnsweredWithError, "can_interrupt": InvalidSubmission, "parse": InvalidSubmission},
    ),
    "429": (Says(429), {"plain": HookAnsweredWithError, "can_interrupt": HookAnsweredWithError, "parse": HookAnsweredWithError}),
}
THREE_TIMES = {"500", "503 with messages", "429"}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ANSWERS)
def test_it_reads_an_answer_as_its_mode_says(hooks: Receiver, name: str, mode: str) -> None:
    said, meant = ANSWERS[name]
    hooks.on("/hook", said)
    one = run(hooks, **MODES[mode])

    if expected := meant[mode]:
        with pytest.raises(expected):
            call(one)
    else:
        call(one)

    assert len(hooks.log) == (3 if name in THREE_TIMES else 1)
    assert len({got.headers["webhook-id"] for got in hooks.log}) == 1, "one id over all tries"
    assert len({got.headers["ory-webhook-request-id"] for got in hooks.log}) == len(hooks.log)


def test_a_refusal_says_where_and_what(hooks: Receiver) -> None:
    hooks.on("/hook", Says(422, REFUSAL))
    with pytest.raises(InvalidSubmission) as refused:
        call(run(hooks, **MODES["parse"]))
    message = refused.value.messages[0]
    assert (message.id, message.text, message.type, message.at, message.context) == (7, "No.", "error", "traits.name.first", {"a": 1})


@pytest.mark.parametrize(
    ("pointer", "node"),
    [
        ("#/traits/email", "traits.email"),
        ("/traits/email", "traits.email"),
        ("#/password", "password"),
        ("", ""),
        ("#/", ""),
        ("#/a~1b/c~0d", "a/b.c~d"),
        ("#/a%20b", "a b"),
        ("#/x.y/z", "x\\.y.z"),
    ],
)
def test_it_reads_pointers(hooks: Receiver, pointer: str, node: str) -> None:
    hooks.on("/hook", Says(400, {"messages": [{"instance_ptr": pointer, "messages": [{"id": 1, "text": "x", "type": "error"}]}]}))
    with pytest.raises(InvalidSubmission) as refused:
        call(run(hooks, can_interrupt=True))
    assert refused.value.messages[0].at == node


def test_a_refusal_before_a_flow_is_for_programs_too(hooks: Receiver) -> None:
    hooks.on("/hook", Says(400, REFUSAL))
    one = run(hooks, "login", "before", can_interrupt=True)
    with pytest.raises(FlowRefused) as refused:
        one.entry.action.ask(one)
    assert refused.value.details == REFUSAL


def test_an_answer_changes_who_is_to_be(hooks: Receiver) -> None:
    said = {
        "traits": {"email": "eve@example.org"},
        "metadata_public": {"a": 1},
        "metadata_admin": None,
        "external_id": "x-1",
        "verifiable_addresses": [{"value": "eve@example.org", "via": "email", "verified": True}],
    }
    hooks.on("/hook", Says(200, {"identity": {**said, "id": "00000000-0000-0000-0000-000000000000", "credentials": {}}}))
    one = run(hooks, **MODES["parse"])
    identity = one.context.identity
    assert identity is not None
    id = identity.id

    call(one)

    assert (identity.id, identity.traits, identity.metadata_public, identity.external_id) == (
        id,
        {"email": "eve@example.org"},
        {"a": 1},
        "x-1",
    )
    assert [(row.value, row.verified) for row in identity.verifiable] == [("eve@example.org", True)]
    assert identity.factors["password"].names == ["eve@example.org"]


def test_an_answer_around_login_changes_nobody(hooks: Receiver) -> None:
    hooks.on("/hook", Says(200, {"identity": {"traits": {"email": "eve@example.org"}}}))
    one = run(hooks, "login", **MODES["parse"])
    one.entry.action.ask(one)
    assert one.context.identity is not None
    assert one.context.identity.traits == {"email": "ada@example.org"}


def test_it_tells_the_template_what_the_contract_says(hooks: Receiver) -> None:
    call(run(hooks, body=jsonnet("function(ctx) ctx")))

    told = hooks.log[0].body
    assert set(told) == {"flow", "identity", "request_headers", "request_method", "request_url", "request_cookies"}
    assert told["flow"]["transient_payload"] == {"from": "spring"}
    assert told["request_headers"] == {"User-Agent": ["x"]}
    assert told["request_cookies"] == {"theirs": "1"}
    assert "metadata_admin" not in told["identity"]
    assert "credentials" not in told["identity"]


@pytest.mark.parametrize("mode", MODES)
def test_a_template_calls_its_hook_off(hooks: Receiver, mode: str) -> None:
    call(run(hooks, body=jsonnet("function(ctx) {a: error 'cancelled'}"), **MODES[mode]))
    assert hooks.log == []


@pytest.mark.parametrize(
    "program", ["function(ctx) ctx.nothing", "not jsonnet", "local f(x) = f(x + 1) tailstrict; function(ctx) f(0)", "import 'x'"]
)
def test_a_template_that_fails_sends_nothing(hooks: Receiver, program: str) -> None:
    with pytest.raises(HookFailed) as failed:
        call(run(hooks, body=jsonnet(program)))
    assert hooks.log == []
    assert program not in str(failed.value)


def test_it_sends_a_form_where_the_content_type_says_so(hooks: Receiver) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    call(run(hooks, headers=headers, body=jsonnet("function(ctx) {email: ctx.identity.traits.email, 'metadata[a]': 'ü&='}")))
    assert parse_qs(hooks.log[0].raw.decode()) == {"email": ["ada@example.org"], "metadata[a]": ["ü&="]}
    with pytest.raises(HookFailed):
        call(run(hooks, headers=headers, body=jsonnet("function(ctx) {n: 1}")))


AUTH: dict[str, tuple[dict[str, Any], str, str]] = {
    "a header": ({"type": "api_key", "config": {"name": "X-Key", "value": "v", "in": "header"}}, "x-key", "v"),
    "a cookie": ({"type": "api_key", "config": {"name": "key", "value": "v", "in": "cookie"}}, "cookie", "key=v"),
    "a password": ({"type": "basic_auth", "config": {"user": "u", "password": ""}}, "authorization", "Basic dTo="),
}


@pytest.mark.parametrize("name", AUTH)
def test_it_says_who_it_is(hooks: Receiver, name: str) -> None:
    auth, header, value = AUTH[name]
    call(run(hooks, auth=auth, headers={"x-key": "other", "Authorization": "other"}))
    assert hooks.log[0].headers[header] == value


def test_it_sends_no_body_with_trace(hooks: Receiver) -> None:
    one = run(hooks)
    one.entry.config["method"] = "TRACE"
    call(one)
    assert (hooks.log[0].method, hooks.log[0].raw) == ("TRACE", b"")


def test_it_leaves_correlation_headers_out_when_told_so(hooks: Receiver) -> None:
    call(run(hooks, emit_analytics_event=False))
    assert not [name for name in hooks.log[0].headers if name.startswith("ory-")]


def test_it_waits_no_longer_than_its_budget(hooks: Receiver) -> None:
    hooks.on("/hook", Says(hangs=5))
    began = time.monotonic()
    with pytest.raises(HookTimedOut):
        call(run(hooks, timeout="600ms"))
    assert time.monotonic() - began < 3


def test_it_says_when_nobody_listens_and_not_where() -> None:
    url = f"http://127.0.0.1:{free_port()}/secret-path"
    with pytest.raises(HookFailed) as failed:
        call(run(url))
    assert "secret-path" not in str(failed.value.as_dict())


def test_it_does_not_go_where_it_may_not(hooks: Receiver) -> None:
    with config.override({"clients": {"http": {"disallow_private_ip_ranges": True}}}), pytest.raises(HookFailed):
        call(run(hooks))
    assert hooks.log == []


def test_it_waits_as_long_as_the_receiver_asks(hooks: Receiver) -> None:
    answers = [Says(503, headers={"Retry-After": "1"}), Says(200)]
    hooks.on("/hook", lambda got: answers.pop(0))
    began = time.monotonic()
    call(run(hooks))
    assert 1 <= time.monotonic() - began < 3
    assert len(hooks.log) == 2
