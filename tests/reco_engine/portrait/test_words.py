"""Keywords come out of any script, few and telling ones."""

from __future__ import annotations

import time

from reco_engine.portrait.words import MOST, words


def test_a_title_gives_its_words_without_stop_words_numbers_and_sizes():
    assert words("The Green Tea, 20 bags for you, 8 OZ, 250ml") == ("green", "tea", "bags")


def test_chinese_gives_pairs_of_characters_and_none_that_only_bind():
    assert words("龙井的绿茶") == ("龙井", "绿茶")
    assert words("茶 tea茶") == ("茶", "tea")


def test_one_spelling_stands_for_all():
    assert words("ＧＲＥＥＮ green Green") == ("green",)


def test_a_text_gives_few_words_and_takes_no_time_to_refuse_many():
    began = time.process_time()
    assert len(words(" ".join(f"word{n}" for n in range(60)))) == MOST
    assert words("绿" * 100_000) == ("绿绿",)
    assert time.process_time() - began < 2
