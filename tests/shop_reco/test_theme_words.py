"""The words of the admin's theme, which speaks English alone: each that our pages may show is in Chinese too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import unfold
from django.utils import translation

from shop_reco import theme_words

ROOT = Path(unfold.__file__).parent
OURS = ("templates", "contrib/filters", "contrib/import_export")
"""What our site's templates are found in; the theme has more, for apps that we do not use."""
UNUSED = (
    "templates/unfold_crispy", "templates/unfold/components", "templates/unfold/helpers/edit_inline",
    "templates/unfold/helpers/field_readonly_value_file", "templates/unfold/helpers/app_list_all",
    "templates/unfold/widgets/clearable_file_input", "templates/unfold/helpers/display_header", "mixins/nested",
    "mixins/dataset",
)  # fmt: skip
IN_TEMPLATES = (r"{%\s*trans(?:late)?\s+(['\"])(?P<word>.*?)\1", r"\b_\((['\"])(?P<word>.*?)\1\)")
BLOCK = r"{%\s*blocktrans(?:late)?(?P<how>[^%]*?)%}(?P<word>.*?){%\s*(?:plural|endblocktrans)"
IN_CODE = r"\b(?:_|gettext(?:_lazy)?)\(\s*(['\"])(?P<word>.*?)\1\s*\)"


def words():
    """What the theme asks the catalogues for."""
    for path in [*ROOT.rglob("*.html"), *ROOT.rglob("*.py")]:
        place = path.relative_to(ROOT).as_posix()
        if (place.startswith("contrib") and not place.startswith(OURS)) or place.startswith(UNUSED):
            continue
        text = path.read_text()
        for pattern in IN_TEMPLATES if path.suffix == ".html" else (IN_CODE,):
            yield from (each["word"] for each in re.finditer(pattern, text))
        for each in re.finditer(BLOCK, text, re.DOTALL) if path.suffix == ".html" else ():
            word = re.sub(r"{{\s*([\w.]+).*?}}", r"%(\1)s", each["word"])
            yield re.sub(r"\s*\n\s*", " ", word).strip() if "trimmed" in each["how"] else word


def test_the_theme_still_asks_for_words():
    assert {"Type to search", "Return to site"} <= set(words())


@pytest.mark.parametrize("word", sorted(set(words())))
def test_each_word_of_the_theme_has_a_chinese_one(word):
    with translation.override("zh-hans"):
        told = {translation.gettext(word), translation.ngettext(word, word, 1)}  # some stand there with a plural
        assert told != {word}


def test_none_is_kept_that_the_theme_does_not_ask_for():
    assert set(theme_words.WORDS) <= set(words())
