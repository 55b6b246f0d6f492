"""What is mailed so that somebody can prove an address: codes and links, to known addresses and, if wanted, to unknown ones.

For an unknown address the same work is done as for a known one, down to a row that is never sent, so that the time
that an answer takes does not tell whether there is an account.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.db import transaction

from flows import codes, conf, courier
from flows.courier import CourierMessage
from flows.models import Flow, LoginFlow, PendingChange, RecoveryFlow, RegistrationFlow, VerificationFlow
from identity import conf as identity_conf
from identity.api import representations
from identity.http import problems
from identity.identities import services
from identity.identities.models import Identity, RecoveryAddress, VerifiableAddress
from identity.ids import uuid7

DEAD = timedelta(seconds=-1)  # the life of a code that is not sent


@dataclass(frozen=True)
class Addressee:
    """Where to send, and to whom. `identity` is None when nobody is known by this address."""

    via: str
    value: str
    identity: Identity | None
    address_id: Any = None  # of the verifiable address, whose status says that something was sent
    is_full: bool = False  # the inbox got as much lately as it may get


def send_code(flow: RecoveryFlow | VerificationFlow, to: Addressee, headers: dict[str, list[str]]) -> None:
    """Send a new code; earlier ones of this flow are void. One transaction, or the caller's.

    An inbox that got many lately gets none, and the code is good for nothing; the answer is the same.
    """
    with transaction.atomic():
        to = _with_room(to)
        code = codes.issue(flow, to.via, to.value, to.identity)
        url = problems.with_query(identity_conf.public_url(f"/self-service/{flow.kind}"), code=code, flow=str(flow.id))
        data = {f"{flow.kind}_code": code, f"{flow.kind}_url": url}
        _send(flow, to, f"{flow.kind}_code", data, conf.codes().lifespan, headers)


def send_sign_in_codes(
    flow: LoginFlow | RegistrationFlow, to: Sequence[Addressee], headers: dict[str, list[str]], traits: dict[str, Any] | None = None
) -> None:
    """Send each address a code of its own; earlier ones of this flow are void. *traits* are those of who signs up."""
    with transaction.atomic():
        codes.discard(flow)
        for addressee in to:
            has_room = courier.has_room(addressee.via, addressee.value)
            code = codes.issue_another(flow, addressee.via, addressee.value, addressee.identity, lifespan=None if has_room else DEAD)
            about = representations.identity(addressee.identity) if addressee.identity else {"traits": traits or {}}
            told = codes.template_data(flow, addressee.value, about, conf.codes().lifespan) | {f"{flow.kind}_code": code}
            if addressee.via == "sms":
                told["request_url_domain"] = identity_conf.public_host()
            elif traits is not None:
                told["traits"] = traits
                del told["identity"]  # the names that the templates know it by (contract: identities.md 5.3)
            is_for_nobody = addressee.identity is None and traits is None
            is_withheld = is_for_nobody or not has_room
            courier.send(CourierMessage(f"{flow.kind}_code_valid", addressee.via, addressee.value, told, headers, is_withheld=is_withheld))


def send_link(flow: RecoveryFlow | VerificationFlow, to: Addressee, headers: dict[str, list[str]]) -> None:
    """Send a new link; earlier ones of this flow are void. It is built from the configured address, whatever the request says."""
    with transaction.atomic():
        to = _with_room(to)
        token = codes.issue_link(flow, to.via, to.value, to.identity)
        _send(flow, to, flow.kind, {f"{flow.kind}_url": link_url(flow, token)}, conf.link_lifespan(), headers)


def _with_room(to: Addressee) -> Addressee:
    return to if courier.has_room(to.via, to.value) else replace(to, identity=None, is_full=True)


def link_url(flow: Flow, token: str) -> str:
    return problems.with_query(identity_conf.public_url(f"/self-service/{flow.kind}"), flow=str(flow.id), token=token)


def _send(
    flow: RecoveryFlow | VerificationFlow,
    to: Addressee,
    template: str,
    data: dict[str, Any],
    lifespan: timedelta,
    headers: dict[str, list[str]],
) -> None:
    about = representations.identity(to.identity or _nobody(to))
    told = codes.template_data(flow, to.value, about, lifespan) | data
    if to.via == "sms":
        told["request_url_domain"] = identity_conf.public_host()
        if flow.kind == "recovery":
            told["verification_code"] = told.pop("recovery_code", "")  # the name that SMS bodies know it by (contract: identities.md 5.3)
    if to.identity is not None:
        courier.send(CourierMessage(f"{template}_valid", to.via, to.value, told, headers))
    elif conf.notices(flow.kind).unknown_recipients and to.via == "email" and not to.is_full:
        courier.send(CourierMessage(f"{template}_invalid", to.via, to.value, codes.template_data(flow, to.value, {}, lifespan), headers))
    else:
        courier.send(CourierMessage(f"{template}_valid", to.via, to.value, told, headers, is_withheld=True))
    if flow.kind == "verification":
        _mark_sent(to.address_id)


def _nobody(to: Addressee) -> Identity:
    """Return a person who has no more than this address, so that a message for nobody is as long as another."""
    nobody = services.propose_nobody()
    nobody.traits = {"email": to.value}
    nobody.verifiable.append(VerifiableAddress(identity=nobody, via=to.via, value=to.value))
    nobody.recovery.append(RecoveryAddress(identity=nobody, via=to.via, value=to.value))
    return nobody


def _mark_sent(address_id: Any) -> None:
    """Remember that the address was written to; for nobody's address the same statement finds nothing."""
    rows = VerifiableAddress.objects.filter(pk=address_id or uuid7(), verified=False)
    rows.update(status=VerifiableAddress.SENT)


def verifiable(flow: VerificationFlow, value: str, via: str) -> Addressee:
    """Find who could verify this address in this flow: whose it is, or whose it shall be once it is proved here."""
    if "\x00" in value:
        return Addressee(via, value, None)
    if flow.identity_id:
        waiting = PendingChange.objects.select_related("identity").filter(verification_flow_id=flow.pk, via=via, address=value).first()
        if waiting is not None:
            return Addressee(via, value, waiting.identity)
    row = VerifiableAddress.objects.select_related("identity").filter(via=via, value=value[:400]).first()
    return Addressee(via, value, row.identity if row else None, row.pk if row else None)


def recovery(value: str, via: str = "email") -> Addressee:
    """Find who could come back in through this address."""
    row = None if "\x00" in value else RecoveryAddress.objects.select_related("identity").filter(via=via, value=value[:400]).first()
    return Addressee(via, value, row.identity if row else None)
