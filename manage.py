#!/usr/bin/env python
"""Vestibule's command line: `manage.py help` lists the commands.

Every command takes its configuration from `-c FILE` (again for more files) or from IDENTITY_CONFIG=a.yml,b.yml.
"""

import os
import sys

OWN_DASH_C = ("shell", "dbshell")  # there -c means a command


def take_configuration(arguments: list[str]) -> list[str]:
    """Return *arguments* without `-c FILE`; what it named goes where the settings look for it."""
    if len(arguments) > 1 and arguments[1] in OWN_DASH_C:
        return arguments
    kept: list[str] = []
    files: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        if argument in ("-c", "--config"):
            files.append(next(rest, ""))
        elif argument.startswith("--config="):
            files.append(argument.partition("=")[2])
        else:
            kept.append(argument)
    if files:
        os.environ["IDENTITY_CONFIG"] = ",".join(files)
    if "--dev" in kept:
        os.environ["VESTIBULE_DEV"] = "1"
    return kept


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "identity.settings")
    arguments = take_configuration(sys.argv)
    from django.core.management import execute_from_command_line

    execute_from_command_line(arguments)


if __name__ == "__main__":
    main()
