"""Brief trainings: as ``pretrain`` trains, in memory, and nothing else is touched."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from layerwise.core.errors import DataError, UsageError
from layerwise.encoders.bilm import BiLM, count_parameters
from layerwise.encoders.budget import Budget
from layerwise.encoders.pretrain import pretrain
from layerwise.encoders.search.estimators.brief_training import BriefTraining
from layerwise.encoders.search.protocols import Setting
from layerwise.encoders.search.space.grammar import parse
from layerwise.encoders.search.space.widths import parameters
from layerwise.encoders.training_settings import TrainingSettings

MakeSetting = Callable[..., Setting]


def training(setting: Setting, words: int = 20_000) -> BriefTraining:
    return BriefTraining(setting, "--estimator training", words)


@pytest.mark.parametrize("name", ["gru", "gconv"])
def test_the_loss_is_that_of_a_pretrained_encoder(
    make_setting: MakeSetting, running_text: Path, tmp_path: Path, name: str
) -> None:
    setting = make_setting(name)
    (cell,) = setting.space.cells  # type: ignore[attr-defined]
    brief = training(setting)
    card = pretrain(
        brief.settings(cell),
        TrainingSettings(budget=Budget(320, "words"), batch=4, vocabulary=30, seed=3),
        [running_text],
        [],
        tmp_path / "encoder",
        "",
    )
    course = brief.run(cell, 320, 3)
    assert card["steps"] == 10
    assert course.loss == math.log(card["held_out_perplexity"]["mean"])
    assert [point.words for point in course.curve] == [320]
    assert course.parameters == card["parameters"]["contextual"] == 2 * parameters(parse(cell), 8)


def test_what_it_learns_comes_near_the_entropy_of_the_text(
    make_setting: MakeSetting, running_text: Path
) -> None:
    """Of 8 words, the first is one of 20, and each other one of two, in either direction."""
    least = (math.log(20) + 7 * math.log(2)) / 8
    setting = make_setting("mingru", dim=16, learning_rate=2e-2, held_out=(running_text,))
    course = training(setting).run(setting.space.decode([0]), 5120, 0, points=4)
    losses = [point.loss for point in course.curve]
    assert least * 1.2 < losses[0] < math.log(20)
    assert least - 0.02 < losses[-1] < least * 1.1


def test_an_untrained_softmax_of_zeros_has_the_log_of_the_vocabulary(
    make_setting: MakeSetting,
) -> None:
    setting = make_setting()
    brief = training(setting)
    model = brief.trainer(setting.space.decode([0]), 0).model
    torch.nn.init.zeros_(model.softmax.weight)  # type: ignore[arg-type]
    assert brief.loss(model) == pytest.approx(math.log(len(brief.vocabulary)), abs=1e-4)


def test_a_share_is_the_beginning_of_the_whole(make_setting: MakeSetting) -> None:
    setting = make_setting()
    brief, cell = training(setting), setting.space.decode([1])
    whole, half = brief.run(cell, 640, 1, points=4), brief.run(cell, 640, 1, points=2, share=0.5)
    assert half.curve == whole.curve[:2]
    assert half.loss == whole.curve[1].loss
    assert brief.run(cell, 320, 1).loss != half.loss, "a short training has a schedule of its own"


def test_only_the_seed_matters_and_no_other_draw_is_touched(make_setting: MakeSetting) -> None:
    setting = make_setting()
    brief, cell = training(setting), setting.space.decode([0])
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first = brief.run(cell, 200, 1)
    assert torch.equal(torch.rand(3), expected)
    assert brief.run(cell, 200, 1).loss == first.loss
    assert brief.run(cell, 200, 2).loss != first.loss


def test_a_training_that_diverges_ends(make_setting: MakeSetting) -> None:
    setting = make_setting("rnn", learning_rate=1e30)
    course = training(setting).run(setting.space.decode([0]), 6400, 0, points=200)
    assert course.loss == math.inf
    assert len(course.curve) < 10


def test_held_out_words_are_windows_at_equal_distances(
    make_setting: MakeSetting, tmp_path: Path
) -> None:
    path = tmp_path / "held.txt"
    path.write_text("\n".join(f"x{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(100)))
    brief = training(make_setting(held_out=(path,)), words=24)
    types = brief.held_out.types
    found = [types[i] for i in brief.held_out.words]
    every = path.read_text().split()
    assert found == every[0:8] + every[32:40] + every[64:72], "of 12 windows each fourth"
    assert np.array_equal(
        brief.held_out.counts, np.bincount(brief.held_out.words, minlength=len(types))
    )
    assert len(training(make_setting(held_out=(path,))).held_out.words) == 100


def test_a_judge_has_the_last_word(make_setting: MakeSetting) -> None:
    judged: list[int] = []

    def judge(bilm: BiLM) -> float:
        assert not bilm.training
        judged.append(count_parameters([bilm]))
        return 0.25 if len(judged) == 1 else math.nan

    setting = make_setting(judge=judge)
    brief, cell = training(setting), setting.space.decode([0])
    course = brief.run(cell, 200, 0, points=2)
    assert course.loss == 0.25
    assert len(course.curve) == 2
    assert len(judged) == 1
    assert brief.run(cell, 200, 0).loss == math.inf, "not a number"


def test_what_cannot_be_trained_is_told(
    make_setting: MakeSetting, some_cells: Any, table_of_curves: Any, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"--estimator training: .*needs text; give --text FILE$"):
        training(make_setting(text=()))
    table = table_of_curves({"c1/t:0=1": [1.0]})
    with pytest.raises(UsageError, match="--text FILE, or take --estimator table"):
        training(make_setting(space=table, text=()))
    with pytest.raises(UsageError, match="some-cells are no cells"):
        training(make_setting(space=some_cells(["012345"], as_written=True)))
    with pytest.raises(UsageError, match="0 held-out words"):
        training(make_setting(), words=0)
    with pytest.raises(UsageError, match="'nowhere' cannot be used"):
        BriefTraining(make_setting(), "--estimator training", 100, "nowhere")
    short = tmp_path / "short.txt"
    short.write_text("only a few words")
    with pytest.raises(DataError, match="--text: fewer words than one window of 8"):
        training(make_setting(text=(short,)))
    with pytest.raises(DataError, match="4 heads cannot share a width of 6"):
        training(make_setting(dim=6)).run("c1/n:0/A4:1/a:0,2=3", 640, 0)
