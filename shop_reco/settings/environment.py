"""Variables of the environment, read so that whoever set one wrong is told which one, and what to write instead.

No message repeats a value: an address of a database holds its password.
"""

from __future__ import annotations

import json
import types
import typing
import warnings
from collections.abc import Collection
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

from shop_reco.conf import RecoSettings

YES, NO = ("true", "on", "ok", "y", "yes", "1"), ("false", "off", "n", "no", "0", "")
FORMS = {
    "SECRET_KEY": 'a long random text: python -c "import secrets; print(secrets.token_urlsafe(48))"',
    "ALLOWED_HOSTS": "the names under which the shop is reached, separated by commas: shop.example.com",
    "DATABASE_URL": "postgres://user:password@host:5432/name",
    "BROKER_URL": "redis://host:6379/0 or amqp://user:password@host:5672//",
    "REDIS_URL": "redis://host:6379/1",
    "KAFKA_OPTIONS": '{"security.protocol": "SASL_SSL"}',
}
"""What a variable looks like that is set right."""
KINDS = {
    int: "a whole number, such as 5",
    float: "a number, such as 2.5",
    bool: "true or false",
    json.loads: 'JSON, such as {"name": 1}',
}
OF_A_KEY = "SHOP_RECO_"
"""What the variable of a key of SHOP_RECO begins with."""


class Environment(environ.Env):
    """django-environ, but strict: a word that is neither yes nor no is an error, and what is needed is not empty."""

    def get_value(
        self, var: str, cast: Any = None, default: Any = environ.Env.NOTSET, parse_default: bool = False
    ) -> Any:
        given = self.ENVIRON.get(var)
        if default is self.NOTSET and not (given or "").strip():
            raise ImproperlyConfigured(f"{var} is {'not set' if given is None else 'empty'}. {_fix(var)}")
        blank = given is not None and not given.strip()
        if blank and default is not self.NOTSET and cast in (int, float, bool, json.loads):
            return default  # as docker-compose.yml hands on what nobody set
        if cast is bool and given is not None and given.strip().lower() not in YES + NO:
            raise ImproperlyConfigured(_wrong(var, KINDS[bool]))
        try:
            return super().get_value(var, cast=cast, default=default, parse_default=parse_default)
        except (ValueError, TypeError, ArithmeticError):
            raise ImproperlyConfigured(_wrong(var, KINDS.get(cast, "what it can be"))) from None

    def db_url(self, var: str = "DATABASE_URL", default: Any = environ.Env.NOTSET, engine: str | None = None) -> Any:
        """The configuration of a database from its address.

        Raises:
            ImproperlyConfigured: If there is none, or it is no address of a database.
        """
        try:
            with warnings.catch_warnings(action="ignore"):  # the warning of an unknown scheme tells the password
                found = super().db_url(var, default=default, engine=engine)
        except ImproperlyConfigured:
            raise
        except Exception:  # whatever the parser trips over may quote it, too
            found = {}
        if "." not in str(found.get("ENGINE", "")) or not found.get("NAME"):
            raise ImproperlyConfigured(_wrong(var, "the address of a database"))
        return found

    db = db_url

    def one_of(self, var: str, known: Collection[str], *, default: str) -> str:
        """A word out of those that are known, however its letters are written.

        Raises:
            ImproperlyConfigured: If it is another one.
        """
        given = self.str(var, default=default).strip() or default
        for word in known:
            if word.casefold() == given.casefold():
                return word
        raise ImproperlyConfigured(_wrong(var, "one of " + ", ".join(known)))

    def address(self, var: str, schemes: Collection[str], *, default: Any = environ.Env.NOTSET) -> str:
        """The address of a service, empty where ``default`` is and nothing is given.

        Raises:
            ImproperlyConfigured: If it begins otherwise than with one of the schemes.
        """
        given = str(self.str(var, default=default)).strip()
        if given and given.partition("://")[0] not in schemes:
            raise ImproperlyConfigured(
                _wrong(var, "an address that begins with " + ", ".join(f"{s}://" for s in schemes))
            )
        return given

    def reco(self) -> dict[str, Any]:
        """The keys of SHOP_RECO that have a variable of their own; what is no text, number or path is JSON.

        Raises:
            ImproperlyConfigured: If a variable names no key, or is set to what its key cannot be.
        """
        kinds = typing.get_type_hints(RecoSettings)
        found: dict[str, Any] = {}
        for var in sorted(name for name in self.ENVIRON if name.startswith(OF_A_KEY)):
            key = var.removeprefix(OF_A_KEY)
            if key not in kinds:
                raise ImproperlyConfigured(f"{var} is set, but SHOP_RECO has no key {key}. {_fix(var)}")
            if self.ENVIRON[var].strip():
                found[key] = self.get_value(var, cast=_cast(kinds[key]))
        return found


def _cast(kind: Any) -> Any:
    if isinstance(kind, types.UnionType):  # None is what it is when it has no variable
        (kind,) = set(typing.get_args(kind)) - {type(None)}
    return kind if kind in (str, int, float, bool, Path) else json.loads


def _wrong(var: str, form: str) -> str:
    return f"{var} is set, but not to {form}. {_fix(var)}"


def _fix(var: str) -> str:
    form = f", like so: {FORMS[var]}" if var in FORMS else ""
    return f"Set it in the environment or in the file .env{form}. docs/settings.md tells of each variable."
