"""Mail and text messages."""

from __future__ import annotations

from dataclasses import replace

from identity.config.nodes import Duration, Ignored, Items, Later, Number, Section, Source, Table, Text
from identity.config.schema.requests import REQUEST

TEMPLATE_EMAIL = Section(keys={"subject": Source(), "body": Section(keys={"html": Source(), "plaintext": Source()})})
TEMPLATE_SMS = Section(keys={"body": Section(keys={"plaintext": Source()})})
MESSAGE = Section(keys={"email": TEMPLATE_EMAIL, "sms": TEMPLATE_SMS})
VALID = Section(keys={"email": replace(TEMPLATE_EMAIL, required=True), "sms": TEMPLATE_SMS})
INVALID = Section(keys={"email": replace(TEMPLATE_EMAIL, required=True)})
BOTH = Section(keys={"valid": VALID, "invalid": INVALID})
COURIER = Section(
    keys={
        "message_retries": Number(5, low=0),
        "worker": Section(keys={"pull_count": Number(10, low=1), "pull_wait": Duration("1s")}, open=True),
        "delivery_strategy": Text("smtp", choices=("smtp", "http")),
        "smtp": Section(
            keys={
                "connection_uri": Text(pattern=r"smtps?://.*", kind="an smtp:// or smtps:// address"),
                "from_address": Text("no-reply@localhost"),
                "from_name": Text(""),
                "headers": Table({}, of=Text()),
                "local_name": Text("localhost"),
                "client_cert_path": Text(""),
                "client_key_path": Text(""),
                "templates": Ignored(),
            }
        ),
        "http": Section(keys={"request_config": REQUEST}),
        "channels": Items(
            [], of=Section(keys={"id": Text(choices=("sms",), required=True), "type": Text(choices=("http",)), "request_config": REQUEST})
        ),
        "sms": Ignored(why="is the old form of courier.channels"),
        "template_override_path": Text(),
        "templates": Section(
            keys={
                "recovery": BOTH,
                "recovery_code": BOTH,
                "verification": BOTH,
                "verification_code": BOTH,
                "registration_code": Section(keys={"valid": VALID}),
                "login_code": Section(keys={"valid": VALID}),
                "verifiable_address_changed": MESSAGE,
                "authenticator_key_added": Later(node=MESSAGE),
            }
        ),
    }
)
