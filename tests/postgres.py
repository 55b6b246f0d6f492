"""Run tests on PostgreSQL: `python -m tests.postgres <arguments of pytest>`."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests import services


def main() -> int:
    try:
        with services.postgres() as dsn:
            command = [sys.executable, "-m", "pytest", *sys.argv[1:]]
            return subprocess.run(command, env={**os.environ, "DSN": dsn}, check=False).returncode
    except pytest.skip.Exception as missing:
        print(f"NOT RUN on PostgreSQL: {missing}")
        return 0
    except pytest.fail.Exception as missing:
        print(f"NOT RUN on PostgreSQL: {missing}")
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
