"""The pages that come with the server: what they draw, whom they draw it for, and what they never do."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.test import Client, RequestFactory

from flows.models import LoginFlow
from flows.pages import colours, devices, layout, words
from identity import config
from identity.credentials import totp
from identity.http import cookies, csrf
from identity.http.models import ParkedError
from identity.identities import services
from identity.identities.models import Identity
from identity.sessions import services as sessions
from identity.sessions.models import Session

HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(2)>'"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:124.0) Gecko/20100101 Firefox/124.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/604.1"

Node = dict[str, Any]


# -- a form as a client sees it


def message(id: int, text: str, type: str = "error", **context: Any) -> dict[str, Any]:
    return {"id": id, "text": text, "type": type, **({"context": context} if context else {})}


def node(node_type: str, group: str, *, label: str = "", label_id: int = 1070002, said: list[Any] | None = None, **attributes: Any) -> Node:
    context = attributes.pop("label_context", {})
    return {
        "type": node_type,
        "group": group,
        "attributes": {**attributes, "node_type": node_type},
        "messages": said or [],
        "meta": {"label": message(label_id, label, "info", **context)} if label else {},
    }


def field(name: str, group: str = "default", type: str = "text", **more: Any) -> Node:
    return node("input", group, name=name, type=type, disabled=more.pop("disabled", False), **more)


def submit(group: str, label: str, name: str = "method", value: str = "", **more: Any) -> Node:
    return field(name, group, "submit", value=value or group, label=label, **more)


FOREIGN_TOKEN = csrf.mask(csrf.new_secret())
CSRF = field("csrf_token", type="hidden", value="the-token", required=True)


class Page(HTMLParser):
    """A page as the list of its elements: (name, attributes), and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html, self.elements, self.text = html, list[tuple[str, dict[str, str | None]]](), ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        found = [attributes for name, attributes in self.elements if name == tag]
        return [attributes for attributes in found if all(attributes.get(name) == value for name, value in wanted.items())]

    def one(self, tag: str, **wanted: str) -> dict[str, str | None]:
        (found,) = self.all(tag, **wanted)
        return found

    def place(self, tag: str, **wanted: str) -> int:
        return next(
            place
            for place, (name, attributes) in enumerate(self.elements)
            if name == tag and all(attributes.get(key) == value for key, value in wanted.items())
        )


def drawn(kind: str, *nodes: Node, messages: tuple[dict[str, Any], ...] = (), **flow: Any) -> Page:
    """Draw a flow with these nodes."""
    ui = {
        "action": f"https://id.example.org/self-service/{kind}?flow=f",
        "method": "POST",
        "nodes": list(nodes),
        "messages": list(messages),
    }
    seen = {"id": "f", "state": "choose_method", "ui": ui, **flow}
    page = layout.of(kind, seen)
    sections = [(section, words.section(section.group, set())) for section in page.sections]
    context = {"kind": kind, "flow": seen, "layout": page, "heading": words.heading(kind, seen, page), "sections": sections, "links": {}}
    return Page(render_to_string("flows/flow.html", context))


def password_login(**identifier: Any) -> tuple[Node, ...]:
    return (
        CSRF,
        field("identifier", label="Email", required=True, value="", **identifier),
        field("password", "password", "password", label="Password", required=True, autocomplete="current-password"),
        submit("password", "Sign in", label_id=1010022),
    )


TOTP_OFF = submit("totp", "Remove the app", "totp_unlink", "true")
CODES_OFF = submit("lookup_secret", "Turn them off", "lookup_secret_disable", "true")


def key_off(name: str) -> Node:
    return submit("webauthn", f"Remove {name}", "webauthn_remove", name)


@pytest.mark.parametrize(
    ("buttons", "are_factors", "last"),
    [
        ([], True, ""),
        ([TOTP_OFF], True, "totp"),
        ([CODES_OFF], True, "lookup_secret"),
        ([TOTP_OFF, CODES_OFF], True, ""),
        ([key_off("a")], True, "webauthn"),
        ([key_off("a"), key_off("b")], True, ""),
        ([key_off("a")], False, ""),
        ([key_off("a"), TOTP_OFF], False, "totp"),
        ([submit("passkey", "Remove", "passkey_remove", "a")], True, ""),
    ],
)
def test_it_knows_which_button_takes_the_last_second_factor_away(buttons: list[Node], are_factors: bool, last: str) -> None:
    seen = {"ui": {"action": "/", "method": "POST", "nodes": [CSRF, *buttons]}}

    assert layout.of("settings", seen).last_factor(are_keys_factors=are_factors) == last


