"""Prices as people of a language write them."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from babel import Locale, UnknownLocaleError
from babel.numbers import format_currency
from django.conf import settings
from django.utils.translation import get_language, to_locale

from shop_reco.conf import reco_settings


def told_price(amount: Decimal | str | None, currency: str) -> str:
    """The amount with its currency, in the language of the request; empty where there is none."""
    try:
        number = Decimal(amount) if amount not in (None, "") else None
    except InvalidOperation:
        return ""
    if number is None:
        return ""
    return format_currency(number, currency or reco_settings().CURRENCY, locale=_locale()).strip()


def _locale() -> Locale:
    for language in (get_language(), settings.LANGUAGE_CODE):
        try:
            return Locale.parse(to_locale(language or ""))
        except (ValueError, UnknownLocaleError):
            continue
    return Locale("en")
