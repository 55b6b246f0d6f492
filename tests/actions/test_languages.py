"""Messages in the language of who reads them, and whether every word is there."""

from __future__ import annotations

import base64
import gettext
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.template import Context, engines
from django.template.base import Node
from django.templatetags.i18n import BlockTranslateNode, TranslateNode
from django.utils import translation
from django.utils.translation import trim_whitespace

from actions import courier, languages
from actions.delivery import outbox, sending
from actions.delivery.models import Delivery
from flows.courier import CourierMessage
from identity import config
from identity.identities import services
from tests.actions.test_courier import DATA, FOLDER, TEMPLATES
from tests.actions.test_email import Postman, running
from tests.factor_journeys import App, configuration
from tests.server import merged
from tests.services import free_port

LOCALE = Path(courier.__file__).parent / "locale"
OTHERS = [code for code, _ in settings.LANGUAGES if code != "en"]
PLACEHOLDER = re.compile(r"%\(\w+\)s")
ADA, STRANGER = "ada@example.org", "nobody@example.org"
SCHEMA = {
    "properties": {
        "traits": {"type": "object", "properties": {"email": {"type": "string", "format": "email"}, "locale": {"type": "string"}}}
    }
}
SCHEMA["properties"]["traits"]["properties"]["email"]["ory.sh/kratos"] = {"recovery": {"via": "email"}}  # type: ignore[index]


# -- which one


@pytest.mark.parametrize(
    ("traits", "accepted", "language"),
    [
        ({}, "", "en"),
        ({"locale": "de"}, "fr", "de"),
        ({"locale": "de-AT"}, "", "de"),
        ({"locale": "pt_BR"}, "", "pt"),
        ({"language": "NL"}, "", "nl"),
        ({"lang": "it"}, "", "it"),
        ({"locale": "xx", "lang": "es"}, "fr", "es"),
        ({"locale": "xx"}, "fr-CH, fr;q=0.9, en;q=0.8", "fr"),
        ({"locale": 5, "lang": None}, "es", "es"),
        ({"locale": ["de"]}, "", "en"),
        ({"locale": "d" * 100_000}, "", "en"),
        ({}, "ja, de;q=0.5", "de"),
        ({}, "en;q=0.1, de;q=0.5", "de"),
        ({}, "de;q=0, en", "en"),
        ({}, "*", "en"),
        ({}, ";;;,,=\x00", "en"),
        ({}, "de," * 100_000, "de"),
        ({"language": "en"}, "de", "en"),
    ],
)
def test_the_persons_own_comes_first_then_the_browsers(traits: dict[str, Any], accepted: str, language: str) -> None:
    headers = {"Accept-Language": [accepted]} if accepted else {}

    assert languages.chosen({"identity": {"traits": traits}}, headers) == language


def test_who_signs_up_has_traits_already() -> None:
    assert languages.chosen({"traits": {"locale": "it"}}, {}) == "it"


def test_nobody_is_told_in_the_browsers_language() -> None:
    assert languages.chosen({"identity": {}}, {"accept-language": ["es"]}) == "es"


# -- the catalogs


def catalog(code: str) -> Catalog:
    with (LOCALE / code / "LC_MESSAGES" / "django.po").open("rb") as file:
        return read_po(file, locale=code)


def words(node: Node) -> Iterator[str | tuple[str, str]]:
    """Every msgid below a node of a template."""
    for found in node.get_nodes_by_type(TranslateNode):
        yield str(found.filter_expression.resolve(Context()))
    for found in node.get_nodes_by_type(BlockTranslateNode):
        singular = found.render_token_list(found.singular)[0]
        yield (trimmed(singular), trimmed(found.render_token_list(found.plural)[0])) if found.plural else trimmed(singular)


def trimmed(text: str) -> str:
    return trim_whitespace(text)


def needed() -> set[str | tuple[str, str]]:
    django = engines["django"]
    files = [FOLDER / "layout.html", *FOLDER.glob("*/*.html"), *FOLDER.glob("*/*.txt")]
    with translation.override(None):
        return {word for file in files for node in django.from_string(file.read_text()).template.nodelist for word in words(node)}


def told(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string)


@pytest.mark.parametrize("code", OTHERS)
def test_no_word_is_missing_and_none_is_left_over(code: str) -> None:
    assert {message.id for message in catalog(code) if message.id} == needed()


@pytest.mark.parametrize("code", OTHERS)
def test_every_word_is_translated_with_its_placeholders(code: str) -> None:
    for message in catalog(code):
        if not message.id:
            continue
        ids = [message.id] if isinstance(message.id, str) else list(message.id)
        assert not message.fuzzy, message.id
        assert all(told(message)), message.id
        assert {tuple(sorted(PLACEHOLDER.findall(text))) for text in told(message)} == {tuple(sorted(PLACEHOLDER.findall(ids[0])))}
        assert all("%" not in PLACEHOLDER.sub("", text) for text in told(message)), message.id


