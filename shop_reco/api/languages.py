"""The language that an answer is in: the request's, or the one that is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.conf.locale import LANG_INFO
from django.utils import translation

from .errors import ApiError


def language_of(locale: str) -> str:
    """The language that a locale names, as Django calls it: of the settings, else one that Django knows.

    They are a bounded number: what Django has read of a language it keeps.

    Raises:
        ApiError: BAD_VALUE.
    """
    named = locale.lower().replace("_", "-")
    ours = [code.lower() for code, _ in settings.LANGUAGES]
    known = {*ours, *(code for code, told in LANG_INFO.items() if "name" in told)}
    for code in (named, *LANG_INFO.get(named, {}).get("fallback", ()), named.partition("-")[0]):
        if code in known:
            return code
    some = ", ".join(ours[:5])
    raise ApiError("BAD_VALUE", f"locale must name a language, as in {some}; leave it out for the request's own")


@contextmanager
def spoken(locale: str | None) -> Iterator[None]:
    """What is read and said within is in the language of a locale; None: in the request's.

    Raises:
        ApiError: BAD_VALUE.
    """
    if locale is None:
        yield
        return
    with translation.override(language_of(locale)):
        yield
