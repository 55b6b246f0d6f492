"""The method's own hooks run after its step, once, and the flow's default ones do not: real steps, real webhooks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from identity import config
from identity.identities.models import Identity
from tests import mailbox
from tests.authenticator import Authenticator, Lie
from tests.clients import PASSWORD
from tests.factor_journeys import ORIGIN, RP, App, Page, code_of, codes_of, configuration, make_person, names, secret_of, value
from tests.flows.test_methods_keys import add_key, add_passkey, challenged, second_factor
from tests.flows.test_methods_keys import sign_in as with_passkey
from tests.flows.test_methods_oidc import Visitor, social
from tests.provider import Provider
from tests.receiver import Receiver

pytestmark = pytest.mark.django_db
ADA = "ada@example.org"
METHODS = {
    "login": ("password", "oidc", "totp", "webauthn", "lookup_secret", "passkey", "code"),
    "registration": ("password", "oidc", "webauthn", "passkey", "code"),
    "settings": ("profile", "password", "oidc", "totp", "webauthn", "lookup_secret", "passkey"),
}
INSTEAD = {"webauthn": {"enabled": True, "config": {"passwordless": True, "rp": RP}}}
BY_MAIL = {"code": {"enabled": True, "passwordless_enabled": True}}
BY_MAIL_TOO = {"code": {"enabled": True, "mfa_enabled": True}}


@pytest.fixture(scope="module")
def corp() -> Iterator[Provider]:
    with Provider() as provider:
        yield provider


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


class World:
    """Ada with what she has set up, and a receiver that is told `<flow>.<before, after, or the method>`."""

    def __init__(self, corp: Provider, receiver: Receiver) -> None:
        self.corp, self.receiver, self.key = corp, receiver, Authenticator(ORIGIN)
        self.secret, self.codes = "", list[str]()

    def configured(self, *, with_lists: bool, **methods: Any) -> Any:
        """Give each flow its default hook; with their own one, each method that may have it."""
        oidc = {"enabled": True, "config": {"providers": [self.corp.settings("corp")]}}
        made = configuration(oidc=oidc, **methods)
        for flow, listed in METHODS.items():
            own = {method: self._hooks(f"{flow}.{method}") for method in listed} if with_lists else {}
            after = {**self._hooks(f"{flow}.after"), **own}
            before = {"before": self._hooks("login.before")} if flow == "login" else {}
            made["selfservice"]["flows"][flow] = {**made["selfservice"]["flows"].get(flow, {}), **before, "after": after}
        return config.override(made)

    def _hooks(self, name: str) -> dict[str, Any]:
        return {"hooks": [{"hook": "web_hook", "config": {"url": f"{self.receiver.url}/{name}", "method": "POST"}}]}

    def told(self, step: Callable[[], Any]) -> list[str]:
        """Return what the receiver is told while something is done."""
        self.receiver.clear()
        step()
        return [path.removeprefix("/") for path in self.receiver.paths()]

    # -- who is there already

    def ada(self) -> Identity:
        done(App().submit(App().start("registration"), method="password", password=PASSWORD, traits={"email": ADA}))
        return Identity.objects.get(traits__email=ADA)

    def with_app(self) -> Identity:
        ada = self.ada()
        done(self.adds_app(Page(ada), step=-1))
        return ada

    def with_codes(self) -> Identity:
        ada = self.ada()
        done(self.confirms_codes(Page(ada)))
        return ada

    def with_key(self) -> Identity:
        ada = self.ada()
        done(add_key(Page(ada), self.key))
        return ada

    # -- what she does

    def adds_app(self, who: App, step: int = 0) -> Any:
        flow = who.start("settings")
        self.secret = secret_of(flow)
        return who.submit(flow, method="totp", totp_code=code_of(self.secret, time.time(), step))

    def confirms_codes(self, who: App) -> Any:
        shown = who.submit(who.start("settings"), lookup_secret_regenerate=True).json()
        self.codes = codes_of(shown)
        return who.submit(shown, lookup_secret_confirm=True)

    def with_password(self, password: str = PASSWORD) -> Any:
        who = App()
        return who.submit(who.start("login"), method="password", identifier=ADA, password=password)

    def with_one_more(self, ada: Identity, **fields: str) -> Any:
        """Use a second factor on a device on which she gave the first one."""
        who = App(ada)
        return who.submit(who.start("login", aal="aal2"), **fields)

    def with_provider(self) -> Any:
        return social(Visitor(), self.corp, "sub-of-ada", email=ADA)

    def with_key_alone(self) -> Any:
        who = Page()
        flow = challenged(who, ADA)
        return who.submit(flow, webauthn_login=self.key.get(value(flow, "webauthn_login_trigger")), identifier=ADA)

    def with_code(self) -> Any:
        who = App()
        flow = who.submit(who.start("login"), method="code", identifier=ADA).json()
        return who.submit(flow, method="code", identifier=ADA, code=mailbox.code_for(ADA))


@pytest.fixture
def world(corp: Provider, receiver: Receiver, settings: Any) -> World:
    settings.COURIER = "tests.mailbox"
    mailbox.sent.clear()
    return World(corp, receiver)


@pytest.fixture(params=[True, False], ids=["with-lists", "without"])
def with_lists(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def done(response: Any) -> Any:
    assert response.status_code in (200, 303), response.content
    return response


# -- login


def password(world: World) -> Callable[[], Any]:
    world.ada()
    return world.with_password


def oidc(world: World) -> Callable[[], Any]:
    world.with_provider()
    return world.with_provider


def totp(world: World) -> Callable[[], Any]:
    ada = world.with_app()
    return lambda: world.with_one_more(ada, method="totp", totp_code=code_of(world.secret, time.time()))


def lookup_secret(world: World) -> Callable[[], Any]:
    ada = world.with_codes()
    return lambda: world.with_one_more(ada, method="lookup_secret", lookup_secret=world.codes[0])


def webauthn(world: World) -> Callable[[], Any]:
    ada = world.with_key()
    return lambda: second_factor(ada, world.key)[1]


def webauthn_alone(world: World) -> Callable[[], Any]:
    world.with_key()
    return world.with_key_alone


def passkey(world: World) -> Callable[[], Any]:
    add_passkey(App(world.ada()), world.key)
    return lambda: with_passkey(App(), world.key)


def code(world: World) -> Callable[[], Any]:
    world.ada()
    return world.with_code


def code_as_second(world: World) -> Callable[[], Any]:
    who = App(world.ada())

    def use() -> Any:
        flow = who.start("login", aal="aal2")
        if "address" in names(flow):
            flow = who.submit(flow, method="code", address=ADA).json()
        return who.submit(flow, method="code", code=mailbox.code_for(ADA))

    return use


LOGINS: list[Any] = [
    pytest.param("password", password, {}, id="password"),
    pytest.param("oidc", oidc, {}, id="oidc"),
    pytest.param("totp", totp, {}, id="totp"),
    pytest.param("webauthn", webauthn, {}, id="webauthn"),
    pytest.param("webauthn", webauthn_alone, INSTEAD, id="webauthn-instead-of-a-password"),
    pytest.param("lookup_secret", lookup_secret, {}, id="lookup_secret"),
    pytest.param("passkey", passkey, {}, id="passkey"),
    pytest.param("code", code, BY_MAIL, id="code"),
    pytest.param("code", code_as_second, BY_MAIL_TOO, id="code-as-second-factor"),
]


@pytest.mark.parametrize(("method", "signs_in", "methods"), LOGINS)
def test_after_a_sign_in_the_list_of_its_method_runs_instead_of_the_default_one(
    world: World, method: str, signs_in: Callable[[World], Callable[[], Any]], methods: dict[str, Any], with_lists: bool
) -> None:
    with world.configured(with_lists=with_lists, **methods):
        step = signs_in(world)

        told = world.told(lambda: done(step()))

    assert told == ["login.before", f"login.{method if with_lists else 'after'}"]


def test_each_step_of_a_sign_in_runs_the_list_of_its_own_method(world: World) -> None:
    with world.configured(with_lists=True):
        second = totp(world)

        told = world.told(lambda: (done(world.with_password()), done(second())))

    assert told == ["login.before", "login.password", "login.before", "login.totp"]


def test_no_list_runs_after_a_step_that_was_refused(world: World) -> None:
    lie = Lie(challenge=b"of another flow")
    with world.configured(with_lists=True):
        ada = world.with_app()
        home = Page()
        home.sign_in(ada, ("password", "aal1"), ("totp", "aal2"))
        for enrolled in (world.confirms_codes(home), add_key(home, world.key), add_passkey(home, world.key)):
            done(enrolled)
        who = Visitor()

        told = world.told(
            lambda: [
                world.with_password("not-The-Password"),
                world.with_one_more(ada, method="totp", totp_code=code_of(world.secret, time.time(), 40)),
                world.with_one_more(ada, method="lookup_secret", lookup_secret="nosuch12"),
                second_factor(ada, world.key, lie),
                with_passkey(App(), world.key, lie),
                who.come_back(world.corp.refuse(who.leave(who.start("login"), provider="corp"))),
            ]
        )

    assert set(told) == {"login.before"}


# -- registration


def signs_up(**fields: Any) -> Any:
    who = Page()
    return who.submit(who.start("registration"), traits={"email": ADA}, **fields)


def signs_up_with_key(world: World, options: str, field: str, **more: str) -> Any:
    who = Page()
    flow = who.start("registration")
    return who.submit(flow, traits={"email": ADA}, **{field: world.key.create(value(flow, options))}, **more)


def signs_up_by_mail(world: World) -> Any:
    who = Page()
    flow = who.submit(who.start("registration"), method="code", traits={"email": ADA}).json()
    return who.submit(flow, method="code", code=mailbox.code_for(ADA), traits={"email": ADA})


REGISTRATIONS: list[Any] = [
    pytest.param("password", lambda world: signs_up(method="password", password=PASSWORD), {}, id="password"),
    pytest.param("oidc", lambda world: social(Visitor(), world.corp, "sub-of-ada", "registration", email=ADA), {}, id="oidc"),
    pytest.param(
        "webauthn",
        lambda world: signs_up_with_key(world, "webauthn_register_trigger", "webauthn_register", webauthn_register_displayname="blue"),
        INSTEAD,
        id="webauthn",
    ),
    pytest.param("passkey", lambda world: signs_up_with_key(world, "passkey_create_data", "passkey_register"), {}, id="passkey"),
    pytest.param("code", signs_up_by_mail, BY_MAIL, id="code"),
]


@pytest.mark.parametrize(("method", "step", "methods"), REGISTRATIONS)
def test_after_a_sign_up_the_list_of_its_method_runs_instead_of_the_default_one(
    world: World, method: str, step: Callable[[World], Any], methods: dict[str, Any], with_lists: bool
) -> None:
    with world.configured(with_lists=with_lists, **methods):
        told = world.told(lambda: done(step(world)))

    assert Identity.objects.filter(traits__email=ADA).count() == 1
    assert told == [f"registration.{method if with_lists else 'after'}"]


# -- settings


def changes(**fields: Any) -> Callable[[World, Visitor], Any]:
    return lambda world, who: who.submit(who.start("settings"), **fields)


def links(world: World, who: Visitor) -> Any:
    return who.come_back(world.corp.agree(who.leave(who.start("settings"), link="corp"), "sub-of-ada"))


def removes_key(world: World, who: Visitor) -> Any:
    done(add_key(who, world.key))
    world.receiver.clear()
    return who.submit(who.start("settings"), webauthn_remove=world.key.keys[-1].id.hex())


def removes_app(world: World, who: Visitor) -> Any:
    done(world.adds_app(who))
    world.receiver.clear()
    return who.submit(who.start("settings"), totp_unlink=True)


def unlinks(world: World, who: Visitor) -> Any:
    done(links(world, who))
    world.receiver.clear()
    return who.submit(who.start("settings"), unlink="corp")


CHANGES: list[Any] = [
    pytest.param("profile", changes(method="profile", traits={"email": ADA}), id="profile"),
    pytest.param("password", changes(method="password", password="another-Horse-8-battery"), id="password"),
    pytest.param("totp", lambda world, who: world.adds_app(who), id="totp"),
    pytest.param("totp", removes_app, id="totp-removed"),
    pytest.param("lookup_secret", lambda world, who: world.confirms_codes(who), id="lookup_secret"),
    pytest.param("webauthn", lambda world, who: add_key(who, world.key), id="webauthn"),
    pytest.param("webauthn", removes_key, id="webauthn-removed"),
    pytest.param("passkey", lambda world, who: add_passkey(who, world.key), id="passkey"),
    pytest.param("oidc", links, id="oidc"),
    pytest.param("oidc", unlinks, id="oidc-unlinked"),
]


@pytest.mark.parametrize(("method", "step"), CHANGES)
def test_after_a_change_the_list_of_its_method_runs_instead_of_the_default_one(
    world: World, method: str, step: Callable[[World, Visitor], Any], with_lists: bool
) -> None:
    with world.configured(with_lists=with_lists):
        who = Visitor(make_person(ADA))

        told = world.told(lambda: done(step(world, who)))

    assert told == [f"settings.{method if with_lists else 'after'}"]
