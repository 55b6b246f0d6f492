"""The operator's file: what it may say, what is said about what it may not, and how it is taken over while running."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from identity.config import ConfigError, dsn, layers, store, units
from identity.config.nodes import Report
from identity.config.schema import TREE

SCHEMA = "base64://" + base64.b64encode(b'{"properties": {"traits": {"properties": {"email": {"type": "string"}}}}}').decode()
LEAST: dict[str, Any] = {
    "selfservice": {"default_browser_return_url": "https://app.example.org/"},
    "identity": {"schemas": [{"id": "default", "url": SCHEMA}]},
}


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Load a file with an environment, apart from the configuration that the tests run on."""
    monkeypatch.setattr(store, "_state", store._State())

    def start(held: dict[str, Any] | None = None, environ: dict[str, str] | None = None, name: str = "identity.yml") -> store.Config:
        path = tmp_path / name
        whole = layers.merge(LEAST, held or {})
        path.write_text(json.dumps(whole) if name.endswith("json") else yaml.safe_dump(whole))
        return store.start([path], environ or {})

    return start


def _provider(kind: str, **more: Any) -> dict[str, Any]:
    entry = {"id": "p", "provider": kind, "client_id": "c", "client_secret": "s", "mapper_url": "base64://e30=", **more}
    return {"selfservice": {"methods": {"oidc": {"enabled": True, "config": {"providers": [entry]}}}}}


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown key": ({"selfservise": {}}, 'selfservise: there is no such key. Did you mean "selfservice"?'),
    "an unknown key below": ({"session": {"lifespann": "1h"}}, 'session.lifespann: there is no such key. Did you mean "lifespan"?'),
    "no duration": ({"session": {"lifespan": "1 day"}}, 'session.lifespan: must be a duration such as 30s, 15m or 1h30m, not "1 day".'),
    "a decimal duration": ({"session": {"lifespan": "1.5h"}}, "session.lifespan"),
    "an unknown choice": ({"hashers": {"algorithm": "argon"}}, 'Did you mean "argon2"?'),
    "a short secret": ({"secrets": {"cookie": ["short"]}}, "secrets.cookie.0: must have at least 16 characters; it has 5."),
    "a cipher secret of another length": ({"secrets": {"cipher": ["x" * 31]}}, "secrets.cipher.0: must have exactly 32 characters"),
    "a secret twice": ({"secrets": {"cookie": ["x" * 16, "x" * 16]}}, "holds an entry twice"),
    "text for a number": ({"serve": {"public": {"port": "4433"}}}, 'serve.public.port: must be a whole number, not "4433".'),
    "a number out of bounds": ({"serve": {"public": {"port": 70000}}}, "at most 65535"),
    "a list for a mapping": ({"session": []}, "session: must be a mapping"),
    "a mapping for a list": ({"selfservice": {"allowed_return_urls": {"a": 1}}}, "must be a list"),
    "no address": ({"selfservice": {"flows": {"login": {"ui_url": "login"}}}}, "must be an absolute address or a path"),
    "codes in two uses": (
        {"selfservice": {"methods": {"code": {"passwordless_enabled": True, "mfa_enabled": True}}}},
        "selfservice.methods.code.mfa_enabled",
    ),
    "keys without their domain": ({"selfservice": {"methods": {"webauthn": {"enabled": True}}}}, "selfservice.methods.webauthn.config"),
    "a scope that amazon does not know": (
        _provider("amazon", scope=["profile", "email"]),
        "selfservice.methods.oidc.config.providers.0.scope: cannot hold email",
    ),
    "a guess whether amazon knows PKCE": (
        _provider("amazon", pkce="auto"),
        "selfservice.methods.oidc.config.providers.0.pkce: must be never or force",
    ),
    "a provider without its secret": (
        _provider("x", client_secret=""),
        "selfservice.methods.oidc.config.providers.0.client_secret: is required.",
    ),
    "a provider that nobody knows": (_provider("jackson"), "selfservice.methods.oidc.config.providers.0.provider"),
    "a cipher without secrets": ({"ciphers": {"algorithm": "aes"}}, "secrets.cipher"),
    "no schema": ({"identity": {"schemas": []}}, "identity.schemas"),
    "hooks around logout": ({"selfservice": {"flows": {"logout": {"before": {}}}}}, "selfservice.flows.logout.before"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_it_refuses_and_says_where(load: Any, why: str) -> None:
    held, said = REFUSED[why]
    with pytest.raises(ConfigError) as refused:
        load(held)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ({"argon2": {"iterations": 11}}, "hashers.argon2.iterations: must be at most 10"),
        ({"argon2": {"parallelism": 17, "memory": "64MB"}}, "hashers.argon2.parallelism: must be at most 16"),
        ({"argon2": {"memory": "1025MB"}}, "hashers.argon2.memory: must be at least 8KB"),
        ({"argon2": {"memory": "4KB"}}, "hashers.argon2.memory: must be at least 8KB"),
        ({"argon2": {"memory": "31KB", "parallelism": 4}}, "hashers.argon2.memory: must be at least 32KB"),
        ({"algorithm": "bcrypt", "bcrypt": {"cost": 16}}, "hashers.bcrypt.cost: must be at most 15"),
    ],
    ids=str,
)
def test_it_makes_no_hash_that_it_would_refuse(load: Any, held: dict[str, Any], said: str) -> None:
    loaded = load({"hashers": held})
    with pytest.raises(ConfigError) as refused:
        store.verify(loaded)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    "held",
    [
        {"argon2": {"iterations": 10, "parallelism": 16, "memory": "1024MB"}},
        {"argon2": {"memory": "8KB"}},
        {"algorithm": "bcrypt", "bcrypt": {"cost": 15}, "argon2": {"iterations": 99}},
    ],
    ids=str,
)
def test_it_takes_hashes_at_the_limit(load: Any, held: dict[str, Any]) -> None:
    store.verify(load({"hashers": held}))


