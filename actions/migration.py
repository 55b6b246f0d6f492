"""Asking another system about a password that still lives there, once (contract: actions.md 3.8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from actions import payloads, rendering
from actions.base import ACTIONS, Entry, Place, Run
from actions.builtin import web_hook
from actions.builtin.web_hook import HookAnsweredWithError, HookFailed, HookTimedOut, Prepared
from flows.hooks import HookContext
from identity import config
from identity.config import Config
from identity.errors import InvalidConfiguration
from identity.ids import uuid7

PATH = "selfservice.methods.password.config.migrate_hook"
READ = 1024  # bytes of the answer
MATCH = "password_match"


@dataclass(frozen=True)
class Rules:
    enabled: bool
    config: dict[str, Any]


@config.per_config
def _rules(c: Config) -> Rules:
    held = c.get(PATH) or {}
    return Rules(bool(held.get("enabled")), {"method": "POST", **(held.get("config") or {})})


def password_fits(context: HookContext, identifier: str, password: str) -> bool:
    """Return whether the other system says that this is the person's password.

    Raises:
        InvalidConfiguration: The person was imported with this hook, and it is switched off.
        HookAnsweredWithError: It did not answer as it should.
    """
    rules = _rules()
    if not rules.enabled or not rules.config.get("url"):
        raise InvalidConfiguration("This account's password is in another system, which cannot be asked.")
    run = Run(Entry(ACTIONS["web_hook"], rules.config, Place("login", "before"), 0), context, "login.password_migration")
    try:
        answer = web_hook.send(_prepared(run, identifier, password), rules.config, PATH)
    except (HookFailed, HookTimedOut) as failure:
        raise HookAnsweredWithError("The other system could not be asked.") from failure
    if answer.status == 403:
        return False
    if answer.status != 200:
        raise HookAnsweredWithError(f"It answered with status {answer.status}.")
    return _says_so(answer.body)


def _says_so(body: bytes) -> bool:
    try:
        said = orjson.loads(body[:READ])
    except orjson.JSONDecodeError:
        return False
    return isinstance(said, dict) and said.get("status") == MATCH


def _prepared(run: Run, identifier: str, password: str) -> Prepared:
    config, asked = run.entry.config, {"identifier": identifier, "password": password}
    headers = {str(name): str(value) for name, value in (config.get("headers") or {}).items()}
    kind = next((value for name, value in headers.items() if name.lower() == "content-type"), "") or headers.setdefault(
        "Content-Type", rendering.JSON
    )
    try:
        if config.get("body"):
            body = rendering.render(config["body"], kind, payloads.context_of(run) | {"identity": payloads.identity_of(run)} | asked)
        else:
            body = rendering.encode(asked, kind)
    except rendering.RenderingFailed as failure:
        raise HookFailed("Its request could not be made.") from failure
    if body is None:
        raise HookFailed("Its template called it off.")
    return Prepared(config["url"], str(config["method"]), rendering.authorized(headers, config.get("auth")), body, f"msg_{uuid7().hex}")
