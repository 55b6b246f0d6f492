"""Sending a code to an address that is not proven yet (contract: actions.md 3.4)."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from actions.base import Action, Run, register
from flows import verification
from flows.hooks import HookContext
from flows.models import LoginFlow
from identity.identities.models import Identity, VerifiableAddress


@register
class Verification(Action):
    """Send a code to the first address that is not verified."""

    name = "verification"

    def phases(self, config: dict[str, object], flow: str) -> frozenset[str]:
        return frozenset(("record",))

    def prepare(self, run: Run) -> None:
        """Choose the address. From here on hooks see it as one that was written to, which it is once this commits."""
        context = run.context
        if context.identity is None or (isinstance(context.flow, LoginFlow) and context.flow.requested_aal != "aal1"):
            return
        address = _first_eligible(context.identity, only_pending=context.kind == "settings")
        if address is not None:
            address.status = VerifiableAddress.SENT
            run.held.append(address)

    def record(self, run: Run) -> None:
        for address in run.held:
            begin(run.context, address)


def _first_eligible(identity: Identity, *, only_pending: bool) -> VerifiableAddress | None:
    rows = [row for row in identity.verifiable if not row.verified and (not only_pending or row.status == VerifiableAddress.PENDING)]
    return rows[0] if rows else None


def begin(context: HookContext, address: VerifiableAddress) -> None:
    """Start a verification flow for *address*, mail its code, and remember the flow for the actions that follow."""
    assert context.identity is not None
    flow = context.flow
    context.verification = verification.start(
        context.identity,
        address,
        kind_of_client=flow.type,
        request_url=flow.request_url,
        return_to=_query(flow.request_url, "after_verification_return_to"),
        csrf_hash=flow.csrf_hash,
        transient_payload=context.transient_payload or None,
        request_headers=dict(context.request.headers),
    )


def _query(url: str, name: str) -> str:
    return (parse_qs(urlsplit(url).query).get(name) or [""])[0]