@pytest.mark.parametrize("more", [{}, {"pkce": "force", "scope": ["profile", "postal_code"]}, {"pkce": "never", "scope": []}])
def test_it_takes_what_amazon_knows(load: Any, more: dict[str, Any]) -> None:
    load(_provider("amazon", **more))


def test_it_says_everything_that_is_wrong_at_once(load: Any) -> None:
    with pytest.raises(ConfigError) as refused:
        load({"session": {"lifespan": "x"}, "nonsense": 1})
    assert {fault.path for fault in refused.value.faults} == {"session.lifespan", "nonsense"}


def test_it_requires_where_browsers_go_and_who_people_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_state", store._State())
    path = tmp_path / "identity.yml"
    path.write_text("session: {lifespan: 1h}")
    with pytest.raises(ConfigError) as refused:
        store.start([path], {})
    assert [fault.path for fault in refused.value.faults] == ["selfservice.default_browser_return_url", "identity.schemas"]


def test_it_fills_in_defaults_of_its_own_pages(load: Any) -> None:
    config = load({"serve": {"public": {"base_url": "https://id.example.org/"}}})
    assert config.get("selfservice.flows.login.ui_url") == "https://id.example.org/ui/login"
    assert config.get("selfservice.methods.password.config.min_password_length") == 8
    assert config.get("serve.admin.host") == "127.0.0.1"


def test_an_empty_section_says_nothing(load: Any) -> None:
    assert load({"courier": None, "session": {"cookie": None}}).get("courier.message_retries") == 5


@pytest.mark.parametrize("name", ["identity.yml", "identity.yaml", "identity.json"])
def test_it_reads_each_format(load: Any, name: str) -> None:
    assert load({"session": {"lifespan": "7h"}}, name=name).get("session.lifespan") == "7h"


def test_later_files_are_laid_over_earlier_ones(tmp_path: Path) -> None:
    assert layers.merge({"a": {"b": 1, "c": [1, 2]}, "d": 4}, {"a": {"c": [3]}}) == {"a": {"b": 1, "c": [3]}, "d": 4}


ENVIRONMENT: dict[str, tuple[str, str, Any]] = {
    "SELFSERVICE_FLOWS_LOGIN_LIFESPAN": ("7m", "selfservice.flows.login.lifespan", "7m"),
    "SELFSERVICE_METHODS_TOTP_ENABLED": ("T", "selfservice.methods.totp.enabled", True),
    "SERVE_PUBLIC_PORT": ("4499", "serve.public.port", 4499),
    "SECRETS_COOKIE": (
        "new-secret-of-16-chars,old-secret-of-16-chars",
        "secrets.cookie",
        ["new-secret-of-16-chars", "old-secret-of-16-chars"],
    ),
    "SELFSERVICE_ALLOWED_RETURN_URLS": ('["https://a.example.org"]', "selfservice.allowed_return_urls", ["https://a.example.org"]),
    "LOG_LEVEL": ("warn", "log.level", "warning"),
    "SESSION_COOKIE_NAME": ("mine", "session.cookie.name", "mine"),
    "DSN": ("sqlite://x.sqlite3", "dsn", "sqlite://x.sqlite3"),
}


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_the_environment_counts_more_than_files(load: Any, name: str) -> None:
    text, path, value = ENVIRONMENT[name]
    assert load(environ={name: text}).get(path) == value


