"""The seven variants: their categories, their weights, what they see, and that search holds them.

That each is computed as it is defined, word by word, and sees no later word is tested with all
named cells: ``tests/encoders/test_cell_execution.py`` and ``test_cell.py``.
"""

from __future__ import annotations

import random

import pytest
import torch

from layerwise.encoders.bilm import BiLM, build_settings, count_parameters
from layerwise.encoders.cell_execution import CellLayer
from layerwise.encoders.search.cell_space import cell_space
from layerwise.encoders.search.space.aliases import ALIASES, DESCRIPTIONS, NAMES, read_cell
from layerwise.encoders.search.space.canonical import canonical
from layerwise.encoders.search.space.convolution_variants import (
    LEAST_WIDTH,
    OPERATIONS,
    PLAIN,
    TOLERANCE,
    VARIANTS,
    parameter_ratio,
)
from layerwise.encoders.search.space.grammar import parse
from layerwise.encoders.search.space.schedule import Way, schedule

CELLS = {variant.name: variant.cell for variant in VARIANTS}
by_name = pytest.mark.parametrize("name", CELLS)


def test_there_is_one_of_each_category_of_the_survey() -> None:
    assert [variant.category for variant in VARIANTS] == [
        "spatial exploitation",
        "depth",
        "multi-path",
        "width",
        "feature-map exploitation",
        "channel boosting",
        "attention",
    ]
    assert len({str(canonical(parse(cell))) for cell in (PLAIN, *CELLS.values())}) == 8


def test_names_are_described_and_landmarks_stay_as_they_were() -> None:
    assert set(NAMES) == set(DESCRIPTIONS) == {*ALIASES, *CELLS}
    assert ALIASES["gconv"] == PLAIN and not set(ALIASES) & set(CELLS)


def built_weights(cell: str, dim: int, layers: int) -> int:
    """As torch counts them in both directions of a biLM."""
    with torch.device("meta"):
        model = BiLM(build_settings("cell", "small", {"dim": dim, "layers": layers, "cell": cell}))
    return count_parameters([model.forward_stack, model.backward_stack])


@by_name
@pytest.mark.parametrize(("dim", "layers"), [(LEAST_WIDTH, 2), (64, 4), (128, 1)])
def test_stacks_have_the_weights_of_the_plain_one(name: str, dim: int, layers: int) -> None:
    ratio = built_weights(name, dim, layers) / built_weights("gconv", dim, layers)
    assert abs(ratio - 1) <= TOLERANCE
    assert parameter_ratio(parse(CELLS[name]), dim) == pytest.approx(ratio, abs=1e-12)


@by_name
def test_no_width_is_out_of_the_tolerance(name: str) -> None:
    cell = parse(CELLS[name])
    ratios = [parameter_ratio(cell, width) for width in range(LEAST_WIDTH, 2049, 4)]
    assert 1 - TOLERANCE <= min(ratios) and max(ratios) <= 1 + TOLERANCE


SEEN = {  # words before the present one that one layer sees, by hand
    "gconv-dilated": {*range(5), 8, 12, 16},
    "gconv-highway": set(range(4)),  # 2 words, and 3 of those
    "gconv-fractal": set(range(3)),
    "gconv-inception": set(range(4)),
    "gconv-squeeze": set(range(20)),  # the mean is of all words
    "gconv-boosted": set(range(5)),
    "gconv-attention": set(range(20)),
}


@by_name
def test_a_layer_sees_these_words_and_no_later_one(name: str) -> None:
    torch.manual_seed(0)
    layer = CellLayer(parse(CELLS[name]), LEAST_WIDTH).double()
    x = torch.randn(1, 24, LEAST_WIDTH, dtype=torch.float64, requires_grad=True)
    layer(x)[0, 19].sum().backward()
    assert x.grad is not None
    felt = x.grad[0].abs().amax(dim=1) > 1e-12  # (words,)
    assert {19 - int(word) for word in felt.nonzero()} == SEEN[name]


@by_name
def test_nothing_is_computed_word_by_word(name: str) -> None:
    assert {stage.way for stage in schedule(parse(CELLS[name]))} == {Way.PARALLEL}


@by_name
def test_a_search_can_hold_change_and_cross_it(name: str) -> None:
    space, rng = cell_space("convolution"), random.Random(0)
    cell = space.read(name)
    assert cell == str(canonical(read_cell(name)))
    children = {space.mutate(cell, rng) for _ in range(8)}
    children |= {space.cross(cell, space.read("gconv"), rng) for _ in range(4)}
    assert len(children) > 4
    assert all(space.read(child) == child for child in children)


def test_the_space_draws_causal_cells_without_recurrence() -> None:
    space, rng = cell_space("convolution"), random.Random(0)
    drawn = {space.sample(rng) for _ in range(20)}
    assert len(drawn) > 15 and not any("@" in cell for cell in drawn)
    used = {str(node.operation) for cell in CELLS.values() for node in parse(cell).nodes}
    assert used <= set(OPERATIONS)


def test_a_search_reaches_variants_from_the_plain_one_by_changes() -> None:
    """Of the space's own changes, one makes the dilated variant's kind of cell."""
    space, rng = cell_space("convolution"), random.Random(0)
    plain = space.read("gconv")
    children = {space.mutate(plain, rng) for _ in range(300)}
    assert space.read("gconv-dilated") in children
