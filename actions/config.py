"""From the hooks of the configuration to checked entries: which hook may stand where (contract: actions.md 1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from actions.base import ACTIONS, Entry, Place
from identity import config
from identity.config import Config, Fault
from identity.config.faults import did_you_mean

INERT = ("b2b_sso", "organization")  # known elsewhere, without effect here
HOOK, REVOKE, SHOW = "web_hook", "revoke_active_sessions", "show_verification_ui"
LOGIN = (REVOKE, "require_verified_address", HOOK, "verification", SHOW)
METHODS = {
    "login": ("password", "webauthn", "passkey", "oidc", "code", "totp", "lookup_secret"),
    "registration": ("password", "webauthn", "passkey", "oidc", "code"),
    "settings": ("password", "totp", "oidc", "webauthn", "passkey", "lookup_secret", "profile"),
    "recovery": (),
    "verification": (),
}
DEFAULT_LISTS = {
    "login": LOGIN,
    "registration": (HOOK, "session", SHOW),
    "settings": (HOOK,),
    "recovery": (HOOK, REVOKE),
    "verification": (HOOK,),
}
METHOD_LISTS = {"login": LOGIN, "registration": ("session", HOOK, SHOW), "settings": (HOOK, REVOKE)}
SPECIAL = {
    ("login", "oidc"): (REVOKE, HOOK, "require_verified_address"),
    ("settings", "profile"): (HOOK, SHOW, "verify_new_address", "notify_previous_addresses"),
}


def places() -> Iterator[Place]:
    """Every list that a configuration may have."""
    for flow, methods in METHODS.items():
        yield Place(flow, "before")
        yield Place(flow, "after")
        for method in methods:
            yield Place(flow, "after", method)


def admitted(place: Place) -> tuple[str, ...]:
    """Return the names that may stand in this list."""
    if place.moment == "before":
        return (HOOK,)
    if not place.method:
        return DEFAULT_LISTS[place.flow]
    return SPECIAL.get((place.flow, place.method)) or METHOD_LISTS[place.flow]


def check(c: Config) -> Iterable[Fault]:
    """Every hook must be known, stand where it can run, and have the config that it needs."""
    for place in places():
        for index, raw in enumerate(c.get(place.path) or ()):
            yield from _faults(raw, place, f"{place.path}.{index}")


def _faults(raw: dict[str, Any], place: Place, path: str) -> Iterable[Fault]:
    name = raw.get("hook", "")
    if name in INERT:
        return
    if name not in ACTIONS:
        yield Fault(f"{path}.hook", f'there is no hook "{name}".{did_you_mean(str(name), ACTIONS)}')
    elif name not in admitted(place):
        yield Fault(f"{path}.hook", f'"{name}" cannot stand here. This list takes: {", ".join(admitted(place))}.')
    else:
        for extra in raw.keys() - {"hook", "config"}:
            yield Fault(f"{path}.{extra}", f"there is no such key.{did_you_mean(str(extra), ('hook', 'config'))}")
        yield from ACTIONS[name].faults(raw.get("config"), path, place)


@config.per_config
def _lists(c: Config) -> dict[Place, tuple[Entry, ...]]:
    found = {}
    for place in places():
        raw = c.get(place.path) or ()
        found[place] = tuple(
            Entry(ACTIONS[hook["hook"]], hook.get("config") or {}, place, index)
            for index, hook in enumerate(raw)
            if hook.get("hook") in ACTIONS
        )
    return found


def entries(place: Place) -> tuple[Entry, ...]:
    """Return the hooks of one list, in the operator's order."""
    return _lists().get(place, ())


@config.per_config
def verifies(c: Config) -> bool:
    """Whether new addresses are sent a code by themselves."""
    return bool(c.get("selfservice.flows.verification.enabled"))


def config_at(path: str) -> dict[str, Any]:
    """Return the config of the entry at a path such as selfservice.flows.login.after.hooks.0; {} when it is no longer there."""
    found: Any = config.current().tree
    for part in path.split("."):
        if isinstance(found, list):
            found = found[int(part)] if part.isdigit() and int(part) < len(found) else None
        else:
            found = found.get(part) if isinstance(found, dict) else None
    return (found.get("config") or {}) if isinstance(found, dict) else {}
