"""The four ways in which lists are paged; each is used where the contract says so (contract: identities.md 0.9)."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse

Row = TypeVar("Row", bound=Model)


def links(request: HttpRequest, pages: dict[str, dict[str, str]]) -> str:
    """Return a Link header (RFC 8288): relation -> query parameters of that page, other parameters kept. Targets are relative."""
    kept = [(name, value) for name, value in parse_qsl(request.META.get("QUERY_STRING", ""), keep_blank_values=True)]
    out = []
    for relation, changed in pages.items():
        query = [(name, value) for name, value in kept if name not in changed] + sorted(changed.items())
        out.append(f'<{request.path}?{urlencode(query)}>; rel="{relation}"')
    return ",".join(out)


def _number(text: str | None, default: int) -> int:
    try:
        return int(text or "")
    except ValueError:
        return default


@dataclass
class Mixed:
    """Dialect M: a page number from zero, or an opaque token that holds an offset. Lists of one person's sessions and of schemas."""

    offset: int
    size: int
    total: int = 0

    DEFAULT, MAX = 250, 1000

    @classmethod
    def of(cls, request: HttpRequest) -> Mixed:
        query = request.GET
        size = _number(query.get("page_size") or query.get("per_page"), cls.DEFAULT)
        size = min(size, cls.MAX) if size > 0 else cls.DEFAULT
        if "page_token" in query or "page_size" in query:
            return cls(_offset(query.get("page_token", "")), size)
        return cls(max(0, _number(query.get("page"), 0)) * size, size)

    def rows(self, found: QuerySet[Row]) -> list[Row]:
        """Return this page; a list that ends on it is counted without a further query."""
        rows = list(found[self.offset : self.offset + self.size + 1])
        is_last = len(rows) <= self.size and (rows or self.offset == 0)
        self.total = self.offset + len(rows) if is_last else found.count()
        return rows[: self.size]

    def part(self, found: list[Any]) -> list[Any]:
        self.total = len(found)
        return found[self.offset : self.offset + self.size]

    def announce(self, response: HttpResponse, request: HttpRequest) -> None:
        response["X-Total-Count"] = str(self.total)
        last = max(0, (self.total - 1) // self.size * self.size)
        offsets = {"first": 0}
        if self.total == 0:
            offsets |= {"next": 0, "prev": 0}
        elif self.total > self.size:
            if self.offset + self.size < self.total:
                offsets["next"] = self.offset + self.size
            if self.offset > 0:
                offsets["prev"] = max(0, self.offset - self.size)
            if self.offset + self.size < self.total:
                offsets["last"] = last
        response["Link"] = links(request, {relation: self._place(offset) for relation, offset in offsets.items()})

    def _place(self, offset: int) -> dict[str, str]:
        token = base64.urlsafe_b64encode(json.dumps({"offset": str(offset), "v": 2}).encode()).decode().rstrip("=")
        return {"page": str(offset // self.size), "page_size": str(self.size), "page_token": token, "per_page": str(self.size)}


def _offset(token: str) -> int:
    """Return the offset that a token holds; a malformed one means the beginning."""
    try:
        held = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        return max(0, int(held["offset"]))
    except (ValueError, KeyError, TypeError):
        return 0
