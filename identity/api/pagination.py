"""The four ways in which lists are paged; each is used where the contract says so (contract: identities.md 0.9)."""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse

from identity import crypto
from identity.errors import BadRequest, Problem
from identity.ids import parse_uuid

Row = TypeVar("Row", bound=Model)
LONGEST_TOKEN = 200  # characters of a token that holds an offset


def links(request: HttpRequest, pages: dict[str, dict[str, str]], without: tuple[str, ...] = ()) -> str:
    """Return a Link header (RFC 8288): relation -> query parameters of that page, others kept except *without*. Targets are relative."""
    asked = parse_qsl(request.META.get("QUERY_STRING", ""), keep_blank_values=True)
    kept = [(name, value) for name, value in asked if name not in without]
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


def size_of(request: HttpRequest, default: int, maximum: int, refuse: Callable[[str], Problem] = BadRequest) -> int:
    """Return how many rows a page by key shall have (`page_size`, or `per_page` as some clients say). Raises what *refuse* makes."""
    asked = request.GET.get("page_size") or request.GET.get("per_page") or "0"
    try:
        size = int(asked)
    except ValueError as error:
        raise refuse("The page size is not a number.") from error
    return min(size, maximum) if size > 0 else default


def announce_keys(response: HttpResponse, request: HttpRequest, size: int, first: str, following: str | None) -> None:
    """Say where a list by key begins and, unless it ends here, where it goes on (dialects K1 and K2)."""
    pages = {"first": {"page_size": str(size), "page_token": first}}
    if following is not None:
        pages["next"] = {"page_size": str(size), "page_token": following}
    response["Link"] = links(request, pages, without=("per_page",))


@dataclass(frozen=True)
class Moment:
    """A place in a list that is ordered by the time of creation, newest first: the last row that was shown."""

    at: datetime
    id: uuid.UUID

    def token(self) -> str:
        """Return it as a token of dialect K1."""
        said = f"created_at={self.at.strftime(MOMENT)}/id={self.id}"
        return base64.b64encode(said.encode()).decode().rstrip("=")

    @classmethod
    def of(cls, token: str) -> Moment:
        """Raises ValueError for what is no such token."""
        said = base64.b64decode(token + "=" * (-len(token) % 4), validate=True).decode()
        parts = dict(part.split("=", 1) for part in said.split("/") if "=" in part)
        found = parse_uuid(parts.get("id"))
        if found is None:
            raise ValueError(token)
        at = parts.get("created_at", "")
        return cls(datetime.strptime(at, MOMENT if "." in at else MOMENT[:-3]).replace(tzinfo=UTC), found)


MOMENT = "%Y-%m-%d %H:%M:%S.%f"
NEWEST = Moment(datetime(2200, 12, 31, 23, 59, 59, tzinfo=UTC), uuid.UUID(int=0))  # before every row
SEALED_FOR = 3600  # seconds that a sealed token is good for


def sealed(id: uuid.UUID) -> str:
    """Return a token of dialect K2: a row's key that nobody else can make up, good for an hour."""
    return crypto.seal_page(json.dumps({"id": str(id), "until": int(time.time()) + SEALED_FOR}).encode())


def unsealed(token: str) -> uuid.UUID:
    """Raises ValueError for a token that is not ours, or too old."""
    plain = crypto.open_page(token)
    held = json.loads(plain) if plain is not None else {}
    found = parse_uuid(held.get("id"))
    if found is None or held["until"] < time.time():
        raise ValueError(token)
    return found


@dataclass
class Numbered:
    """Dialect P: the older form of the list of identities, a page number from zero."""

    page: int
    size: int

    DEFAULT, MAX, DEEPEST = 250, 500, 1000

    @classmethod
    def of(cls, request: HttpRequest) -> Numbered | None:
        """Return the page that is asked for, None when it is asked for by key. Raises BadRequest when it is too deep."""
        query = request.GET
        if "page" not in query or "page_size" in query or "page_token" in query:
            return None
        page, size = max(0, _number(query["page"], 0)), _number(query.get("per_page"), 0)
        found = cls(page, min(size, cls.MAX) if size > 0 else cls.DEFAULT)
        if found.offset > cls.DEEPEST:
            raise BadRequest("Pages by number end here. Please go on by `page_token`.")
        return found

    @property
    def offset(self) -> int:
        return self.page * self.size

    def announce(self, response: HttpResponse, request: HttpRequest, total: int) -> None:
        response["X-Total-Count"] = str(total)
        if 0 < total <= self.size:
            response["Link"] = links(request, {"first": {"page": "0", "per_page": str(total)}})
            return
        last = max(0, (total - 1) // self.size)
        pages = {"first": 0, "next": self.page + 1, "prev": max(0, min(self.page, last + 1) - 1), "last": last}
        if total and self.page == 0:
            del pages["first"], pages["prev"]
        if self.page >= last:
            del pages["last"]
            if total:
                del pages["next"]
        response["Link"] = links(request, {name: {"page": str(page), "per_page": str(self.size)} for name, page in pages.items()})


@dataclass
class Mixed:
    """Dialect M: a page number from zero, or an opaque token that holds an offset. Lists of one person's sessions and of schemas."""

    offset: int
    size: int
    total: int = 0

    DEFAULT, MAX = 250, 1000
    DEEPEST = 2**31  # rows; nobody has as many of these, and no database counts on without end

    @classmethod
    def of(cls, request: HttpRequest) -> Mixed:
        query = request.GET
        size = _number(query.get("page_size") or query.get("per_page"), cls.DEFAULT)
        size = min(size, cls.MAX) if size > 0 else cls.DEFAULT
        if "page_token" in query or "page_size" in query:
            offset = _offset(query.get("page_token", ""))
        else:
            offset = _number(query.get("page"), 0) * size
        return cls(min(max(0, offset), cls.DEEPEST), size)

    def rows(self, found: QuerySet[Row]) -> list[Row]:
        return self.read(lambda offset, limit: list(found[offset : offset + limit]), found.count)

    def read(self, part: Callable[[int, int], list[Row]], count: Callable[[], int]) -> list[Row]:
        """Return this page: *part* takes an offset and a limit. A list that ends on it is counted without a further query."""
        rows = part(self.offset, self.size + 1)
        is_last = len(rows) <= self.size and (rows or self.offset == 0)
        self.total = self.offset + len(rows) if is_last else count()
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
                offsets |= {"next": self.offset + self.size, "last": last}
            if self.offset > 0:
                offsets["prev"] = max(0, min(self.offset, last + self.size) - self.size)
            else:
                del offsets["first"]
        response["Link"] = links(request, {relation: self._place(offset) for relation, offset in offsets.items()})

    def _place(self, offset: int) -> dict[str, str]:
        token = base64.urlsafe_b64encode(json.dumps({"offset": str(offset), "v": 2}).encode()).decode().rstrip("=")
        return {"page": str(offset // self.size), "page_size": str(self.size), "page_token": token, "per_page": str(self.size)}


def _offset(token: str) -> int:
    """Return the offset that a token holds; a malformed one means the beginning."""
    if len(token) > LONGEST_TOKEN:
        return 0
    try:
        held = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        return int(str(held["offset"]))
    except (ValueError, KeyError, TypeError):
        return 0