# -- somebody who is signed in


@pytest.fixture(autouse=True)
def _known_configuration() -> Iterator[None]:
    flows = {kind: {"enabled": True} for kind in ("registration", "recovery", "verification")}
    secrets = {"cookie": ["a secret that only these tests know"], "cipher": ["0123456789abcdef0123456789abcdef"]}
    with config.override({"selfservice": {"flows": flows}, "secrets": secrets}):
        yield


@pytest.fixture
def ada(db: None) -> Identity:
    return Identity.objects.create(schema_id="default", traits={"email": "ada@example.org"}, available_aal="aal1")


@pytest.fixture
def eve(db: None) -> Identity:
    return Identity.objects.create(schema_id="default", traits={"email": "eve@example.org"}, available_aal="aal1")


def session_of(identity: Identity, user_agent: str = FIREFOX) -> sessions.OpenedSession:
    device = {"id": str(uuid.uuid4()), "ip_address": "203.0.113.7:4411", "user_agent": user_agent, "location": ""}
    opened = sessions.issue(identity, [sessions.proof("password", "aal1")], device)
    sessions.save(opened)
    return opened


def browser_of(identity: Identity) -> tuple[Client, Session]:
    """Return a browser in which *identity* is signed in."""
    client, opened, response = Client(), session_of(identity), HttpResponse()
    cookies.set_session(response, opened)
    client.cookies.update(response.cookies)
    return client, opened.session


def settings_page(client: Client) -> str:
    response = client.get("/self-service/settings/browser", follow=True)
    assert response.status_code == 200
    return str(response.content.decode())


def test_the_settings_warn_before_the_last_second_factor_goes(ada: Identity) -> None:
    client, _ = browser_of(ada)
    methods = {"totp": {"enabled": True}, "lookup_secret": {"enabled": True}}
    with config.override({"selfservice": {"methods": methods, "flows": {"settings": {"required_aal": "aal1"}}}}):
        assert words.LAST_FACTOR not in settings_page(client)

        after = services.revise(ada)
        services.put_credential(after, "totp", totp.new_config(totp.new_url(issuer="x", account="y"), 1), [str(ada.pk)])
        services.update(ada, after)
        page = settings_page(client)

    section = page.partition('id="section-totp"')[2].partition("</section>")[0]
    assert page.count(words.LAST_FACTOR) == 1
    assert section.index(words.LAST_FACTOR) < section.index('name="totp_unlink"')


def test_the_second_step_says_what_to_do_when_the_factor_is_lost(ada: Identity) -> None:
    client, _ = browser_of(ada)
    with config.override({"ui": {"support_url": "https://help.example.org"}}):
        page = client.get("/self-service/login/browser?aal=aal2", follow=True).content.decode()

    assert "Lost your second factor?" in page
    assert 'href="https://help.example.org"' in page


def token_in(client: Client) -> str:
    """Return a token that this browser may send."""
    client.get("/ui/sessions")
    return csrf.mask(client.cookies[cookies.csrf_name()].value)


# -- drawing nodes


def test_it_draws_a_text_field_with_what_its_node_says() -> None:
    email = field("traits.email", type="email", label="Email", value="ada@example.org", required=True, autocomplete="email", maxlength=320)

    drawn_field = drawn("registration", CSRF, email, submit("password", "Sign up")).one("input", name="traits.email")

    assert drawn_field["type"] == "email"
    assert drawn_field["value"] == "ada@example.org"
    assert drawn_field["autocomplete"] == "email"
    assert drawn_field["maxlength"] == "320"
    assert "required" in drawn_field


def test_it_sends_no_for_a_box_that_is_not_ticked() -> None:
    page = drawn("registration", CSRF, field("traits.news", type="checkbox", label="News", value=True), submit("password", "Sign up"))

    no, yes = page.all("input", name="traits.news")

    assert (no["type"], no["value"]) == ("hidden", "false")
    assert (yes["type"], yes["value"]) == ("checkbox", "true")
    assert "checked" in yes


def test_it_draws_choices_as_a_select() -> None:
    plan = field("traits.plan", label="Plan", value="pro", options=[{"value": "free"}, {"value": "pro"}])

    page = drawn("registration", CSRF, plan, submit("password", "Sign up"))

    assert page.one("select", name="traits.plan")
    assert [option["value"] for option in page.all("option")] == ["", "free", "pro"]
    assert "selected" in page.one("option", value="pro")


