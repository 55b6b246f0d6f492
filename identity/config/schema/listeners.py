"""Where the server listens (contract: config.md 3)."""

from __future__ import annotations

from identity.config.nodes import Flag, Ignored, Items, Later, Node, Number, Section, Text, Url

SOCKET = Section(keys={"owner": Text(), "group": Text(), "mode": Number(low=0, high=511)})
PEM = Section(keys={"path": Text(), "base64": Text()})
TLS = Section(keys={"cert": PEM, "key": PEM, "enabled": Ignored(), "allow_termination_from": Ignored()})
VERBS = ("POST", "GET", "PUT", "PATCH", "DELETE", "CONNECT", "HEAD", "OPTIONS", "TRACE")


def _listener(host: str, port: int, **more: Node) -> Section:
    return Section(
        keys={
            "base_url": Url(),
            "host": Text(host),
            "port": Number(port, low=1, high=65535),
            "socket": Later(node=SOCKET),
            "tls": Later(node=TLS),
            "request_log": Section(keys={"disable_for_health": Flag(False)}),
            "write_listen_file": Ignored(),
            **more,
        }
    )


CORS = Section(
    keys={
        "enabled": Flag(False),
        "allowed_origins": Items(["*"], of=Text(), unique=True),
        "allowed_methods": Items(["POST", "GET", "PUT", "PATCH", "DELETE"], of=Text(choices=VERBS)),
        "allowed_headers": Items(
            ["Authorization", "Content-Type", "Max-Age", "X-Session-Token", "X-XSRF-TOKEN", "X-CSRF-TOKEN"], of=Text()
        ),
        "exposed_headers": Items(["Content-Type"], of=Text()),
        "allow_credentials": Flag(True),
        "max_age": Number(0, low=0),
        "options_passthrough": Ignored(),
        "debug": Ignored(),
    }
)
SERVE = Section(
    keys={
        "public": _listener("0.0.0.0", 4433, cors=CORS),  # noqa: S104  the public listener is for the public
        "admin": _listener(
            "127.0.0.1",
            4434,
            api_keys=Items([], of=Text(shortest=16)),  # ours
            insecure_no_auth=Flag(False),  # ours
            cors=Ignored(why="has no effect: the admin listener never answers pages of other origins"),
        ),
    }
)
