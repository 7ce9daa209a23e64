"""What docker-compose.yml starts, read from it, to be started as plain processes where there is no container engine."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])((?:[^{}]|\$\{\w+\})*))?\}")


@dataclass(frozen=True)
class Service:
    command: list[str]
    environment: dict[str, str]
    probe: list[str]
    """What tells whether it is healthy; empty where nothing does."""


def services(given: Mapping[str, str]) -> dict[str, Service]:
    """The services that run the image whatever profile is chosen, with the variables of a .env that has ``given``.

    Raises:
        KeyError: If a variable that must be set is missing.
    """
    read = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    image = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    default = json.loads(re.findall(r"^CMD (\[.*\])$", image, re.MULTILINE)[-1])
    found = {}
    for name, service in read.items():
        if "build" in service and "profiles" not in service:
            environment = dict(given) if service.get("env_file") == ".env" else {}
            environment |= {key: filled(str(value), given) for key, value in service["environment"].items()}
            found[name] = Service(list(service.get("command", default)), environment, _probe(service))
    return found


def _probe(service: Mapping[str, Any]) -> list[str]:
    kind, *words = service.get("healthcheck", {}).get("test", ["NONE"])
    return ["sh", "-c", words[0].replace("$$", "$")] if kind == "CMD-SHELL" else [str(each) for each in words]


def filled(text: str, given: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        name, sign, other = match.groups()
        if given.get(name):
            return given[name]
        if sign != "-":
            raise KeyError(name)
        return filled(other, given)

    return VARIABLE.sub(value, text)


def with_option(command: list[str], **options: str) -> list[str]:
    """The command with other values of its options."""
    changed = list(command)
    for name, value in options.items():
        changed[changed.index(f"--{name}") + 1] = value
    return changed
