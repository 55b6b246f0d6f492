"""The four ways in which lists are paged (contract: identities.md 0.9)."""

from __future__ import annotations

import base64
import uuid
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import RequestFactory

from identity import config
from identity.api import pagination
from identity.errors import BadRequest
from identity.identities.models import Identity
from tests.identity.conftest import SECRETS


def links(response) -> dict[str, dict]:
    found = {}
    for link in filter(None, response["Link"].split(",")):
        target, relation = link.split("; rel=")
        assert target.startswith("</"), "relative"
        found[relation.strip('"')] = parse_qs(urlsplit(target.strip("<>")).query, keep_blank_values=True)
    return found


@pytest.fixture
def people(make):
    return sorted(str(make.identity(f"p{n}@h.test").id) for n in range(5))


def ids(response) -> list[str]:
    return [person["id"] for person in response.json()]


def test_it_pages_by_key_from_the_first_to_the_last(operator, people):
    first = operator.get("/admin/identities?page_size=2&consistency=strong")
    second = operator.get("/admin/identities", {"page_size": 2, "page_token": people[1]})
    third = operator.get("/admin/identities", {"page_size": 2, "page_token": people[3]})

    assert [ids(first), ids(second), ids(third)] == [people[:2], people[2:4], people[4:]]
    assert links(first)["next"] == {"page_size": ["2"], "page_token": [people[1]], "consistency": ["strong"]}
    assert links(first)["first"]["page_token"] == [str(uuid.UUID(int=0))]
    assert set(links(third)) == {"first"}
    assert "X-Total-Count" not in first


def test_it_goes_on_after_a_key_that_is_gone(operator, people):
    operator.delete(f"/admin/identities/{people[1]}")

    assert ids(operator.get("/admin/identities", {"page_size": 2, "page_token": people[1]})) == people[2:4]


def test_it_ends_a_list_that_fills_its_last_page(operator, people):
    assert set(links(operator.get("/admin/identities?page_size=5"))) == {"first"}


@pytest.mark.parametrize(("size", "rows"), [("0", 5), ("-1", 5), ("1", 1), ("99999999999999999999", 5), ("", 5)])
def test_it_clamps_sizes(operator, people, size, rows):
    assert len(operator.get("/admin/identities", {"page_size": size}).json()) == rows


def test_it_takes_per_page_alone_for_a_page_size(operator, people):
    response = operator.get("/admin/identities?per_page=2")

    assert ids(response) == people[:2]
    assert links(response)["next"] == {"page_size": ["2"], "page_token": [people[1]]}


@pytest.mark.parametrize(
    ("page", "rows", "relations"),
    [
        (0, slice(0, 2), {"next", "last"}),
        (1, slice(2, 4), {"first", "next", "prev", "last"}),
        (2, slice(4, 5), {"first", "prev"}),
        (7, slice(0), {"first", "prev"}),
    ],
)
def test_it_pages_by_number(operator, people, page, rows, relations):
    response = operator.get("/admin/identities", {"page": page, "per_page": 2})

    assert ids(response) == people[rows]
    assert response["X-Total-Count"] == "5"
    assert set(links(response)) == relations
    assert all(set(query) == {"page", "per_page"} for query in links(response).values())
    if page:
        assert links(response)["prev"]["page"] == [str(min(page, 3) - 1)]


def test_it_forgives_numbers_that_are_none(operator, people):
    assert ids(operator.get("/admin/identities?page=x&per_page=-3")) == people


def test_it_prefers_keys_to_numbers(operator, people):
    response = operator.get("/admin/identities?page=1&page_size=2")

    assert ids(response) == people[:2]
    assert links(response)["next"]["page"] == ["1"]


def test_it_counts_everybody_but_those_who_were_searched_by_identifier(operator, people):
    assert operator.get("/admin/identities", {"page": 0, "ids": people[0]})["X-Total-Count"] == "5"
    assert operator.get("/admin/identities", {"page": 0, "credentials_identifier": "p0@h.test"})["X-Total-Count"] == "1"


def test_it_names_every_page_of_an_empty_list(operator):
    response = operator.get("/admin/identities?page=0")

    assert set(links(response)) >= {"first", "next", "prev"}
    assert response["X-Total-Count"] == "0"


def test_it_names_a_moment_and_reads_it_back():
    moment = pagination.Moment(datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC), uuid.uuid4())

    assert pagination.Moment.of(moment.token()) == moment
    assert "=" not in moment.token()


@pytest.mark.parametrize("token", ["", "x", "\x00", "Y3JlYXRlZF9hdD14", "aWQ9eA", "é"])
def test_it_reads_no_moment_from_what_is_none(token):
    with pytest.raises(ValueError):  # noqa: PT011  whichever it is, the view turns it into a 400
        pagination.Moment.of(token)


def test_it_seals_a_place_for_an_hour(time_travel):
    id = uuid.uuid4()
    token = pagination.sealed(id)

    assert pagination.unsealed(token) == id
    time_travel(3601)
    with pytest.raises(ValueError, match=token):
        pagination.unsealed(token)


def test_it_opens_a_place_with_an_older_secret():
    with config.override({"secrets": {"pagination": ["the-older-secret-of-pages"]}}):
        id, token = (id := uuid.uuid4()), pagination.sealed(id)
    with config.override({"secrets": {"pagination": ["the-newer-secret-of-pages", "the-older-secret-of-pages"]}}):
        assert pagination.unsealed(token) == id
    with config.override(SECRETS), pytest.raises(ValueError):  # noqa: PT011
        pagination.unsealed(token)


def test_it_refuses_a_size_in_words():
    with pytest.raises(BadRequest):
        pagination.size_of(RequestFactory().get("/?page_size=many"), 10, 20)


def test_it_says_where_a_mixed_list_goes_on(operator, make, people):
    for _ in range(3):
        make.session(Identity.objects.get(pk=people[0]))

    pages = [operator.get(f"/admin/identities/{people[0]}/sessions", {"page": page, "per_page": 1}) for page in range(3)]

    assert [set(links(page)) for page in pages] == [{"next", "last"}, {"first", "next", "prev", "last"}, {"first", "prev"}]
    assert set(links(pages[0])["next"]) == {"page", "per_page", "page_size", "page_token"}
    following = links(pages[0])["next"]["page_token"][0]
    assert operator.get(f"/admin/identities/{people[0]}/sessions", {"page_size": 1, "page_token": following}).json() == pages[1].json()


def token(spelled: str) -> str:
    return base64.urlsafe_b64encode(spelled.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "query",
    [
        {"page_token": token('{"offset": 1e999}')},
        {"page_token": token('{"offset": "' + "9" * 40 + '"}')},
        {"page_token": token('{"offset": "' + "9" * 5000 + '"}')},
        {"page_token": token("[" * 6000)},
        {"page_token": token('{"offset": null}')},
        {"page_token": token('{"offset": -5}')},
        {"page_token": "\u20ac"},
        {"page": "9" * 40},
        {"page": "9" * 5000},
        {"page": str(2**62)},
        {"page": "-1"},
    ],
)
def test_no_place_in_a_mixed_list_breaks_it(operator, client, make, people, query):
    make.session(Identity.objects.get(pk=people[0]))

    assert operator.get(f"/admin/identities/{people[0]}/sessions", query).status_code == 200
    assert client.get("/schemas", query).status_code == 200
    assert client.get("/sessions", query).status_code == 401


@pytest.fixture
def time_travel(monkeypatch):
    def go(seconds: float) -> None:
        now = pagination.time.time()
        monkeypatch.setattr(pagination.time, "time", lambda: now + seconds)

    return go
