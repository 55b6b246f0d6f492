"""Proving that an address is one's own (contract: flows.md 10)."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.utils import timezone

from flows import codes, conf, courier, states
from flows.courier import CourierMessage
from flows.models import VerificationFlow
from flows.ui import container, messages, nodes
from identity import conf as identity_conf
from identity.api import representations
from identity.http import problems
from identity.identities.models import Identity, VerifiableAddress

METHOD = "code"


def start(
    identity: Identity,
    address: VerifiableAddress,
    *,
    kind_of_client: str,
    request_url: str,
    return_to: str = "",
    csrf_hash: str = "",
    transient_payload: dict[str, Any] | None = None,
    request_headers: dict[str, list[str]] | None = None,
) -> VerificationFlow:
    """Begin a verification on the person's behalf: the flow waits for the code that this mails. In the caller's transaction."""
    now = timezone.now()
    flow = VerificationFlow(
        type=kind_of_client,
        state=states.SENT_EMAIL,
        active=METHOD,
        identity=identity,
        request_url=_without(request_url, "after_verification_return_to"),
        return_to=return_to,
        csrf_hash=csrf_hash,
        issued_at=now,
        created_at=now,
        updated_at=now,
        expires_at=now + conf.flow("verification").lifespan,
    )
    flow.transient_payload = transient_payload
    container.build(
        flow,
        [
            nodes.hidden("method", METHOD, METHOD),
            nodes.field("code", METHOD, required=True, autocomplete="one-time-code", label=messages.verification_code_label()),
            nodes.submit("method", METHOD, METHOD, messages.continue_button()),
            nodes.submit(address.via, METHOD, address.value, messages.resend_button()),
            nodes.csrf(),
        ],
        [messages.verification_code_texted() if address.via == "sms" else messages.verification_code_mailed()],
    )
    flow.save(force_insert=True)
    send_code(flow, identity, address, request_headers or {})
    return flow


def send_code(flow: VerificationFlow, identity: Identity, address: VerifiableAddress, request_headers: dict[str, list[str]]) -> None:
    """Mail a new code to the address and remember that it was sent."""
    code = codes.issue(flow, address.via, address.value, identity)
    data = codes.template_data(flow, address.value, representations.identity(identity)) | {
        "verification_code": code,
        "verification_url": problems.with_query(identity_conf.public_url("/self-service/verification"), code=code, flow=str(flow.id)),
    }
    courier.send(CourierMessage("verification_code_valid", address.via, address.value, data, request_headers))
    if not address.verified:
        address.status = VerifiableAddress.SENT
        VerifiableAddress.objects.filter(pk=address.pk).update(status=address.status)


def ui_url(flow: VerificationFlow) -> str:
    return problems.with_query(conf.flow("verification").ui_url, flow=str(flow.id))


def _without(url: str, name: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query=urlencode([pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != name])))


def address_of(flow: VerificationFlow) -> str:
    """Return the address that a flow which somebody began for the person is about: the value of its resend button."""
    return next((str(node["attributes"]["value"]) for node in flow.ui["nodes"] if nodes.name_of(node) in ("email", "sms")), "")
