"""Requests that we send to servers of the operator's."""

from __future__ import annotations

from identity.config.nodes import Anything, Flag, Section, Source, Table, Text, Url

AUTH = Section(keys={"type": Text(choices=("basic_auth", "api_key"), required=True), "config": Anything(required=True)})
REQUEST = Section(
    keys={
        "url": Url(pattern=r"https?://.*"),
        "method": Text("POST"),
        "headers": Table(of=Text()),
        "body": Source(),
        "auth": AUTH,
        "emit_analytics_event": Flag(),
    }
)