def test_the_environment_reaches_into_lists(load: Any) -> None:
    config = load(environ={"IDENTITY_SCHEMAS_0_SELFSERVICE_SELECTABLE": "true"})
    assert config.get("identity.schemas") == [{"id": "default", "url": SCHEMA, "selfservice_selectable": True}]


@pytest.mark.parametrize("name", ["VERSION", "HOME", "CONFIG", "REVISION_X", "SELFSERVICE_NOTHING", "DEV"])
def test_variables_of_other_programs_change_nothing(load: Any, name: str) -> None:
    assert load(environ={name: "1.2 maybe"}).get("selfservice.default_browser_return_url") == "https://app.example.org/"


def test_a_variable_that_its_key_cannot_have_stops_the_start(load: Any) -> None:
    with pytest.raises(ConfigError, match="SERVE_PUBLIC_PORT"):
        load(environ={"SERVE_PUBLIC_PORT": "many"})


def test_it_takes_a_changed_file_over(load: Any, tmp_path: Path) -> None:
    before = load({"session": {"lifespan": "1h"}})

    write(tmp_path, {"session": {"lifespan": "2h"}})

    assert store.refresh().get("session.lifespan") == "2h"
    assert store.current().revision != before.revision


def write(folder: Path, held: dict[str, Any] | str) -> None:
    """Write the file anew, in place; the clock of a file system may be too coarse to tell two writes apart."""
    path = folder / "identity.yml"
    path.write_text(held if isinstance(held, str) else yaml.safe_dump(layers.merge(LEAST, held)))
    os.utime(path, ns=(0, os.stat(path).st_mtime_ns + 1_000_000))


@pytest.mark.parametrize("broken", ["", "{ not yaml", "session: {lifespan: soon}", "- a list", "selfservice:\n  default_br"])
def test_a_file_that_cannot_be_used_changes_nothing(load: Any, tmp_path: Path, broken: str) -> None:
    before = load({"session": {"lifespan": "1h"}})

    write(tmp_path, broken)
    assert store.refresh() is before

    write(tmp_path, {"session": {"lifespan": "3h"}})
    assert store.refresh().get("session.lifespan") == "3h"
    assert store.last_failure() == ""


def test_what_is_computed_is_kept_for_as_long_as_the_configuration(load: Any, tmp_path: Path) -> None:
    load({"session": {"lifespan": "1h"}})
    asked: list[str] = []

    @store.per_config
    def lifespan(config: store.Config) -> str:
        asked.append("x")
        return str(config.get("session.lifespan"))

    assert [lifespan(), lifespan()] == ["1h", "1h"]
    write(tmp_path, {"session": {"lifespan": "2h"}})
    store.refresh()
    assert [lifespan(), len(asked)] == ["2h", 2]


@pytest.mark.parametrize(("text", "seconds"), [("1h30m", 5400), ("15s", 15), ("500ms", 0.5), ("1h1m1s", 3661), ("0s", 0)])
def test_it_reads_durations(text: str, seconds: float) -> None:
    assert units.duration(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "1", "1.5h", "7d", "-1s", "1 h", "h"])
def test_it_refuses_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        units.duration(text)


def test_it_reads_sizes_in_steps_of_1024() -> None:
    assert units.size("64KB") == 65536


def test_it_reads_database_addresses() -> None:
    found = dsn.database("postgres://ada:p%40ss@db.example.org:5433/people?sslmode=require&max_conns=20")
    assert (found["USER"], found["PASSWORD"], found["HOST"], found["PORT"], found["NAME"]) == (
        "ada",
        "p@ss",
        "db.example.org",
        "5433",
        "people",
    )
    assert found["OPTIONS"]["sslmode"] == "require"
    assert "max_conns" not in found["OPTIONS"]
    assert dsn.database("postgres://x/y?prepared_statements=false")["OPTIONS"].get("server_side_binding") is None
    assert dsn.database("sqlite:///tmp/x.db?_fk=true")["NAME"] == "/tmp/x.db"
    with pytest.raises(ConfigError, match="mysql"):
        dsn.database("mysql://x/y")


def test_a_key_of_others_is_accepted_and_said_once() -> None:
    report = Report()
    TREE.check({"sqa-opt-out": True, "selfservice": {"methods": {"saml": {"enabled": True}}}}, "", report)
    assert report.faults == []
    assert [warning.split()[0] for warning in report.warnings] == ["sqa-opt-out", "selfservice.methods.saml"]
