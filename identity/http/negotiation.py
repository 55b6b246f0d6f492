"""Who is asking, and for what kind of answer. Three rules that differ on purpose (contract: flows.md 0)."""

from __future__ import annotations

from functools import lru_cache

from django.http import HttpRequest

HTML, JSON = "text/html", "application/json"


@lru_cache(maxsize=512)
def _best(accept: str, offers: tuple[str, ...]) -> str:
    """Return the offer that *accept* likes best (RFC 9110 section 12.5.1).

    Quality counts first, then the more specific range, then the earlier offer.
    """
    if not accept.strip():
        return HTML
    best, best_rank = HTML, (0.0, -1)
    for offer in offers:
        rank = max((_rank(piece, offer) for piece in accept.split(",")), default=(0.0, -1))
        if rank > best_rank:
            best, best_rank = offer, rank
    return best


def _rank(piece: str, offer: str) -> tuple[float, int]:
    range_, *parameters = (part.strip().lower() for part in piece.split(";"))
    quality = 1.0
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                quality = float(value)
            except ValueError:
                quality = 0.0
    if quality <= 0:
        return 0.0, -1
    if range_ == offer:
        return quality, 3
    if range_.endswith("/*") and range_ != "*/*" and offer.startswith(range_[:-1]):
        return quality, 2
    if range_ == "*/*":
        return quality, 1
    return 0.0, -1


def is_json(request: HttpRequest) -> bool:
    """`IsJSON`: the Accept header prefers JSON, or the body is exactly application/json."""
    if request.META.get("CONTENT_TYPE") == JSON:
        return True
    return _best(request.META.get("HTTP_ACCEPT", ""), (HTML, "text/*", "*/*", JSON)) == JSON


def accepts_json(request: HttpRequest) -> bool:
    """`AcceptsJSON`: the Accept header alone prefers JSON."""
    return _best(request.META.get("HTTP_ACCEPT", ""), (HTML, JSON)) == JSON


def is_browser(request: HttpRequest) -> bool:
    """`IsBrowserReq`: the Accept header alone prefers HTML, as it does when it is missing."""
    return not accepts_json(request)
