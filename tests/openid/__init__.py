"""A certified OpenID Connect provider on loopback: the npm package `oidc-provider`, as a process of its own."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.provider import CLIENT_ID, CLIENT_SECRET
from tests.services import free_port, unavailable, wait_for_port

HERE = Path(__file__).resolve().parent
PATIENCE = 300.0  # seconds until the packages have to be there


def _packages() -> Path:
    """Install what the lock file names, once for every run that has the same file, and return its folder."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vestibule-tests"
    home = cache / f"openid-{hashlib.sha256((HERE / 'package-lock.json').read_bytes()).hexdigest()[:16]}"
    home.mkdir(parents=True, exist_ok=True)
    whole = home / "installed"  # written last: an installation that was broken off is done again
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the tests run in several processes
        if not whole.exists():
            for name in ("package.json", "package-lock.json"):
                shutil.copy(HERE / name, home)
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            done = subprocess.run(command, cwd=home, capture_output=True, text=True, timeout=PATIENCE)
            if done.returncode:
                print(done.stderr)  # noqa: T201  # pytest shows it with the failure
                unavailable("oidc-provider")
            whole.touch()
    return home / "node_modules"


@contextlib.contextmanager
def provider(*redirects: str) -> Iterator[str]:
    """Run the provider for a client that may be sent back to `redirects`, and yield its address."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        unavailable("node")
        return
    with tempfile.TemporaryDirectory(prefix="vestibule-openid-") as home:
        script = shutil.copy(HERE / "provider.mjs", home)
        Path(home, "node_modules").symlink_to(_packages())  # a script finds packages beside itself only
        port = free_port()
        process = subprocess.Popen(
            [node, script, str(port), *redirects],
            env=os.environ | {"CLIENT_ID": CLIENT_ID, "CLIENT_SECRET": CLIENT_SECRET},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_for_port(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(10)
