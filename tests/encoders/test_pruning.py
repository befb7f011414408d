"""Masks: exact counts, torch's own pruning as the oracle, 2:4 by brute force."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import prune as torch_prune

from layerwise.core.errors import UsageError
from layerwise.encoders.pruning import (
    Scope,
    Score,
    keep_masks,
    lowest,
    two_of_four,
    weight_scores,
)

torch.set_num_threads(1)
SHAPES = [(7, 5), (4, 3, 2), (12, 8), (1, 1)]


def drawn(seed: int = 0) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator) for shape in SHAPES]


def masks_of(
    weights: list[Tensor], score: Score, scope: Scope, sparsity: float, seed: int = 0
) -> list[Tensor]:
    return keep_masks(weight_scores(weights, score, seed), scope, sparsity)


def torch_masks(weights: list[Tensor], count: int, scores: list[Tensor] | None) -> list[Tensor]:
    """What ``torch.nn.utils.prune.global_unstructured`` keeps; without scores by magnitude."""
    modules = []
    for weight in weights:
        module = nn.Module()
        module.register_parameter("weight", nn.Parameter(weight.clone()))
        modules.append(module)
    places = [(module, "weight") for module in modules]
    given = None if scores is None else dict(zip(places, scores, strict=True))
    torch_prune.global_unstructured(
        places, torch_prune.L1Unstructured, importance_scores=given, amount=count
    )
    return [module.get_buffer("weight_mask").bool() for module in modules]


@pytest.mark.parametrize("sparsity", [0.1, 0.5, 0.8, 0.99])
def test_global_magnitude_is_torchs(sparsity: float) -> None:
    weights = drawn()
    total = sum(weight.numel() for weight in weights)
    masks = masks_of(weights, "magnitude", "global", sparsity)
    for mine, theirs in zip(
        masks, torch_masks(weights, round(sparsity * total), None), strict=True
    ):
        assert torch.equal(mine, theirs)


@pytest.mark.parametrize("sparsity", [0.25, 0.5, 0.9])
def test_a_random_draw_is_torchs_with_these_scores(sparsity: float) -> None:
    weights = drawn()
    sizes = [weight.numel() for weight in weights]
    order = torch.randperm(sum(sizes), generator=torch.Generator().manual_seed(3)) + 1.0
    scores = [s.view(w.shape) for s, w in zip(order.split(sizes), weights, strict=True)]
    theirs = torch_masks(weights, round(sparsity * sum(sizes)), scores)
    masks = masks_of(weights, "random", "global", sparsity, seed=3)
    assert all(torch.equal(mine, other) for mine, other in zip(masks, theirs, strict=True))
    other = masks_of(weights, "random", "global", sparsity, seed=4)
    assert not all(torch.equal(a, b) for a, b in zip(masks, other, strict=True))


def test_a_random_draw_is_fair() -> None:
    weight = torch.ones(10)
    kept = sum(masks_of([weight], "random", "global", 0.3, seed)[0].int() for seed in range(400))
    # 400 draws of 0.7: a standard deviation of 9.2 about 280.
    assert bool(((kept - 280).abs() < 46).all())


@pytest.mark.parametrize("score", ["magnitude", "random"])
@pytest.mark.parametrize("scope", ["global", "layer"])
@pytest.mark.parametrize("sparsity", [0.0, 0.003, 0.37, 0.5, 0.9, 0.999])
def test_as_many_go_as_asked(score: Score, scope: Scope, sparsity: float) -> None:
    weights = drawn()
    masks = masks_of(weights, score, scope, sparsity)
    total = sum(weight.numel() for weight in weights)
    assert sum(int((~mask).sum()) for mask in masks) == round(sparsity * total)
    assert [mask.shape for mask in masks] == [weight.shape for weight in weights]
    if scope == "layer":
        for mask in masks:
            assert abs(int((~mask).sum()) - sparsity * mask.numel()) <= 1


def test_by_layer_each_tensor_loses_its_own_lowest() -> None:
    weights = [torch.tensor([4.0, -1.0, 3.0, 2.0]), torch.tensor([0.4, 0.1, -0.3, 0.2])]
    by_layer = masks_of(weights, "magnitude", "layer", 0.5)
    assert [mask.tolist() for mask in by_layer] == 2 * [[True, False, True, False]]
    together = masks_of(weights, "magnitude", "global", 0.5)
    assert [mask.tolist() for mask in together] == [[True] * 4, [False] * 4]


def test_equal_scores_go_by_place() -> None:
    assert lowest(torch.tensor([2.0, 1.0, 1.0, 0.0, 1.0]), 3).tolist() == [
        *(False, True, True, True, False)
    ]
    assert not lowest(torch.ones(3), 0).any() and lowest(torch.ones(3), 3).all()


@pytest.mark.parametrize("score", ["magnitude", "random"])
def test_zeros_are_counted_and_go_first(score: Score) -> None:
    weight = torch.tensor([0.0, 5.0, 0.0, 1.0, 2.0, 3.0, 4.0, 0.0, 6.0, 7.0])
    (mask,) = masks_of([weight], score, "global", 0.5)
    assert int((~mask).sum()) == 5 and not mask[weight == 0].any()
    with pytest.raises(UsageError, match=r"--sparsity 0.2: 3 of 10 weights are 0 already"):
        masks_of([weight], score, "global", 0.2)
    assert masks_of([weight], score, "global", 0.0)[0].all()


@pytest.mark.parametrize("sparsity", [-0.1, 1.0, float("nan")])
def test_a_share_is_a_share(sparsity: float) -> None:
    with pytest.raises(UsageError, match="at least 0 and less than 1"):
        masks_of(drawn(), "magnitude", "global", sparsity)


@pytest.mark.parametrize("axis, shape", [(0, (8, 3)), (1, (3, 8)), (1, (2, 4, 3))])
def test_two_of_four_by_brute_force(axis: int, shape: tuple[int, ...]) -> None:
    weight = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    (mask,) = two_of_four(weight_scores([weight], "magnitude"), [axis])
    rows, kept = weight.movedim(axis, -1).reshape(-1, 4), mask.movedim(axis, -1).reshape(-1, 4)
    for row, chosen in zip(rows.tolist(), kept.tolist(), strict=True):
        best = max(combinations(range(4), 2), key=lambda pair: sum(abs(row[i]) for i in pair))
        assert [i for i in range(4) if chosen[i]] == list(best)


def test_two_of_four_at_random_is_two_of_each_four() -> None:
    weight = torch.ones(50, 16)
    (mask,) = two_of_four(weight_scores([weight], "random", seed=1), [1])
    assert bool((mask.reshape(-1, 4).sum(dim=1) == 2).all())
    # All six pairs are drawn.
    assert len({tuple(row) for row in mask.reshape(-1, 4).tolist()}) == 6


def test_more_sparsity_prunes_all_that_less_did() -> None:
    shares = [masks_of(drawn(), "magnitude", "global", s) for s in (0.2, 0.5, 0.8)]
    for less, more in pairwise(shares):
        assert all(not (b & ~a).any() for a, b in zip(less, more, strict=True))
