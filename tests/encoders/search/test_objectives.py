"""What is counted is what is built, and what is joined keeps its order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest
import torch

from layerwise.core.errors import DataError, UsageError
from layerwise.encoders.bilm import BiLM, build_settings, count_parameters
from layerwise.encoders.search.objectives import Latency, Objectives, Parameters, Quality
from layerwise.encoders.search.protocols import Estimate, SearchSpace, Setting, Trial
from layerwise.encoders.search.space.aliases import ALIASES


class Space:
    """A space of one candidate."""

    name = "one"
    genes = (1,)

    def __init__(self, candidate: str = ALIASES["rnn"]) -> None:
        self.candidate = candidate

    def decode(self, genes: Sequence[int]) -> str:
        return self.candidate


def setting(**options: Any) -> Setting:
    return Setting(cast(SearchSpace, Space()), **options)


@pytest.mark.parametrize("name", ["lstm", "attn", "gconv", "hybrid"])
def test_parameters_are_those_of_the_stacks_that_are_built(name: str) -> None:
    found = Parameters(setting(dim=8, layers=3)).estimate(Trial(ALIASES[name]))
    model = BiLM(build_settings("cell", "tiny", {"dim": 8, "layers": 3, "cell": name}))
    built = count_parameters([model.forward_stack, model.backward_stack])
    assert found.losses == (built,) and found.measured


def test_latency_is_a_median_and_leaves_torch_as_it_was() -> None:
    threads, state = torch.get_num_threads(), torch.random.get_rng_state()
    latency = Latency(setting(dim=8))
    (fast,) = latency.estimate(Trial(ALIASES["mingru"])).losses
    (slow,) = latency.estimate(Trial(ALIASES["nasbench_lstm"])).losses  # 128 steps of a loop
    assert 0 < 2 * fast < slow < 1000
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.random.get_rng_state(), state)


def test_a_cell_that_cannot_have_the_width_is_told_of() -> None:
    for objective in (Latency(setting(dim=6)), Parameters(setting(dim=6))):
        with pytest.raises(DataError, match="4 heads cannot share a width of 6"):
            objective.estimate(Trial(ALIASES["attn"]))


def test_only_cells_can_be_counted_and_timed() -> None:
    digits = Setting(cast(SearchSpace, Space("012340")))
    with pytest.raises(UsageError, match="--objective latency: the candidates of one are no cells"):
        Latency(digits)
    with pytest.raises(UsageError, match="--objective parameters"):
        Parameters(digits)


class Constant:
    def __init__(self, loss: float, measured: bool, **details: Any) -> None:
        self.answer = Estimate((loss,), measured, details)
        self.remembered: list[tuple[float, int]] = []

    def estimate(self, trial: Trial, seed: int = 0) -> Estimate:
        return self.answer

    def remember(self, trial: Trial, estimate: Estimate, seed: int = 0) -> None:
        assert len(estimate.losses) == 1
        self.remembered.append((estimate.losses[0], seed))


def test_several_are_told_in_their_order() -> None:
    first, second = Constant(3.0, True, curve=[1]), Constant(1.0, False, curve=[2], more=3)
    both = Objectives([Quality("a", first), Quality("b", second)])
    found = both.estimate(Trial("c"))
    assert both.names == ("a", "b") and found.losses == (3.0, 1.0) and not found.measured
    assert found.details == {"curve": [1], "more": 3}
    both.remember(Trial("c"), found, 7)
    assert first.remembered == [(3.0, 7)] and second.remembered == [(1.0, 7)]
