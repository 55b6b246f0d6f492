"""The formats that identity schemas may name (contract: identities.md 2.6). Formats that are not here are not checked."""

import datetime
import ipaddress
import re
from collections.abc import Callable
from email.errors import HeaderParseError
from email.headerregistry import Address
from urllib.parse import urlsplit

from identity.identities import normalize

HOST_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)", re.IGNORECASE)
ATOM = r"[\w!#$%&'*+/=?^`{|}~-]+"
DOT_ATOM = re.compile(rf"{ATOM}(?:\.{ATOM})*", re.ASCII)  # RFC 5322 section 3.2.3
ATEXT = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+")


def hostname(value: str) -> bool:
    return len(value) <= 253 and all(HOST_LABEL.fullmatch(label) for label in value.rstrip(".").split("."))


def email(value: str) -> bool:
    """RFC 5322 addr-spec with a DNS host: at most 254 characters, 64 before the @."""
    local, at, host = value.rpartition("@")
    if not at or len(value) > 254 or len(local) > 64 or not hostname(host):
        return False
    if DOT_ATOM.fullmatch(local) and not host.endswith("."):
        return True
    try:
        return Address(addr_spec=value).addr_spec == value and not any(c.isspace() or not c.isprintable() for c in value)
    except (HeaderParseError, ValueError, IndexError):
        return False


def email_loose(value: str) -> bool:
    """One @, any dots before it, a host that IDNA can spell."""
    local, _, host = value.partition("@")
    if not ATEXT.fullmatch(local) or len(value.encode()) > 320:
        return False
    try:
        return hostname(host.encode("idna").decode())
    except UnicodeError:
        return False


def tel(value: str) -> bool:
    return normalize.phone(value) is not None


def date(value: str) -> bool:
    try:
        return bool(datetime.date.fromisoformat(value)) and len(value) == 10
    except ValueError:
        return False


def date_time(value: str) -> bool:
    try:
        return "T" in value.upper() and datetime.datetime.fromisoformat(value.upper().replace("Z", "+00:00")).tzinfo is not None
    except ValueError:
        return False


def time(value: str) -> bool:
    try:
        return bool(datetime.time.fromisoformat(value.upper().replace("Z", "+00:00")).tzinfo)
    except ValueError:
        return False


def _address(version: type[ipaddress.IPv4Address] | type[ipaddress.IPv6Address]) -> Callable[[str], bool]:
    def check(value: str) -> bool:
        try:
            version(value)
        except ValueError:
            return False
        return True

    return check


def uri(value: str) -> bool:
    try:
        return bool(urlsplit(value).scheme) and not any(c.isspace() for c in value)
    except ValueError:
        return False


FORMATS: dict[str, Callable[[str], bool]] = {
    "date": date,
    "date-time": date_time,
    "email": email,
    "email_loose": email_loose,
    "hostname": hostname,
    "ip-address": _address(ipaddress.IPv4Address),
    "ipv4": _address(ipaddress.IPv4Address),
    "ipv6": _address(ipaddress.IPv6Address),
    "iri": uri,
    "no-validate": lambda value: True,
    "tel": tel,
    "time": time,
    "uri": uri,
}