def test_it_draws_the_picture_and_the_key_of_an_authenticator_app() -> None:
    page = drawn(
        "settings",
        CSRF,
        node("img", "totp", label="QR code", id="totp_qr", src="data:image/png;base64,AAAA", width=256, height=256),
        node(
            "text", "totp", label="Key", id="totp_secret_key", text=message(1050006, "JBSWY3DPEHPK3PXP", "info", secret="JBSWY3DPEHPK3PXP")
        ),
        field("totp_code", "totp", label="Code", required=True),
        submit("totp", "Save"),
    )

    assert page.one("img", alt="QR code")["src"] == "data:image/png;base64,AAAA"
    assert "JBSWY3DPEHPK3PXP" in page.text
    assert page.one("input", name="totp_code")["autocomplete"] == "one-time-code"


def test_it_lists_backup_codes_and_strikes_out_what_is_used() -> None:
    secrets = [message(1050009, "aaaa1111", "info", secret="aaaa1111"), message(1050014, "Used", "info", used_at="2026-01-01T00:00:00Z")]
    codes = node("text", "lookup_secret", label="Codes", id="lookup_secret_codes", text=message(1050015, "", "info", secrets=secrets))

    page = drawn("settings", CSRF, codes, submit("lookup_secret", "I kept them", name="lookup_secret_confirm", value="true"))

    assert len(page.all("li")) >= 2
    assert "aaaa1111" in page.text
    assert page.all("s")


def test_it_loads_a_script_as_its_node_says_and_connects_its_buttons() -> None:
    script = node(
        "script",
        "webauthn",
        id="webauthn_script",
        src="https://id.example.org/.well-known/ory/webauthn.js",
        integrity="sha512-abc",
        crossorigin="anonymous",
        referrerpolicy="no-referrer",
        type="text/javascript",
        **{"async": True},
    )
    trigger = field("passkey_login_trigger", "passkey", "button", label="Use a passkey", value="", onclickTrigger="oryPasskeyLogin")
    waiting = field("passkey_login", "passkey", "hidden", onloadTrigger="oryPasskeyLoginAutocompleteInit")

    page = drawn("login", *password_login(), script, trigger, waiting)

    loaded = page.one("script", src="https://id.example.org/.well-known/ory/webauthn.js")
    assert (loaded["integrity"], loaded["crossorigin"]) == ("sha512-abc", "anonymous")
    assert page.one("button", name="passkey_login_trigger")["data-on-click"] == "oryPasskeyLogin"
    assert page.one("input", name="passkey_login")["data-on-load"] == "oryPasskeyLoginAutocompleteInit"


def test_it_draws_a_link_without_a_form() -> None:
    go_on = node("a", "code", label="Continue", id="continue", href="https://app.example.org/", title=message(1070009, "Continue", "info"))

    page = drawn("verification", CSRF, go_on, state="passed_challenge")

    assert page.one("a", href="https://app.example.org/")
    assert not page.all("form")


@pytest.mark.parametrize("href", ["javascript:alert(1)", " JavaScript:alert(1)", "java\nscript:alert(1)", "data:text/html,x"])
def test_it_leads_nowhere_that_runs_a_script(href: str) -> None:
    page = drawn("verification", node("a", "code", label="Continue", id="continue", href=href, title=message(1070009, "Continue", "info")))

    assert not [link for link in page.all("a") if (link["href"] or "").strip().lower().startswith(("javascript", "java\nscript", "data"))]


def test_it_draws_a_node_of_a_type_that_it_does_not_know_as_nothing() -> None:
    assert drawn("login", *password_login(), node("hologram", "default", id="x")).one("input", name="identifier")


# -- hostile text


def test_it_escapes_what_people_and_operators_wrote() -> None:
    page = drawn(
        "login",
        CSRF,
        field("identifier", label=HOSTILE, value=HOSTILE, said=[message(4000001, HOSTILE)], pattern=HOSTILE),
        field("traits.plan", label="Plan", options=[{"value": HOSTILE}]),
        field("passkey_challenge", "passkey", "hidden", value=HOSTILE),
        node("text", "totp", label=HOSTILE, id="x", text=message(1050006, HOSTILE, "info")),
        field("provider", "oidc", "submit", value=HOSTILE, label=HOSTILE, label_context={"provider": HOSTILE}),
        submit("password", HOSTILE, value=HOSTILE),
        messages=(message(4000006, HOSTILE),),
    )

    assert not page.all("script")
    assert not page.all("img", src="x")
    assert page.one("input", name="identifier")["value"] == HOSTILE


