"""The ledger: equal releases counted together, none without its noise."""

from __future__ import annotations

import pytest

from layerwise.core.errors import UsageError
from layerwise.encoders.search.federated.ledger import Ledger, Release


def test_equal_releases_are_counted_together() -> None:
    ledger = Ledger([Release("weights", 1.0, 0.1), Release("gain", 20.0)])
    ledger.add(Release("weights", 1.0, 0.1, count=4))
    ledger.add(Release("weights", 2.0, 0.1))
    assert ledger.releases == (
        Release("weights", 1.0, 0.1, 5),
        Release("gain", 20.0),
        Release("weights", 2.0, 0.1),
    )
    assert ledger.is_private
    ledger.add(Release("gain", 0.0))
    assert not ledger.is_private


@pytest.mark.parametrize(
    ("noise", "rate", "count"),
    [(-1.0, 0.5, 1), (float("nan"), 0.5, 1), (1.0, 0.0, 1), (1.0, 1.5, 1), (1.0, 0.5, 0)],
)
def test_what_is_no_mechanism_is_refused(noise: float, rate: float, count: int) -> None:
    with pytest.raises(UsageError, match="ledger, weights"):
        Release("weights", noise, rate, count)
