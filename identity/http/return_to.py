"""Where a browser may be sent (contract: flows.md 2.3).

An address is allowed when scheme and host (with its port) equal those of an entry of `selfservice.allowed_return_urls` and its path
begins with the entry's. Our own pages under /self-service and /ui/ are always allowed, the default address is not.
"""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit, urlunsplit

from identity import conf, config
from identity.config import Config
from identity.errors import BadRequest, ReturnToForbidden


@config.per_config
def _allowed(_: Config) -> tuple[SplitResult, ...]:
    return tuple(urlsplit(entry) for entry in (*conf.returns().allowed, conf.public_url("/self-service"), conf.public_url("/ui/")))


@config.per_config
def _own_pages(_: Config) -> tuple[SplitResult, ...]:
    return (urlsplit(conf.public_url("/self-service")),)


def default() -> str:
    """Return where browsers go that asked for nothing; a path is taken from our own address."""
    found = conf.returns().default
    return conf.public_url(found) if found.startswith("/") else found


def resolve(wanted: str, fallback: str, *, own_pages_only: bool = False) -> str:
    """Return the address that *wanted* means, or *fallback* when it is empty.

    Raises:
        ReturnToForbidden: It is not on the list.
        BadRequest: It is no address.
    """
    if not wanted:
        return fallback
    if any(ord(c) < 33 or c == "\\" for c in wanted):  # browsers read "\" as "/", and forget tabs and newlines
        raise ReturnToForbidden(f"The address {wanted[:200]!r} cannot be used.")
    try:
        parts, base = urlsplit(wanted), urlsplit(fallback)
        port = parts.port
    except ValueError as error:
        raise BadRequest("return_to is not an address.") from error
    parts = parts._replace(scheme=parts.scheme or base.scheme, netloc=parts.netloc or base.netloc)
    if "@" in parts.netloc or port == 0 or not any(_matches(entry, parts) for entry in (_own_pages() if own_pages_only else _allowed())):
        raise ReturnToForbidden(f"{wanted[:200]!r} is not among the addresses that browsers may be sent to.")
    return urlunsplit(parts)


def _matches(entry: SplitResult, wanted: SplitResult) -> bool:
    if entry.netloc and (entry.scheme.lower(), True) != (wanted.scheme.lower(), host_fits(entry.netloc.lower(), wanted.netloc.lower())):
        return False
    if not entry.netloc and wanted.netloc.lower() != urlsplit(default()).netloc.lower():
        return False
    return _resolved(wanted.path or "/").startswith(entry.path or "/")


def _resolved(path: str) -> str:
    """Return a path as browsers walk it: up where a segment is two dots, spelled out or not (WHATWG URL, "double-dot path segment")."""
    walked: list[str] = []
    for segment in path.split("/"):
        dots = segment.lower().replace("%2e", ".")
        if dots == ".." and len(walked) > 1:
            walked.pop()
        elif dots not in (".", ".."):
            walked.append(segment)
    return "/".join(walked)


def host_fits(entry: str, wanted: str) -> bool:
    """Whether a host (with its port) is the one of an entry, which may begin with "*."."""
    if entry.startswith("*."):
        return _is_bounded(entry[2:]) and wanted.endswith(entry[1:]) and len(wanted) > len(entry) - 1
    return entry == wanted


def _is_bounded(suffix: str) -> bool:
    """Whether a wildcard stands below a domain that somebody registered: at least two labels, none of them a wildcard."""
    labels = suffix.split(":")[0].split(".")
    return len(labels) >= 2 and all(labels) and "*" not in suffix and suffix.split(":")[0] not in PUBLIC_SUFFIXES


# Second-level names under which anybody can register. Wildcards directly below them would send people to strangers.
PUBLIC_SUFFIXES = frozenset(
    f"{second}.{country}"
    for country in (
        "uk",
        "jp",
        "au",
        "nz",
        "za",
        "br",
        "in",
        "kr",
        "il",
        "tr",
        "mx",
        "ar",
        "cn",
        "tw",
        "hk",
        "sg",
        "id",
        "th",
        "my",
        "ph",
        "vn",
    )
    for second in ("co", "com", "net", "org", "ac", "gov", "edu", "ne", "or", "go", "gob")
) | {
    "github.io",
    "gitlab.io",
    "herokuapp.com",
    "vercel.app",
    "netlify.app",
    "pages.dev",
    "workers.dev",
    "web.app",
    "firebaseapp.com",
    "azurewebsites.net",
    "cloudfront.net",
    "fly.dev",
    "onrender.com",
}
