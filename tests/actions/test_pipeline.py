"""Which list counts, and in which order its actions run."""

from __future__ import annotations

from typing import Any

import pytest

from actions import config as hooks
from actions import explain, pipeline
from identity import config
from identity.config import ConfigError


def web_hook(name: str, **more: Any) -> dict[str, Any]:
    return {"hook": "web_hook", "config": {"url": f"https://example.org/{name}", "method": "POST", "id": name, **more}}


def configured(flow: str, **lists: Any) -> Any:
    """Override the hooks of one flow: `after` is the default list, other names are methods."""
    after: dict[str, Any] = {name: {"hooks": listed} for name, listed in lists.items() if name not in ("before", "after")}
    if "after" in lists:
        after["hooks"] = lists["after"]
    return config.override({"selfservice": {"flows": {flow: {"before": {"hooks": lists.get("before", [])}, "after": after}}}})


def names(flow: str, method: str, phases: frozenset[str]) -> list[str]:
    return [entry.config.get("id") or entry.action.name for entry in pipeline.sequence(flow, method, phases)]


ALL: dict[str, Any] = {"after": [web_hook("default")], "password": [web_hook("own")]}


def test_a_methods_list_replaces_the_default_one() -> None:
    with configured("login", **ALL):
        assert names("login", "password", pipeline.ASK) == ["own"]
        assert names("login", "totp", pipeline.ASK) == ["default"]


@pytest.mark.parametrize("empty", [[], [{"hook": "b2b_sso", "config": {}}]], ids=["no hooks", "inert hooks"])
def test_a_list_without_a_usable_hook_falls_back(empty: list[Any]) -> None:
    with configured("login", after=[web_hook("default")], password=empty):
        assert names("login", "password", pipeline.ASK) == ["default"]


def test_the_fallback_is_there_in_every_phase() -> None:
    with configured("registration", after=[web_hook("asks", can_interrupt=True), web_hook("told")], password=[{"hook": "session"}]):
        assert names("registration", "password", pipeline.INTERRUPT) == ["asks"]
        assert names("registration", "password", pipeline.STORED) == ["session"]


def test_a_web_hook_counts_even_where_its_mode_has_nothing_to_do() -> None:
    with configured("registration", after=[web_hook("asks", can_interrupt=True)], password=[web_hook("told")]):
        assert names("registration", "password", pipeline.INTERRUPT) == []


def test_session_runs_last_wherever_it_stands() -> None:
    with configured("registration", password=[{"hook": "session"}, web_hook("a"), web_hook("b", response={"ignore": True})]):
        assert names("registration", "password", pipeline.STORED) == ["a", "b", "session"]


def test_a_code_is_sent_before_anything_else_while_verification_is_on() -> None:
    verifying = config.override({"selfservice": {"flows": {"verification": {"enabled": True}}}})
    with configured("registration", password=[web_hook("a"), {"hook": "session"}]), verifying:
        assert names("registration", "password", pipeline.STORED) == ["verification", "a", "session"]
        assert names("settings", "password", pipeline.STORED) == ["verification"]
        assert names("login", "password", pipeline.ASK) == []


WRONG: dict[str, tuple[str, dict[str, Any], str]] = {
    "an unknown name": (
        "login",
        {"after": [{"hook": "web_hok"}]},
        'login.after.hooks.0.hook: there is no hook "web_hok". Did you mean "web_hook"?',
    ),
    "session after login": ("login", {"password": [{"hook": "session"}]}, "login.after.password.hooks.0.hook"),
    "revoking before login": ("login", {"before": [{"hook": "revoke_active_sessions"}]}, "login.before.hooks.0.hook"),
    "config where there is none": ("login", {"after": [{"hook": "revoke_active_sessions", "config": {"a": 1}}]}, "takes no config"),
    "no config": ("login", {"after": [{"hook": "web_hook"}]}, "login.after.hooks.0.config: is required"),
    "another key": ("login", {"after": [{**web_hook("a"), "when": 1}]}, "login.after.hooks.0.when"),
    "no address": ("login", {"after": [web_hook("a", url="/x")]}, "config.url"),
    "no verb": ("login", {"after": [web_hook("a", method="")]}, "config.method"),
    "a typo": ("login", {"after": [web_hook("a", respnse={})]}, 'Did you mean "response"?'),
    "ignore and parse": ("login", {"after": [web_hook("a", response={"ignore": True, "parse": True})]}, "config.response.ignore"),
    "ignore and interrupt": ("login", {"after": [web_hook("a", response={"ignore": True}, can_interrupt=True)]}, "config.response.ignore"),
    "a key without its value": (
        "login",
        {"after": [web_hook("a", auth={"type": "api_key", "config": {"name": "K", "in": "header"}})]},
        "config.auth.config.value",
    ),
    "a header with a line break": ("login", {"after": [web_hook("a", headers={"X": "a\r\nY: b"})]}, "config.headers.X"),
    "another content type": ("login", {"after": [web_hook("a", headers={"Content-Type": "text/xml"})]}, "config.headers.Content-Type"),
    "no duration": ("login", {"after": [web_hook("a", timeout="soon")]}, "config.timeout"),
    "no secret": ("login", {"after": [web_hook("a", signing={"secret": "x"})]}, "config.signing"),
}


@pytest.mark.parametrize("why", WRONG)
def test_a_wrong_hook_is_pointed_at(why: str) -> None:
    flow, lists, said = WRONG[why]
    with configured(flow, **lists), pytest.raises(ConfigError) as refused:
        config.verify()
    assert said in str(refused.value)


def test_it_explains_what_it_does() -> None:
    with configured("login", before=[web_hook("first")], **ALL):
        assert "login.before.hooks.0" in explain.before("login")[0]
        assert "login.after.password.hooks.0" in explain.after("login", "password")[0]
        assert "never merged" in explain.list_that_counts("login", "password")
        assert "totp lists no hooks of its own" in explain.list_that_counts("login", "totp")


def test_every_list_that_is_admitted_can_be_configured() -> None:
    for place in hooks.places():
        assert "web_hook" in hooks.admitted(place), place
