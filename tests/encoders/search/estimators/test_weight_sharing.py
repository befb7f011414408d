"""Weight sharing: the estimates of a supernet."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from layerwise.core.errors import DataError, UsageError
from layerwise.encoders.search.estimators import weight_sharing as module
from layerwise.encoders.search.estimators.training import FullTraining
from layerwise.encoders.search.estimators.weight_sharing import WeightSharing
from layerwise.encoders.search.protocols import Setting, Trial

MakeSetting = Callable[..., Setting]


def test_of_a_space_of_one_cell_it_is_a_full_training(make_setting: MakeSetting) -> None:
    setting = make_setting("gru", words=320)
    trial = Trial(setting.space.decode([0]))
    found = WeightSharing(setting).estimate(trial, 3)
    assert found.losses == FullTraining(setting).estimate(trial, 3).losses
    assert not found.measured
    assert found.details == {"inherited": 1.0, "steps": 10}


def test_it_trains_once_for_each_seed(
    make_setting: MakeSetting, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []

    class Counted(module.Supernet):
        def __init__(self, training: module.BriefTraining, words: float, seed: int) -> None:
            made.append(seed)
            super().__init__(training, words, seed)

    monkeypatch.setattr(module, "Supernet", Counted)
    setting = make_setting()
    estimator = WeightSharing(setting, share=0.5)
    assert made == []
    trials = [Trial(setting.space.decode([i]), fidelity) for i in (0, 1) for fidelity in (1, 0.1)]
    losses = [estimator.estimate(trial, seed).losses for seed in (0, 1) for trial in trials]
    assert made == [0, 1]
    assert losses[0] == losses[1], "the fidelity changes nothing"
    assert len({*losses}) == 4
    backwards = WeightSharing(setting, share=0.5)
    again = [backwards.estimate(trial, seed).losses for seed in (1, 0) for trial in trials[::-1]]
    assert again[::-1] == losses, "the order of the questions changes nothing"


def test_a_judge_says_what_the_inherited_weights_are_worth(make_setting: MakeSetting) -> None:
    setting = make_setting(judge=lambda bilm: float(bilm.dim))
    found = WeightSharing(setting, share=0.1).estimate(Trial(setting.space.decode([0])))
    assert found.losses == (8.0,)


def test_a_cell_that_cannot_be_trained_is_infinite(make_setting: MakeSetting) -> None:
    """The gradient of a norm of zeros, word after word, grows without bound; its loss does not."""
    cell = "c1/n:@1/a:0,1=2"
    setting = make_setting("mingru", window=40, words=640)
    assert FullTraining(setting).estimate(Trial(cell)).losses == (math.inf,)
    estimator = WeightSharing(setting)
    assert estimator.estimate(Trial(cell)).losses == (math.inf,)
    assert math.isfinite(estimator.estimate(Trial(setting.space.decode([0]))).losses[0])
    (supernet,) = estimator._supernets.values()
    assert math.isfinite(estimator._training.loss(supernet.model(cell)[0]))


def test_what_cannot_be_served_is_told(
    make_setting: MakeSetting, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="--estimator weight-sharing: a training needs text"):
        WeightSharing(make_setting(text=()))
    with pytest.raises(UsageError, match="--estimator weight-sharing: a share of 0"):
        WeightSharing(make_setting(), share=0)
    monkeypatch.setattr(module, "Supernet", None)  # told before anything is trained
    with pytest.raises(DataError, match="3 groups cannot share a width of 8"):
        WeightSharing(make_setting()).estimate(Trial("c1/G3:0=1"))
