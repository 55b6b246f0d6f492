"""Where a browser may be sent, however the path is spelled."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from identity import conf, config
from identity.errors import ReturnToForbidden
from identity.http import return_to

HOME = "https://home.test/"


@pytest.fixture(autouse=True)
def _configured() -> Iterator[None]:
    with config.override({"selfservice": {"default_browser_return_url": HOME, "allowed_return_urls": ["https://good.test/app"]}}):
        yield


@pytest.mark.parametrize("path", ["/app", "/app/", "/app/a/b?c=/../x", "/app/a/../b", "/app/./a", "/x/../app/a", "/app/...", "/app/a..b"])
def test_it_goes_where_the_list_says(path: str) -> None:
    assert return_to.resolve("https://good.test" + path, HOME) == "https://good.test" + path


@pytest.mark.parametrize(
    "path", ["", "/", "/x", "/app/..", "/app/../x", "/app/%2e%2E/x", "/app/.%2e/x", "/app/a/../../x", "/../../x", "/ap/../p"]
)
def test_it_goes_no_higher_than_the_list_says(path: str) -> None:
    with pytest.raises(ReturnToForbidden):
        return_to.resolve("https://good.test" + path, HOME)


@pytest.mark.parametrize("path", ["/ui/../x", "/ui/%2e%2e/x", "/self-service/../x"])
def test_our_own_pages_end_where_they_end(path: str) -> None:
    with pytest.raises(ReturnToForbidden):
        return_to.resolve(conf.public_url(path), HOME)