@pytest.mark.parametrize("code", OTHERS)
def test_the_compiled_catalog_is_that_of_the_words(code: str) -> None:
    compiled = io.BytesIO()
    write_mo(compiled, catalog(code))
    compiled.seek(0)
    with (LOCALE / code / "LC_MESSAGES" / "django.mo").open("rb") as file:
        held = gettext.GNUTranslations(file)

    assert vars(held)["_catalog"] == vars(gettext.GNUTranslations(compiled))["_catalog"], "run `make messages`"


# -- what is sent


@pytest.mark.django_db
@pytest.mark.parametrize("code", OTHERS)
@pytest.mark.parametrize("template", TEMPLATES)
def test_every_part_is_in_that_language(template: str, code: str) -> None:
    plain = {"to": ADA, "request_url": "x", "transient_payload": {}}
    english = rendered(template, DATA | plain | {"identity": {"traits": {}}})
    other = rendered(template, DATA | plain | {"identity": {"traits": {"locale": code}}})

    assert f'<html lang="{code}" dir="ltr">' in other["html_body"]
    assert all(other[part] != english[part] for part in ("subject", "body", "html_body"))
    assert "%(" not in str(other)
    english_words = [word for word in needed() if isinstance(word, str) and "%" not in word]
    assert not [word for word in english_words if word in other["body"] + other["html_body"] + other["subject"]]


def rendered(template: str, data: dict[str, Any], via: str = "email") -> dict[str, Any]:
    courier.send(CourierMessage(template, via, ADA, data))
    return outbox.content_of(Delivery.objects.latest("created_at", "id"))


@pytest.mark.django_db
@pytest.mark.parametrize("code", [*OTHERS, "en"])
@pytest.mark.parametrize("template", [name for name in TEMPLATES if (FOLDER / name / "sms.txt").exists() and "code" in name])
def test_a_text_message_ends_with_the_line_that_phones_read(template: str, code: str) -> None:
    data = DATA | {"identity": {"traits": {"locale": code}}, "request_url_domain": "auth.example.org"}

    lines = rendered(template, data, "sms")["body"].splitlines()

    assert lines[-1] == "@auth.example.org #654321"
    assert lines[0].startswith("654321 ")


@pytest.mark.django_db
@pytest.mark.parametrize(("minutes", "said"), [(1, "1 Minute lang"), (2, "2 Minuten lang"), (1440, "1440 Minuten lang")])
def test_numbers_have_their_word(minutes: int, said: str) -> None:
    data = DATA | {"identity": {"traits": {"locale": "de"}}, "expires_in_minutes": minutes}

    assert said in rendered("recovery_valid", data)["body"]


@pytest.mark.django_db
def test_what_people_wrote_stays_text_in_a_sentence() -> None:
    hostile = "<b>%(to)s%s{{ to }}@example.org"

    got = rendered("recovery_invalid", DATA | {"to": hostile, "identity": {"traits": {"locale": "fr"}}})

    assert hostile in got["body"]
    assert "&lt;b&gt;%(to)s%s{{ to }}@example.org" in got["html_body"]


@pytest.fixture
def post() -> Iterator[Postman]:
    """A mail server that the configuration sends to; people have a locale, and strangers are told that they are none."""
    postman = Postman()
    flows = {"recovery": {"enabled": True, "notify_unknown_recipients": True}}
    schema = "base64://" + base64.b64encode(json.dumps(SCHEMA).encode()).decode()
    for uri in running(Controller(postman, hostname="127.0.0.1", port=free_port()), "smtp", "disable_starttls=true"):
        patch = {
            "selfservice": {"flows": flows},
            "identity": {"default_schema_id": "person", "schemas": [{"id": "person", "url": schema}]},
            "courier": {"smtp": {"connection_uri": uri}},
        }
        with config.override(merged(configuration(), patch)):
            yield postman


def ask(address: str, accepted: str) -> None:
    app = App()
    app.headers = {"HTTP_ACCEPT_LANGUAGE": accepted}
    assert app.submit(app.start("recovery"), method="code", email=address).status_code == 200
    for delivery in Delivery.objects.filter(status=Delivery.QUEUED):
        sending.attempt(delivery.pk)


@pytest.mark.django_db
def test_a_german_gets_a_german_mail(post: Postman) -> None:
    ada = services.propose("", {"email": ADA, "locale": "de"})
    services.derive(ada)
    services.create(ada)

    ask(ADA, "fr")

    [mail] = post.mails
    plain, html = mail.iter_parts()
    assert mail["Subject"].startswith("Zurück in Ihr Konto: ")
    assert "Mit diesem Code kommen Sie wieder in Ihr Konto" in plain.get_content()
    assert '<html lang="de" dir="ltr">' in html.get_content()


@pytest.mark.django_db
def test_a_stranger_is_told_in_the_language_of_their_browser(post: Postman) -> None:
    ask(STRANGER, "de-CH,de;q=0.9")

    [mail] = post.mails
    assert mail["Subject"] == "Jemand wollte in ein Konto zurück"
