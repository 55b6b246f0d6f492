"""A hook that could never be called stops the start, and is pointed at."""

from __future__ import annotations

from typing import Any

import pytest

from actions.builtin.web_hook import faults
from identity.http import outgoing
from tests.receiver import Receiver


def said(config: dict[str, Any]) -> list[str]:
    return [str(fault) for fault in faults.of({"url": "https://hooks.test/", "method": "POST"} | config, "hook.config")]


def test_a_hook_that_can_be_called_is_taken() -> None:
    sane = {
        "url": "http://[::1]:8080/a?b=c#d",
        "headers": {"X-Name": "caf\xe9, tea", "X-Empty": ""},
        "auth": {"type": "api_key", "config": {"name": "X-Key", "value": "a b;c", "in": "header"}},
    }
    assert said(sane) == []
    assert said({"auth": {"type": "basic_auth", "config": {"user": "ada\n", "password": "\u20ac"}}}) == []  # it is sent as base64


@pytest.mark.parametrize(
    "url",
    ["", "/x", "ftp://h.test/", "http://", "http://h.test:99999/", "http://h.test:x/", "http://a..b/", "http://[::1/", "http://*.test/", 5],
)
def test_an_address_that_cannot_be_called_is_pointed_at(url: Any) -> None:
    assert [fault.partition(" ")[0].rstrip(":") for fault in said({"url": url})] == ["hook.config.url"]


@pytest.mark.parametrize("value", ["\u20ac", "a\nb", "a\r\nX: b", " a", "a ", "a\x00b", "a\x7fb"])
def test_a_value_that_fits_no_header_is_pointed_at(value: str) -> None:
    key = {"type": "api_key", "config": {"name": "X-Key", "value": value, "in": "header"}}

    assert ["hook.config.headers.X-Name" in fault for fault in said({"headers": {"X-Name": value}})] == [True]
    assert ["hook.config.auth.config.value" in fault for fault in said({"auth": key})] == [True]


@pytest.mark.parametrize(
    ("change", "where"), [({"name": "X Key"}, "name"), ({"in": "cookie", "value": "a; b"}, "value"), ({"in": "body"}, "in")]
)
def test_a_key_that_fits_nowhere_is_pointed_at(change: dict[str, str], where: str) -> None:
    given = {"name": "X-Key", "value": "a", "in": "header"} | change

    assert [f"hook.config.auth.config.{where}" in fault for fault in said({"auth": {"type": "api_key", "config": given}})] == [True]


def test_every_value_that_is_taken_can_be_sent(hooks: Receiver) -> None:
    for value in ("caf\xe9, tea", "", "a\tb", "~"):
        assert said({"headers": {"X-Name": value}}) == []
        assert outgoing.request("POST", hooks.url + "/x", headers={"X-Name": value}, body=b"{}").status == 200
