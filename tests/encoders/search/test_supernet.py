"""The supernet: what cells share, and that training it is training each of them."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from layerwise.core.errors import UsageError
from layerwise.encoders.language_model import LanguageModel
from layerwise.encoders.search.cell_space import CellSpace, cell_space
from layerwise.encoders.search.estimators.brief_training import BriefTraining
from layerwise.encoders.search.protocols import Setting
from layerwise.encoders.search.space.aliases import read_cell
from layerwise.encoders.search.space.canonical import canonical
from layerwise.encoders.search.space.grammar import parse
from layerwise.encoders.search.supernet import Supernet, places
from layerwise.encoders.training_settings import TrainingSettings, rate

Make = Callable[..., BriefTraining]

PLAIN = "c1/L:0,@2/t:1=2"
"""A recurrent network; ``GATED`` has one in it, and a gate."""
GATED = str(canonical(parse("c1/L:0,@2/t:1/L:0/s:3/m:2,4=5")))
(GATE,) = (n for n, node in parse(GATED).numbered() if str(node) == "L:0")


class Drawn(CellSpace):
    """The space of all cells, of which only these are drawn."""

    def __init__(self, *cells: str) -> None:
        super().__init__("drawn", cell_space().space)
        self.cells = cells

    def sample(self, generator: random.Random) -> str:
        return self.cells[int(generator.random() * len(self.cells))]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """A training on 600 random words, of 15 different ones, with 8 channels."""
    monkeypatch.setenv("LAYERWISE_CACHE", str(tmp_path / "cache"))
    torch.set_num_threads(1)
    rng = random.Random(0)
    text = tmp_path / "text.txt"
    text.write_text(" ".join(f"w{chr(97 + rng.randrange(15))}" for _ in range(600)))

    def make(*cells: str, dim: int = 8, learning_rate: float = 2e-3) -> BriefTraining:
        space = Drawn(*cells) if cells else cell_space()
        setting = Setting(
            space=space,
            text=(text,),
            dim=dim,
            layers=2,
            window=6,
            batch=3,
            vocabulary=12,
            learning_rate=learning_rate,
        )
        return BriefTraining(setting, "--estimator weight-sharing")

    return make


@pytest.mark.parametrize("name", ["gru", "attn", "hybrid"])
def test_a_supernet_of_one_cell_has_the_weights_of_a_plain_training(make: Make, name: str) -> None:
    cell = str(canonical(read_cell(name)))
    training = make(cell)
    with torch.random.fork_rng():
        trainer, windows = training.trainer(cell, 4), training.windows(4)
        for step in range(4):
            share = rate(step, 4, TrainingSettings().warmup)
            trainer.step(step, windows(step), share)
    expected = trainer.model.state_dict()
    model, inherited = Supernet(training, 4 * 18, 4).model(cell)
    found = model.state_dict()
    assert inherited == 1.0
    assert found.keys() == expected.keys()
    for key, weight in expected.items():
        assert torch.equal(found[key], weight), key


def test_cells_with_a_part_in_common_have_its_very_weights(make: Make) -> None:
    supernet = Supernet(make(PLAIN, GATED), 10 * 18, 0)
    plain, _ = supernet.model(PLAIN)
    gated, _ = supernet.model(GATED)
    shared = {id(weight) for weight in plain.parameters()}
    alone = {name for name, weight in gated.named_parameters() if id(weight) not in shared}
    assert shared <= {id(weight) for weight in gated.parameters()}
    # What the second has for itself is its gate's map in two layers and directions.
    assert alone == {
        f"bilm.{way}_stack.blocks.{layer}.nodes.{GATE}.{weight}"
        for way in ("forward", "backward")
        for layer in (0, 1)
        for weight in ("maps.0.weight", "bias")
    }


def test_a_delayed_input_keeps_its_map_whatever_stands_before_it(make: Make) -> None:
    two, three = "c1/t:0/L:0,@2=2", "c1/t:0/L:0,1,@2=2"
    supernet = Supernet(make(two, three), 10 * 18, 0)
    second, third = (
        supernet.model(cell)[0].get_submodule("bilm.forward_stack.blocks.0.nodes.2")
        for cell in ("c1/t:0/L:1,@2=2", three)
    )
    assert second.maps[1].weight is third.maps[2].weight  # type: ignore[union-attr,index]


def test_every_weight_of_a_cell_has_a_place_of_its_own(make: Make) -> None:
    supernet = Supernet(make(PLAIN), 18, 0)
    rng = random.Random(1)
    for _ in range(12):
        cell = cell_space("small").sample(rng)
        at = places(parse(cell))
        assert len({*at.values()}) == len(at) == len(parse(cell).nodes)
        model = supernet._draw(cell, 1)
        lacking = supernet._adopt(model)
        supernet._tie(model)
        weights = [*model.parameters()]
        assert len({id(weight) for weight in weights}) == len(weights)
        assert {id(weight) for weight in lacking} <= {id(weight) for weight in weights}
        assert {id(w) for w in weights} <= {id(w) for w in supernet.weights.values()}


def test_the_places_of_a_cell() -> None:
    assert places(parse("c1/L:0,@2/t:1/L:0/s:3/m:2,4/L:0/m:5,6=7")) == {
        1: "@L at 1, 0",
        2: "t at 2, 0",
        3: "L at 1, 0",
        4: "s at 2, 0",
        5: "m at 3, 0",
        6: "L at 1, 1",
        7: "m at 4, 0",
    }


def test_all_cells_are_trained_in_turn(make: Make) -> None:
    training = make(PLAIN, GATED)
    before = untrained(training, GATED)
    supernet = Supernet(training, 12 * 18, 0)
    model, _ = supernet.model(GATED)
    gate = f"bilm.forward_stack.blocks.0.nodes.{GATE}.maps.0.weight"
    assert not torch.equal(model.get_parameter(gate), before.get_parameter(gate))
    optimiser = supernet._trainer.optimiser
    made = {key: int(optimiser.state[w]["step"]) for key, w in supernet.weights.items()}
    both = {steps for key, steps in made.items() if "_stack" not in key}
    # The gate's weights are moved by its own cell's steps alone: uniform draws of seed 0.
    draws = random.Random(0)
    gated = sum(int(draws.random() * 2) for _ in range(12))
    assert both == {12}
    assert 0 < gated < 12
    assert {steps for key, steps in made.items() if ": L at 1, 0" in key} == {gated}


def untrained(training: BriefTraining, cell: str) -> LanguageModel:
    with torch.random.fork_rng():
        return training.trainer(cell, 0).model


def test_to_ask_changes_nothing(make: Make) -> None:
    training = make(PLAIN)
    supernet = Supernet(training, 5 * 18, 0)
    before = {key: weight.detach().clone() for key, weight in supernet.weights.items()}
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    model, inherited = supernet.model(GATED)
    assert torch.equal(torch.rand(2), expected)
    assert supernet.weights.keys() == before.keys()
    assert all(torch.equal(supernet.weights[key], before[key]) for key in before)
    # Two maps of 8 x 8 and a bias of 8 are known, one map and a bias are not.
    assert inherited == pytest.approx((2 * 64 + 8) / (3 * 64 + 2 * 8))
    again, _ = supernet.model(GATED)
    loss = training.loss(model)
    assert loss == training.loss(again) == training.loss(supernet.model(GATED)[0])


def test_a_step_that_would_not_be_finite_is_not_made(make: Make) -> None:
    supernet = Supernet(make(PLAIN, learning_rate=1e30), 10 * 18, 0)
    assert 0 < supernet.refused < 10
    assert all(torch.isfinite(weight).all() for weight in supernet.weights.values())


def test_cells_without_the_width_are_passed_over(make: Make) -> None:
    four = "c1/n:0/A4:1/a:0,2=3"
    supernet = Supernet(make(PLAIN, four, dim=6), 5 * 18, 0)
    assert not any("A4" in key for key in supernet.weights)
    with pytest.raises(UsageError, match="no cell of drawn can have a width of 6"):
        Supernet(make(four, dim=6), 18, 0)
