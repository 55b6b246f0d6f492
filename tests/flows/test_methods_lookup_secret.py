"""Backup codes: made and confirmed in settings, used as second factor."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flows.models import SettingsFlow
from identity import config
from identity.credentials.models import Credential
from identity.identities.models import Identity
from tests.factor_journeys import App, Flow, Page, codes_of, configuration, make_person, names, node, said, value

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _configured() -> Iterator[None]:
    with config.override(configuration()):
        yield


@pytest.fixture
def ada() -> Identity:
    return make_person("ada@example.org")


@pytest.fixture(params=[App, Page])
def visitor(request: pytest.FixtureRequest, ada: Identity) -> App:
    person: App = request.param(ada)
    return person


def propose(visitor: App) -> tuple[Flow, list[str]]:
    shown = visitor.submit(visitor.start("settings"), lookup_secret_regenerate=True).json()
    return shown, codes_of(shown)


def set_up(visitor: App) -> list[str]:
    shown, codes = propose(visitor)
    assert visitor.submit(shown, lookup_secret_confirm=True).status_code == 200
    return codes


def use(ada: Identity, code: str) -> tuple[int, Flow]:
    """Return the status and the answer of another device that uses a code as second factor."""
    other = App(ada)
    response = other.submit(other.start("login", aal="aal2"), method="lookup_secret", lookup_secret=code)
    return response.status_code, response.json()


def test_codes_that_were_only_shown_are_worth_nothing(visitor: App, ada: Identity) -> None:
    shown, codes = propose(visitor)

    assert shown["state"] == "show_form"
    assert "lookup_secret_confirm" in names(shown)
    assert visitor.stored_session().aal == "aal1"
    assert said(use(ada, codes[0])[1]) == [4000014]


def test_confirming_them_raises_this_session(visitor: App, ada: Identity) -> None:
    set_up(visitor)

    assert visitor.stored_session().methods_used() == ["password", "lookup_secret"]
    assert visitor.stored_session().aal == "aal2"
    assert Identity.objects.get(pk=ada.pk).available_aal == "aal2"


def test_they_can_be_seen_again(visitor: App) -> None:
    codes = set_up(visitor)

    shown = visitor.submit(visitor.start("settings"), lookup_secret_reveal=True)

    assert (shown.status_code, codes_of(shown.json())) == (200, codes)
    assert {"lookup_secret_disable", "lookup_secret_regenerate"} <= names(shown.json())


def test_each_lets_in_once(ada: Identity) -> None:
    codes = set_up(App(ada))

    assert use(ada, codes[0])[0] == 200
    assert said(use(ada, codes[0])[1]) == [4000012]
    assert use(ada, codes[1])[0] == 200


def test_a_used_one_is_shown_as_used_and_no_longer_told(ada: Identity) -> None:
    owner = App(ada)
    codes = set_up(owner)
    use(ada, codes[3])

    shown = owner.submit(owner.start("settings"), lookup_secret_reveal=True).json()

    told = node(shown, "lookup_secret_codes")["attributes"]["text"]
    assert [entry["id"] for entry in told["context"]["secrets"]] == [1050009] * 3 + [1050014] + [1050009] * 8
    assert codes[3] not in str(shown)
    assert told["text"].split(", ")[3] == "used"


def test_new_codes_replace_the_old_ones_once_they_are_confirmed(ada: Identity) -> None:
    owner = App(ada)
    old = set_up(owner)
    shown, new = propose(owner)
    assert use(ada, old[0])[0] == 200

    owner.submit(shown, lookup_secret_confirm=True)

    assert said(use(ada, old[1])[1]) == [4000016]
    assert use(ada, new[0])[0] == 200


@pytest.mark.parametrize("act", ["lookup_secret_reveal", "lookup_secret_confirm"])
def test_what_comes_too_early_is_refused_in_words(visitor: App, act: str) -> None:
    refused = visitor.submit(visitor.start("settings"), **{act: True})

    assert (refused.status_code, said(refused.json())) == (400, [4000001])


def test_codes_shown_in_one_form_cannot_be_confirmed_in_another(visitor: App) -> None:
    propose(visitor)

    refused = visitor.submit(visitor.start("settings"), lookup_secret_confirm=True)

    assert refused.status_code == 400
    assert not Credential.objects.filter(type="lookup_secret").exists()


def test_the_method_alone_says_nothing(visitor: App) -> None:
    assert said(visitor.submit(visitor.start("settings"), method="lookup_secret").json()) == [4010004]


@pytest.mark.parametrize(("code", "id", "at"), [("", 4000002, "lookup_secret"), ("nosuch12", 4000016, "")])
def test_it_says_what_is_wrong_with_a_code(ada: Identity, code: str, id: int, at: str) -> None:
    set_up(App(ada))

    _, refused = use(ada, code)

    assert said(refused, at) == [id]
    assert value(refused, "lookup_secret") is None


def test_guesses_count_over_flows_and_sessions(ada: Identity) -> None:
    codes = set_up(App(ada))
    for _ in range(10):
        use(ada, "nosuch12")

    assert said(use(ada, codes[0])[1]) == [4000001]


def test_turning_them_off_lowers_the_bar(visitor: App, ada: Identity) -> None:
    set_up(visitor)

    after = visitor.submit(visitor.start("settings"), lookup_secret_disable=True).json()

    assert said(after) == [1050001]
    assert Identity.objects.get(pk=ada.pk).available_aal == "aal1"
    assert visitor.stored_session().aal == "aal2"


def test_the_flows_row_does_not_tell_the_codes(visitor: App) -> None:
    shown, codes = propose(visitor)
    row = SettingsFlow.objects.get(pk=shown["id"])

    assert not any(code in str(row.ui) + str(row.internal) for code in codes)
    assert codes_of(visitor.fetch(shown)) == codes
