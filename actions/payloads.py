"""What a hook is told: the context that templates see (contract: actions.md 4.3). Never a secret, never our own cookies."""

from __future__ import annotations

from typing import Any

from actions.base import Run
from flows import present
from flows.hooks import HookContext
from flows.models import Flow
from flows.ui import nodes
from identity import config
from identity.api import representations
from identity.config import Config

SECRET_FIELDS = frozenset((nodes.CSRF, "password", "code", "totp_code", "lookup_secret"))


@config.per_config
def _allowed_headers(c: Config) -> frozenset[str]:
    return frozenset(str(name).lower() for name in c.get("clients.web_hook.header_allowlist") or ())


def filtered_headers(headers: Any) -> dict[str, list[str]]:
    """Return the headers of the person's request that others may see (`clients.web_hook.header_allowlist`)."""
    return {name: list(values) for name, values in headers.items() if name.lower() in _allowed_headers() and any(values)}


def context_of(run: Run) -> dict[str, Any]:
    """Return `ctx` for a template. Absent members are absent, not null."""
    context = run.context
    told: dict[str, Any] = {
        "flow": _flow(context.flow),
        "request_headers": filtered_headers(context.request.headers),
        "request_method": context.request.method,
        "request_url": context.request.url,
        "request_cookies": dict(context.request.cookies),
    }
    is_before = run.trigger.endswith(".before")
    if context.identity is not None and not is_before:
        told["identity"] = representations.identity(context.identity)
    if context.session is not None and _shows_session(context, is_before):
        told["session"] = representations.session(context.session)
    return told


def identity_of(run: Run) -> dict[str, Any] | None:
    """Return the identity that a run is about, as templates see it."""
    return representations.identity(run.context.identity) if run.context.identity else None


def _shows_session(context: HookContext, is_before: bool) -> bool:
    return context.kind == "settings" or (context.kind == "login" and not is_before)


def _flow(flow: Flow) -> dict[str, Any]:
    told = present.as_dict(flow)
    for node in told["ui"]["nodes"] or ():
        if nodes.name_of(node) in SECRET_FIELDS and "value" in node["attributes"]:
            node["attributes"]["value"] = ""
    return told


def default_document(run: Run) -> dict[str, Any]:
    """Return the body of a web_hook without a template: what happened, to whom (docs/actions.md)."""
    context = run.context
    document: dict[str, Any] = {"trigger": run.trigger, "flow": {"id": str(context.flow.id), "type": context.flow.type}}
    if context.method:
        document["method"] = context.method
    if context.identity is not None:
        document["identity"] = {"id": str(context.identity.id)}
    return document
