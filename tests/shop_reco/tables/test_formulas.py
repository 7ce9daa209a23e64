"""What a spreadsheet would run goes out harmless and comes back as it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop_reco.tables.formulas import escaped, plain

TEXTS = st.text(alphabet=st.sampled_from("='\"+-@\t\r＝＋－＠ a5"), max_size=8)


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '"=1', "'=1", "＝1", "＋1", "－1", "＠1"]
)
def test_what_would_run_is_escaped(text):
    assert escaped(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "tea", "5 - 3", "'tis", "a@b.example", '"quoted"', "1=1"])
def test_what_is_harmless_stays_as_it_is(text):
    assert escaped(text) == text
    assert plain(text) == text


@given(TEXTS)
def test_every_text_comes_back(text):
    assert plain(escaped(text)) == text
