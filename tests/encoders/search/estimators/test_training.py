"""Full trainings and those on a share of the words."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from layerwise.core.errors import DataError, UsageError
from layerwise.encoders.search.estimators.training import FullTraining, LowFidelity
from layerwise.encoders.search.protocols import Setting, Trial

MakeSetting = Callable[..., Setting]


def test_the_fidelity_is_the_share_of_the_words(make_setting: MakeSetting) -> None:
    setting = make_setting()
    cell = setting.space.decode([0])
    full = FullTraining(setting, points=2)
    whole, half = full.estimate(Trial(cell), 1), full.estimate(Trial(cell, 0.5), 1)
    assert whole.measured
    assert [words for words, _ in whole.details["curve"]] == [320, 640]
    assert (whole.details["words"], half.details["words"]) == (640, 320)
    assert whole.losses[0] == pytest.approx(whole.details["curve"][-1][1], abs=1e-5)
    fewer = FullTraining(make_setting(words=320), points=2).estimate(Trial(cell), 1)
    assert half.losses == fewer.losses


def test_a_low_fidelity_is_a_short_training_that_counts_as_no_measurement(
    make_setting: MakeSetting,
) -> None:
    setting = make_setting()
    cell = setting.space.decode([1])
    low = LowFidelity(setting, share=0.2).estimate(Trial(cell, 0.5), 4)
    short = FullTraining(setting).estimate(Trial(cell, 0.1), 4)
    assert low.losses == short.losses
    assert not low.measured
    assert low.details["words"] == 64


def test_what_cannot_be_served_is_told(make_setting: MakeSetting) -> None:
    with pytest.raises(UsageError, match=r"--estimator low-fidelity: .*needs text"):
        LowFidelity(make_setting(text=()))
    for share in (0.0, 1.0, float("nan")):
        with pytest.raises(UsageError, match="--estimator low-fidelity: a share of"):
            LowFidelity(make_setting(), share=share)
    with pytest.raises(UsageError, match="--estimator training: 0 points"):
        FullTraining(make_setting(), points=0)
    with pytest.raises(DataError, match="no such cell"):
        FullTraining(make_setting()).estimate(Trial("nothing"))