# -- labels, messages, focus


def test_it_names_every_field_even_one_without_a_label() -> None:
    page = drawn("registration", CSRF, field("traits.name.first"), field("traits.favouriteColour"), submit("password", "Sign up"))

    labelled = {label["for"] for label in page.all("label")}
    assert {box["id"] for box in page.all("input") if box["type"] != "hidden"} <= labelled
    assert "First name" in page.text
    assert "Favourite colour" in page.text


def test_it_puts_a_message_at_its_field_and_says_so_to_a_screen_reader() -> None:
    page = drawn("login", *password_login(said=[message(4000002, "This field is needed.")]))

    wrong = page.one("input", name="identifier")
    assert wrong["aria-invalid"] == "true"
    assert page.one("p", id=str(wrong["aria-describedby"]))["class"]
    assert "aria-invalid" not in page.one("input", name="password")


def test_it_puts_the_messages_of_a_form_on_top() -> None:
    page = drawn("login", *password_login(), messages=(message(4000006, "No such account."),))

    assert page.place("div", role="alert") < page.place("form", id="form-main")
    assert page.all("title")
    assert "Error: Sign in" in page.html


@pytest.mark.parametrize(
    ("refused", "name", "group"),
    [
        (4000008, "totp_code", "totp"),
        (4000012, "lookup_secret", "lookup_secret"),
        (4000016, "lookup_secret", "lookup_secret"),
        (4010008, "code", "code"),
        (4040003, "code", "code"),
        (4060006, "code", "code"),
        (4070006, "code", "code"),
    ],
)
def test_a_wrong_code_is_refused_at_the_field_into_which_it_was_typed(refused: int, name: str, group: str) -> None:
    """The wire says it of the whole form; whoever typed looks at the field, and a screen reader begins there."""
    others = [field(each, each, label=each) for each in ("totp_code", "lookup_secret", "code") if each != name]
    page = drawn("login", CSRF, *others, field(name, group, label="Code", value=""), messages=(message(refused, "That is not it."),))

    wrong = page.one("input", name=name)
    assert page.text.count("That is not it.") == 1
    assert page.one("p", id=str(wrong["aria-describedby"]))["data-message"] == str(refused)
    assert (wrong["aria-invalid"], "autofocus" in wrong) == ("true", True)
    assert not page.all("div", role="alert")


def test_it_is_said_on_top_where_the_field_is_not_on_the_page() -> None:
    page = drawn("login", *password_login(), messages=(message(4000012, "It was used before."),))

    assert page.all("div", role="alert")
    assert "aria-invalid" not in page.one("input", name="identifier")


@pytest.mark.parametrize(("kind", "is_needed"), [("settings", True), ("registration", False)])
def test_a_key_is_given_its_name_before_it_is_touched_where_it_needs_one(kind: str, is_needed: bool) -> None:
    trigger = field("webauthn_register_trigger", "webauthn", "button", label="Add a key", onclickTrigger="oryWebAuthnRegistration")
    page = drawn(kind, CSRF, field("webauthn_register_displayname", "webauthn", label="Name", value=""), trigger)

    assert ("required" in page.one("input", name="webauthn_register_displayname")) is is_needed


def test_it_shows_what_is_said_of_a_field_that_nobody_sees() -> None:
    hidden = field("webauthn_register", "webauthn", "hidden", value="", said=[message(4000001, "This key is registered already.")])

    page = drawn("settings", CSRF, hidden, field("webauthn_register_displayname", "webauthn", label="Name"))

    assert "This key is registered already." in page.text


def test_it_puts_the_cursor_into_the_first_field_that_is_wrong_else_empty() -> None:
    assert "autofocus" in drawn("login", *password_login()).one("input", name="identifier")

    email = field("traits.email", type="email", label="Email", value="ada@example.org")
    name = field("traits.name", label="Name", said=[message(4000003, "Too short.")], value="A")
    page = drawn("registration", CSRF, email, field("traits.bio", label="Bio"), name, submit("password", "Sign up"))

    assert [box["name"] for box in page.all("input") if "autofocus" in box] == ["traits.name"]


def test_it_leaves_the_cursor_alone_on_the_long_settings_page() -> None:
    page = drawn("settings", CSRF, field("traits.bio", "profile", label="Bio"), submit("profile", "Save"))

    assert not [box for box in page.all("input") if "autofocus" in box]


def test_it_never_shows_a_password_again() -> None:
    secret = field("password", "password", "password", label="Password", value="correct horse")

    assert "correct horse" not in drawn("login", CSRF, secret, submit("password", "Sign in")).html


