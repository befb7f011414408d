"""Scores as losses: signs, seeds, sizes, and what is refused."""

from __future__ import annotations

import inspect
import math
from pathlib import Path
from typing import get_type_hints

import pytest
import torch

from layerwise.core.errors import DataError, UsageError
from layerwise.encoders.search.estimators.training_free import TrainingFree, naswot
from layerwise.encoders.search.protocols import Estimator, Setting, Trial
from layerwise.encoders.search.space.aliases import ALIASES, read_cell
from layerwise.encoders.search.training_free.probe_batch import random_batch, text_batch
from layerwise.encoders.search.training_free.recording import record
from layerwise.encoders.search.training_free.scores import SCORES

from .conftest import SomeCells

CELLS = SomeCells(["gru"])
SETTING = Setting(CELLS)


def estimate(estimator: Estimator, cell: str, seed: int = 0) -> float:
    found = estimator.estimate(Trial(cell), seed)
    assert not found.measured
    (loss,) = found.losses
    return loss


def test_the_loss_is_the_negative_score() -> None:
    found = estimate(TrainingFree(SETTING, score="memory", batch=8, time=9), ALIASES["gru"], 3)
    recording = record(read_cell("gru"), random_batch(8, 9), seed=3)
    assert found == -SCORES["memory"](recording)


def test_a_setting_s_text_is_what_is_read(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("the cat sat on the mat and the dog sat on the cat " * 20, encoding="utf-8")
    setting = Setting(CELLS, text=(path,))
    found = estimate(naswot(setting, batch=8, time=9), ALIASES["gru"])
    batch = text_batch([path], 8, 9)
    assert found == -SCORES["naswot"](record(read_cell("gru"), batch, spread="narrow"))
    assert found != estimate(naswot(SETTING, batch=8, time=9), ALIASES["gru"])
    with pytest.raises(DataError, match="words, and 1,600 are read"):
        TrainingFree(setting)


def test_the_same_seed_the_same_loss_and_torch_stays_as_it_was() -> None:
    estimator = TrainingFree(SETTING, batch=8, time=9)
    state = torch.random.get_rng_state()
    first = estimate(estimator, ALIASES["lstm"])
    assert torch.equal(torch.random.get_rng_state(), state)
    assert first == estimate(TrainingFree(SETTING, batch=8, time=9), ALIASES["lstm"])
    assert first != estimate(estimator, ALIASES["lstm"], seed=1)


@pytest.mark.parametrize("name", [*ALIASES])
def test_every_named_cell_has_a_loss(name: str) -> None:
    assert math.isfinite(estimate(TrainingFree(SETTING), ALIASES[name]))


def test_what_has_no_score_has_an_infinite_loss() -> None:
    loss = estimate(naswot(SETTING, batch=8, time=9), "c1/L:0/s:1=2")
    assert loss == math.inf


def test_a_gated_cell_is_better_than_one_that_forgets() -> None:
    estimator = TrainingFree(SETTING)
    forgets = estimate(estimator, "c1/L:0/s:1=2")
    assert estimate(estimator, ALIASES["nasbench_gru"]) < forgets - 1


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"score": "naswott"}, "did you mean naswot"),
        ({"score": "hidden-covariance-2", "layers": 1}, "take 2 or more"),
        ({"width": 1}, "width 1; take 2 or more"),
        ({"time": 2}, "time 2; take 4 or more"),
    ],
)
def test_wrong_options_are_told(options: dict[str, int | str], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        TrainingFree(SETTING, **options)  # type: ignore[arg-type]


def test_other_things_than_cells_are_refused() -> None:
    with pytest.raises(UsageError, match="are no cells"):
        TrainingFree(Setting(SomeCells(["1 2 3"], as_written=True)))


def test_a_cell_of_another_width_is_told() -> None:
    with pytest.raises(DataError, match="3 heads cannot share a width of 32"):
        TrainingFree(SETTING).estimate(Trial("c1/A3:0=1"))


def test_naswot_takes_the_options_of_what_it_returns() -> None:
    """The command reads them off the type."""
    assert get_type_hints(naswot)["return"] is TrainingFree
    assert "width" in inspect.signature(TrainingFree).parameters
