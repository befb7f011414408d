"""The softmaxes against each other, against brute force and against allennlp-light's."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from allennlp_light.modules.sampled_softmax_loss import SampledSoftmaxLoss
from torch import Tensor

from layerwise.core.errors import UsageError
from layerwise.encoders import output_layer
from layerwise.encoders.output_layer import AdaptiveSoftmax, FullSoftmax, SampledSoftmax, build

torch.set_num_threads(1)

DIM, VOCABULARY, WORDS = 16, 60, 300


@pytest.fixture(params=["full", "sampled", "adaptive"])
def layer(request: pytest.FixtureRequest) -> FullSoftmax | AdaptiveSoftmax:
    torch.manual_seed(0)
    made = build(request.param, DIM, VOCABULARY, 30)
    for weight in made.parameters():
        weight.data.normal_()
    return made


@pytest.fixture
def states() -> Tensor:
    return torch.randn(WORDS, DIM, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def targets() -> Tensor:
    return torch.randint(VOCABULARY, (WORDS,), generator=torch.Generator().manual_seed(2))


def distribution(layer: FullSoftmax | AdaptiveSoftmax, state: Tensor) -> list[float]:
    """The probability of each entry by itself, by hand and in double precision."""
    layer = layer.double()
    state = state.double()
    if isinstance(layer, FullSoftmax):
        scores = [float(row @ state + b) for row, b in zip(layer.weight, layer.bias, strict=True)]
        total = sum(math.exp(score) for score in scores)
        return [math.exp(score) / total for score in scores]
    torchs = layer.adaptive
    head = torch.softmax(torchs.head.weight @ state, dim=0).tolist()
    probabilities = head[: torchs.cutoffs[0]]
    for cluster, tail in enumerate(torchs.tail):
        inside = torch.softmax(tail[1].weight @ (tail[0].weight @ state), dim=0).tolist()
        probabilities += [head[torchs.cutoffs[0] + cluster] * p for p in inside]
    return probabilities


class TestSurprisal:
    def test_it_is_that_of_a_distribution_over_all_words(
        self, layer: FullSoftmax | AdaptiveSoftmax, states: Tensor, targets: Tensor
    ) -> None:
        with torch.no_grad():
            found = float(layer.surprisal(states, targets))
            total = 0.0
            for state, target in zip(states, targets, strict=True):
                probabilities = distribution(layer, state)
                assert sum(probabilities) == pytest.approx(1)
                assert len(probabilities) == VOCABULARY
                total -= math.log(probabilities[target])
        assert found == pytest.approx(total, rel=1e-6)

    def test_a_single_word_and_any_number_of_pieces_add_up(
        self, layer: FullSoftmax | AdaptiveSoftmax, states: Tensor, targets: Tensor
    ) -> None:
        with torch.no_grad():
            whole = float(layer.surprisal(states, targets))
            single = [
                float(layer.surprisal(states[i : i + 1], targets[i : i + 1])) for i in range(WORDS)
            ]
        assert whole == pytest.approx(sum(single), rel=1e-5)

    def test_half_precision_around_it_changes_it_little(
        self, layer: FullSoftmax | AdaptiveSoftmax, states: Tensor, targets: Tensor
    ) -> None:
        with torch.no_grad():
            whole = float(layer.surprisal(states, targets))
            with torch.autocast("cpu", torch.bfloat16):
                low = layer.surprisal(states.bfloat16(), targets)
        assert low.dtype == torch.float32
        assert float(low) == pytest.approx(whole, rel=1e-2)

    def test_full_and_adaptive_train_on_it(self, states: Tensor, targets: Tensor) -> None:
        for kind in ("full", "adaptive"):
            made = build(kind, DIM, VOCABULARY, 30)
            assert torch.equal(made.loss(states, targets), made.surprisal(states, targets))

    def test_a_first_guess_is_nearly_uniform(self, states: Tensor, targets: Tensor) -> None:
        made = FullSoftmax(DIM, VOCABULARY)
        made.start()
        mean = float(made.surprisal(states, targets).detach()) / WORDS
        assert mean == pytest.approx(math.log(VOCABULARY), abs=0.02)


class TestSampled:
    @pytest.fixture
    def layer(self) -> SampledSoftmax:
        torch.manual_seed(0)
        made = SampledSoftmax(DIM, VOCABULARY, 30)
        for weight in made.parameters():
            weight.data.normal_()
        return made

    def test_its_loss_is_that_of_allennlp_for_the_same_draws(
        self, layer: SampledSoftmax, states: Tensor, targets: Tensor
    ) -> None:
        oracle = SampledSoftmaxLoss(VOCABULARY, DIM, layer.samples)
        oracle.softmax_w.data.copy_(layer.weight)
        oracle.softmax_b.data.copy_(layer.bias)
        drawn = layer.draw(states.device)
        assert 5 < len(drawn) < layer.samples  # some came twice, not all are the same
        oracle.choice_func = lambda words, samples: (drawn.numpy(), samples)
        ours, theirs = states.clone().requires_grad_(), states.clone().requires_grad_()
        loss, expected = layer.loss_against(drawn, ours, targets), oracle(theirs, targets)
        assert float(loss.detach()) == pytest.approx(float(expected.detach()), rel=1e-5)
        loss.backward()
        expected.backward()
        assert torch.allclose(ours.grad, theirs.grad, atol=1e-4)
        assert torch.allclose(layer.weight.grad, oracle.softmax_w.grad, atol=1e-3)

    def test_its_loss_is_what_the_formula_says(
        self, layer: SampledSoftmax, states: Tensor, targets: Tensor
    ) -> None:
        drawn, total = layer.draw(states.device), 0.0
        for state, target in zip(states, targets.tolist(), strict=True):
            exponents = {}
            for word in {target, *drawn.tolist()}:
                once = math.log((word + 2) / (word + 1)) / math.log(VOCABULARY + 1)
                came = 1 - (1 - once) ** layer.samples
                score = float((layer.weight[word] @ state + layer.bias[word]).detach())
                exponents[word] = score - math.log(came)
            total -= exponents[target] - math.log(sum(map(math.exp, exponents.values())))
        found = float(layer.loss_against(drawn, states, targets).detach())
        assert found == pytest.approx(total, rel=1e-5)

    def test_with_very_many_draws_it_is_the_full_softmax(
        self, layer: SampledSoftmax, states: Tensor, targets: Tensor
    ) -> None:
        layer.samples = 100_000
        assert len(layer.draw(states.device)) == VOCABULARY
        with torch.no_grad():
            loss, full = layer.loss(states, targets), layer.surprisal(states, targets)
        assert float(loss) == pytest.approx(float(full), rel=1e-5)

    def test_words_come_as_often_as_their_chance_says(self, layer: SampledSoftmax) -> None:
        torch.manual_seed(3)
        rounds = 3000
        came = torch.zeros(VOCABULARY)
        for _ in range(rounds):
            came[layer.draw(came.device)] += 1
        chance = layer.log_chance(torch.arange(VOCABULARY)).exp().numpy()
        deviation = np.sqrt(chance * (1 - chance) / rounds)
        assert (np.abs(came.numpy() / rounds - chance) < 4.5 * deviation + 1e-6).all()
        assert chance[0] > 0.9 > chance[-1] > 0.01

    def test_a_rare_words_chance_keeps_its_digits(self) -> None:
        layer = SampledSoftmax(1, 800_000, 8192)
        once = np.log1p(1 / 800_000) / np.log(800_001)
        expected = np.log(-np.expm1(8192 * np.log1p(-once)))
        found = float(layer.log_chance(torch.tensor(799_999)))
        assert found == pytest.approx(float(expected), abs=1e-5)

    def test_draws_follow_torchs_seed_and_differ_between_calls(self, layer: SampledSoftmax) -> None:
        cpu = torch.device("cpu")
        torch.manual_seed(5)
        first, second = layer.draw(cpu), layer.draw(cpu)
        torch.manual_seed(5)
        assert torch.equal(layer.draw(cpu), first)
        assert not torch.equal(first, second)


class TestChoice:
    @pytest.mark.parametrize(
        ("dim", "vocabulary"), [(3, 1000), (2, 10), (16, 2)], ids=["narrow", "narrower", "few"]
    )
    def test_what_is_too_small_to_be_adaptive_is_told(self, dim: int, vocabulary: int) -> None:
        with pytest.raises(UsageError, match=r"--softmax adaptive: a width of .* too small"):
            build("adaptive", dim, vocabulary, 1)

    @pytest.mark.parametrize("vocabulary", [3, 4, 20, 41, 1000])
    def test_any_larger_vocabulary_can_be_adaptive(self, vocabulary: int) -> None:
        made = build("adaptive", 16, vocabulary, 1)
        with torch.no_grad():
            each = [
                float(made.surprisal(torch.ones(1, 16), torch.tensor([i])))
                for i in range(vocabulary)
            ]
        assert sum(math.exp(-surprisal) for surprisal in each) == pytest.approx(1, abs=1e-4)

    @pytest.mark.parametrize(("dim", "smaller"), [(64, 2.5), (512, 6)])
    def test_an_adaptive_one_is_smaller(self, dim: int, smaller: float) -> None:
        with torch.device("meta"):
            full, adaptive = (
                sum(weight.numel() for weight in build(kind, dim, 20_000, 1).parameters())
                for kind in ("full", "adaptive")
            )
        assert adaptive < full / smaller
        assert output_layer.FULL_UP_TO == 20_000