# -- mailed links


@pytest.mark.parametrize("kind", ["recovery", "verification"])
def test_it_offers_to_send_a_link_again_instead_of_going_on(kind: str) -> None:
    email = field("email", "link", "email", label="Email", value="ada@example.org")
    page = drawn(kind, CSRF, email, submit("link", "Continue"), state="sent_email", active="link")

    assert "Check your inbox" in page.text
    assert "Send the link again" in page.text
    assert "Continue" not in page.text


@pytest.mark.parametrize(("kind", "says"), [("recovery", "choose a new password"), ("verification", "One more click")])
def test_it_says_what_the_click_after_a_link_does(kind: str, says: str) -> None:
    token = field("token", "link", "hidden", value="secret")
    page = drawn(kind, CSRF, token, submit("link", "Continue"), state="sent_email", active="link")

    assert says in page.text
    assert "Continue" in page.text
    assert "inbox" not in page.text


# -- forms


def test_it_asks_once_for_what_several_methods_share_and_lets_enter_press_the_first() -> None:
    page = drawn(
        "login", *password_login(), submit("code", "Send a code"), submit("oidc", "Sign in with Corp", name="provider", value="corp")
    )

    assert len(page.all("form")) == 2
    assert len(page.all("input", name="identifier")) == 1
    assert page.place("button", value="password") < page.place("button", value="code")
    assert "formnovalidate" in page.one("button", value="code")
    assert "formnovalidate" not in page.one("button", value="password")


def test_it_gives_each_second_factor_a_form_with_the_token() -> None:
    page = drawn(
        "login",
        CSRF,
        field("totp_code", "totp", label="Code", required=True),
        submit("totp", "Continue"),
        field("lookup_secret", "lookup_secret", label="Backup code", required=True),
        submit("lookup_secret", "Continue"),
        requested_aal="aal2",
    )

    assert len(page.all("form")) == 2
    assert [token["value"] for token in page.all("input", name="csrf_token")] == ["the-token", "the-token"]


def test_it_draws_a_section_with_a_heading_for_each_part_of_the_settings() -> None:
    page = drawn(
        "settings",
        CSRF,
        field("traits.email", "profile", "email", label="Email"),
        submit("profile", "Save"),
        field("password", "password", "password", label="Password"),
        submit("password", "Save"),
        submit("lookup_secret", "Create", name="lookup_secret_regenerate", value="true"),
    )

    assert len(page.all("section")) == len(page.all("h2")) == len(page.all("form")) == 3
    assert {section["aria-labelledby"] for section in page.all("section")} == {heading["id"] for heading in page.all("h2")}


def test_it_keeps_buttons_that_remove_out_of_the_form_where_one_types() -> None:
    remove = submit("webauthn", "Remove", name="webauthn_remove", value="ab12", label_context={"display_name": "My key"})

    page = drawn("settings", CSRF, remove, field("webauthn_register_displayname", "webauthn", label="Name"))

    assert page.place("button", name="webauthn_remove") < page.place("form", id="form-webauthn")
    assert "My key" in page.text


def test_it_lets_one_ask_for_another_code_while_the_field_is_empty() -> None:
    page = drawn(
        "recovery",
        CSRF,
        field("code", "code", label="Code", required=True),
        field("method", "code", "hidden", value="code"),
        submit("code", "Continue", label_id=1070009),
        submit("code", "Send again", name="email", value="ada@example.org", label_id=1070008),
        state="sent_email",
    )

    assert "formnovalidate" in page.one("button", name="email")
    assert page.place("button", value="code") < page.place("button", name="email")


# -- no inline script, no inline style


def test_it_holds_no_script_and_no_style_of_its_own(ada: Identity, client: Client) -> None:
    signed_in, _ = browser_of(ada)
    session_of(ada, IPHONE)
    flow = client.get("/self-service/login/browser").headers["Location"]
    parked = ParkedError.objects.create(error={"code": 500, "message": "x"})
    paths = [flow, "/ui/welcome", f"/ui/error?id={parked.id}", "/ui/error?id=none"]
    responses = [client.get(path) for path in paths] + [signed_in.get(path) for path in ("/ui/welcome", "/ui/sessions")]

    pages = [Page(response.content.decode()) for response in responses]

    for page in pages:
        assert not page.all("style")
        assert all(script.get("src") for script in page.all("script"))
        assert not [name for _, attributes in page.elements for name in attributes if name == "style" or name.startswith("on")]
        assert len(page.all("h1")) == 1
        assert page.one("html")["lang"]


