"""What may be listed at all."""

from __future__ import annotations

import numpy as np
import pytest

from reco_engine.errors import BadInputError
from reco_engine.ranking.eligibility import eligible

IDS = np.asarray([2, 3, 5, 7])


def test_everything_may_be_shown_when_nobody_says_otherwise():
    assert eligible(IDS).tolist() == [True] * 4


def test_what_is_not_allowed_or_excluded_may_not_be_shown():
    allowed = np.asarray([True, False, True, True])
    assert eligible(IDS, allowed=allowed, exclude=[7, 99]).tolist() == [True, False, True, False]
    assert allowed.tolist() == [True, False, True, True]


@pytest.mark.parametrize("wrong", [np.ones(3, bool), np.ones(4), np.asarray([0, 1, 2, 3])])
def test_places_instead_of_truth_values_are_refused(wrong):
    with pytest.raises(BadInputError, match="allowed"):
        eligible(IDS, allowed=wrong)
