"""What shoppers read before they decide: the wording that the plugin brings, and new versions by the shop."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.db import transaction

from .models import Consent, ConsentStatement

FIRST = "1"
FIRST_SINCE = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
BUILT_IN: Mapping[str, Mapping[str, str]] = {
    Consent.Purpose.PERSONALISATION: {
        "en": (
            "We remember what you look at, search for and buy, so that lists follow your taste and say why. "
            "Until you agree nothing is kept. You can take it back at any time."
        ),
        "zh-hans": (
            "我们会记住您浏览、搜索和购买的商品，让推荐列表符合您的口味并说明理由。"
            "您同意之前不会保存任何信息，您可以随时撤回。"
        ),
    },
    Consent.Purpose.TRAINING: {
        "en": (
            "What you did helps to work out what other shoppers may like. Your name is no part of it. "
            "When you take it back, the next training leaves you out."
        ),
        "zh-hans": "您的行为有助于推算其他顾客可能喜欢什么，其中不包含您的姓名。撤回后，下一次训练不再使用您的数据。",
    },
    Consent.Purpose.ANALYTICS: {
        "en": "What you did may be counted in the statistics of the shop. You can take it back at any time.",
        "zh-hans": "您的行为可计入本店的统计数据。您可以随时撤回。",
    },
}


@transaction.atomic
def publish_statement(*, purpose: str, version: str, texts: Mapping[str, str], since: dt.datetime) -> None:
    """Have a new wording shown from ``since`` on, by language; a version that exists stays as it is.

    Raises:
        ValueError: If the purpose is unknown, or the version or a text is empty.
    """
    if purpose not in Consent.Purpose.values:
        raise ValueError(f"unknown purpose {purpose!r}; known: {Consent.Purpose.values}")
    if not version or not texts or not all(texts.values()):
        raise ValueError("a statement needs a version and a text in each language that it names")
    ConsentStatement.objects.bulk_create(
        [
            ConsentStatement(purpose=purpose, version=version, language=language, text=text, since=since)
            for language, text in texts.items()
        ],
        ignore_conflicts=True,
    )


def ensure_statements() -> None:
    """Have the first version of each purpose's statement; called after each migration."""
    for purpose, texts in BUILT_IN.items():
        publish_statement(purpose=purpose, version=FIRST, texts=texts, since=FIRST_SINCE)