def test_it_forbids_what_its_pages_do_not_need(client: Client, db: None) -> None:
    policy = client.get("/ui/welcome").headers["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert "frame-ancestors 'none'" in policy


# -- which flow is shown to whom


def test_it_shows_a_flow_to_the_browser_that_began_it(client: Client, db: None) -> None:
    page = Page(client.get(client.get("/self-service/login/browser").headers["Location"]).content.decode())

    secret = client.cookies[cookies.csrf_name()].value
    assert csrf.fits(page.all("input", name="csrf_token")[0]["value"], secret)
    assert str(page.all("form")[0]["action"]).split("?")[0].endswith("/self-service/login")


@pytest.mark.parametrize("kind", ["login", "registration", "settings"])
def test_it_begins_a_flow_when_it_is_asked_for_none(client: Client, db: None, kind: str) -> None:
    response = client.get(f"/ui/{kind}", {"return_to": "https://app.example.org/"})

    assert response.status_code == 303
    assert f"/self-service/{kind}/browser?return_to=https%3A%2F%2Fapp.example.org%2F" in response.headers["Location"]


@pytest.mark.parametrize("id", ["", "nonsense", "5a6a5b3e-1111-4222-8333-444455556666"])
def test_it_begins_anew_for_a_flow_that_nobody_knows(client: Client, db: None, id: str) -> None:
    response = client.get("/ui/login", {"flow": id})

    assert response.status_code == 303
    assert response.headers["Location"].endswith("/self-service/login/browser")


def test_it_begins_anew_for_a_flow_of_another_browser(client: Client, db: None) -> None:
    foreign = client.get("/self-service/login/browser").headers["Location"]
    other = Client()
    other.get("/self-service/login/browser")

    response = other.get(foreign)

    assert response.status_code == 303
    assert response.headers["Location"].endswith("/self-service/login/browser")


def test_it_tells_a_browser_without_cookies_why_it_gets_nowhere(client: Client, db: None) -> None:
    """It would begin anew for ever otherwise."""
    first = Client().get(client.get("/self-service/login/browser").headers["Location"])
    second = Client().get(Client().get(first.headers["Location"]).headers["Location"])

    assert first.status_code == 303
    assert second.status_code == 403
    assert "cookies" in second.content.decode()


def test_it_begins_anew_for_a_flow_that_expired_and_keeps_where_one_wanted_to_go(client: Client, db: None) -> None:
    wanted = "/self-service/settings/browser"
    shown = client.get("/self-service/login/browser", {"return_to": wanted}).headers["Location"]
    LoginFlow.objects.update(expires_at="2020-01-01T00:00:00Z")

    response = client.get(shown)

    assert response.status_code == 303
    assert "return_to=%2Fself-service%2Fsettings%2Fbrowser" in response.headers["Location"]


def test_it_sends_who_is_signed_out_from_the_settings_to_their_start(client: Client, db: None) -> None:
    response = client.get("/ui/settings", {"flow": "5a6a5b3e-1111-4222-8333-444455556666"})

    assert response.status_code == 303
    assert response.headers["Location"].endswith("/self-service/settings/browser")


def test_it_offers_only_the_ways_that_are_switched_on(client: Client, db: None) -> None:
    def links() -> str:
        return client.get(client.get("/self-service/login/browser").headers["Location"]).content.decode()

    assert "/self-service/registration/browser" in links()
    with config.override({"selfservice": {"flows": {"registration": {"enabled": False}}}}):
        assert "/self-service/registration/browser" not in links()


# -- the welcome page


def test_it_welcomes_who_is_signed_in_by_the_address_they_know(ada: Identity) -> None:
    browser, _ = browser_of(ada)

    page = Page(browser.get("/ui/welcome").content.decode())

    assert "ada@example.org" in page.text
    assert [link for link in page.all("a") if "/self-service/logout?token=ory_lo_" in str(link["href"])]


def test_it_signs_out_by_its_link(ada: Identity) -> None:
    browser, session = browser_of(ada)
    page = Page(browser.get("/ui/welcome").content.decode())
    (link,) = [link for link in page.all("a") if "/self-service/logout" in str(link["href"])]

    browser.get(str(link["href"]))

    session.refresh_from_db()
    assert not session.active


def test_it_offers_a_stranger_to_sign_in(client: Client, db: None) -> None:
    page = client.get("/ui/welcome").content.decode()

    assert "/self-service/login/browser" in page
    assert "/self-service/logout" not in page


# -- the devices


def test_it_lists_ones_own_devices_in_words(ada: Identity) -> None:
    browser, _ = browser_of(ada)
    session_of(ada, IPHONE)

    page = Page(browser.get("/ui/sessions").content.decode())

    assert "Firefox on Windows" in page.text
    assert "Safari on iPhone" in page.text
    assert "203.0.113.7" in page.text
    assert "4411" not in page.text


def test_it_says_so_when_there_is_no_other_device(ada: Identity) -> None:
    browser, _ = browser_of(ada)

    assert "nowhere else" in Page(browser.get("/ui/sessions").content.decode()).text


def test_it_never_lists_devices_of_somebody_else(ada: Identity, eve: Identity) -> None:
    browser, _ = browser_of(ada)
    foreign = session_of(eve, IPHONE).session

    page = browser.get("/ui/sessions").content.decode()

    assert str(foreign.id) not in page
    assert "iPhone" not in page


def test_it_signs_one_device_out_and_comes_back(ada: Identity) -> None:
    browser, mine = browser_of(ada)
    lost, kept = session_of(ada).session, session_of(ada).session
    page = Page(browser.get("/ui/sessions").content.decode())

    response = browser.post("/ui/sessions", {"csrf_token": page.all("input", name="csrf_token")[0]["value"], "session": str(lost.id)})

    assert (response.status_code, response.headers["Location"]) == (303, "/ui/sessions?done=one")
    assert set(Session.objects.filter(active=True)) == {mine, kept}


def test_it_signs_all_other_devices_out_but_not_this_one(ada: Identity, eve: Identity) -> None:
    browser, mine = browser_of(ada)
    session_of(ada)
    foreign = session_of(eve).session

    browser.post("/ui/sessions", {"csrf_token": token_in(browser), "others": "all"})

    assert set(Session.objects.filter(active=True)) == {mine, foreign}


def test_it_leaves_the_sessions_of_somebody_else_alone_and_says_nothing_of_them(ada: Identity, eve: Identity) -> None:
    browser, _ = browser_of(ada)
    foreign = session_of(eve).session
    token = token_in(browser)

    answers = [
        browser.post("/ui/sessions", {"csrf_token": token, "session": id}) for id in (str(foreign.id), str(uuid.uuid4()), "nonsense")
    ]

    foreign.refresh_from_db()
    assert foreign.active
    assert {(answer.status_code, answer.headers["Location"]) for answer in answers} == {(303, "/ui/sessions?done=one")}


@pytest.mark.parametrize("token", [None, "", "bm9uc2Vuc2U=", FOREIGN_TOKEN], ids=["none", "empty", "nonsense", "foreign"])
def test_it_refuses_to_sign_out_without_the_token_of_this_browser(ada: Identity, token: str | None) -> None:
    browser, _ = browser_of(ada)
    token_in(browser)
    other = session_of(ada).session

    response = browser.post("/ui/sessions", {"others": "all", **({} if token is None else {"csrf_token": token})})

    other.refresh_from_db()
    assert response.status_code == 403
    assert other.active


def test_it_does_not_end_the_present_session_by_its_id(ada: Identity) -> None:
    browser, mine = browser_of(ada)

    browser.post("/ui/sessions", {"csrf_token": token_in(browser), "session": str(mine.id)})

    mine.refresh_from_db()
    assert mine.active


@pytest.mark.parametrize("method", ["get", "post"])
def test_it_lets_a_stranger_sign_in_first(client: Client, db: None, method: str) -> None:
    response = getattr(client, method)("/ui/sessions")

    assert response.status_code == 303
    assert "/self-service/login/browser" in response.headers["Location"]


def test_it_asks_for_the_second_factor_before_it_shows_devices(ada: Identity) -> None:
    Identity.objects.filter(pk=ada.pk).update(available_aal="aal2")
    browser, _ = browser_of(ada)

    with config.override({"session": {"whoami": {"required_aal": "highest_available"}}}):
        response = browser.get("/ui/sessions")

    assert response.status_code == 303
    assert "aal=aal2" in response.headers["Location"]


# -- errors


def test_it_explains_an_error_in_plain_words(client: Client, db: None) -> None:
    parked = ParkedError.objects.create(error={"code": 403, "id": "security_csrf_violation", "message": "x", "reason": "no cookie"})

    response = client.get("/ui/error", {"id": str(parked.id)})

    page = Page(response.content.decode())
    assert response.status_code == 200
    assert "Please try that again" in page.text
    assert str(parked.id) in page.text


def test_it_shows_the_reason_of_an_error_escaped(client: Client, db: None) -> None:
    parked = ParkedError.objects.create(error={"code": 400, "message": "x", "reason": HOSTILE})

    page = Page(client.get("/ui/error", {"id": str(parked.id)}).content.decode())

    assert not page.all("script")
    assert "alert(1)" in page.text


@pytest.mark.parametrize("id", ["", "nonsense", "5a6a5b3e-1111-4222-8333-444455556666"])
def test_it_is_calm_about_an_error_that_it_does_not_know(client: Client, db: None, id: str) -> None:
    response = client.get("/ui/error", {"id": id})

    assert response.status_code == 404
    assert "Nothing here" in response.content.decode()


def test_it_is_not_kept_by_caches(client: Client, db: None) -> None:
    assert "no-store" in client.get("/ui/welcome").headers["Cache-Control"]


# -- whose pages these are


def test_it_carries_the_name_the_logo_and_the_links_of_the_operator(client: Client, db: None) -> None:
    ours = {"name": "Acme & Co", "logo_url": "https://acme.example/logo.svg", "privacy_url": "https://acme.example/privacy"}
    with config.override({"ui": ours}):
        page = Page(client.get("/ui/welcome").content.decode())

    assert page.one("img", src="https://acme.example/logo.svg")["alt"] == "Acme & Co"
    assert page.one("a", href="https://acme.example/privacy")
    assert "Acme & Co" in page.text


def test_it_serves_the_colours_of_the_operator(client: Client, db: None) -> None:
    with config.override({"ui": {"accent": "#0a7d33"}}):
        response = client.get("/ui/theme.css")

    assert response.headers["Content-Type"].startswith("text/css")
    assert "--accent: #0a7d33;" in response.content.decode()


def test_it_takes_no_style_for_a_colour(client: Client, db: None) -> None:
    with config.override({"ui": {"accent": "red} body{display:none", "logo_url": "javascript:alert(1)"}}):
        sheet, page = client.get("/ui/theme.css").content.decode(), client.get("/ui/welcome").content.decode()

    assert "display" not in sheet
    assert "javascript:" not in page


@pytest.mark.parametrize("accent", ["#ffffff", "#000000", "#f2c200", "#3f5bd8", "#ff0000", "#77ddaa"])
def test_it_keeps_text_legible_in_any_colour(accent: str) -> None:
    """WCAG 2.2, success criterion 1.4.3."""
    light, dark = colours.theme(accent).split("@media")

    for sheet, surface in ((light, colours.LIGHT), (dark, colours.DARK)):
        tokens = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", sheet))
        assert colours.contrast(tokens["accent-text"], surface) >= 4.5
        assert colours.contrast(tokens["on-accent"], tokens["accent"]) >= 4.5
        assert colours.contrast(tokens["on-accent"], tokens["accent-hover"]) >= 4.5


# -- devices in words


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (FIREFOX, "Firefox on Windows"),
        (IPHONE, "Safari on iPhone"),
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/123.0.0.0 Safari/537.36 Edg/123.0",
            "Edge on Linux",
        ),
        (
            "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/123.0.0.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        ("okhttp/4.9.3", "okhttp"),
        ("", "Unknown device"),
        ("<script>alert(1)</script>", "Unknown device"),
    ],
)
def test_it_names_a_device(user_agent: str, name: str) -> None:
    assert devices.named(user_agent).name == name


@pytest.mark.parametrize(
    ("seen", "shown"),
    [
        ("203.0.113.7:4411", "203.0.113.7"),
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("", ""),
    ],
)
def test_it_shows_an_address_without_its_port(seen: str, shown: str) -> None:
    assert devices.address(seen) == shown


def test_it_lets_a_page_be_drawn_without_a_request() -> None:
    """The base page finds by itself whose pages these are: views of other parts only extend it."""
    assert "Vestibule" in render_to_string("base.html", request=RequestFactory().get("/"))


def test_it_gives_pages_that_list_a_frame(client: Client) -> None:
    page = Page(render_to_string("listing.html"))

    assert "page--wide" in str(page.one("body")["class"])
    assert len(page.all("h1")) == 1


@pytest.mark.parametrize("name", ["vestibule.css", "keys.js", "icon.svg"])
def test_it_serves_what_its_pages_refer_to(client: Client, name: str) -> None:
    assert client.get(f"/static/vestibule/{name}").status_code == 200
