"""Times of layers, by clocks that the tests set: known costs, and operators counted as time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from layerwise.core.types import Document, Sentence
from layerwise.encoders.base import EncoderOptions
from layerwise.encoders.bilm import BiLM, BiLMSettings
from layerwise.encoders.bilm_encoder import BiLMEncoder
from layerwise.encoders.character_cnn import CharacterSettings
from layerwise.encoders.stages import find_marks
from layerwise.encoders.stopwatch import CudaClock, HostClock
from layerwise.encoders.timing import TimedBatch, Timing, reach

torch.set_num_threads(1)
WORDS = "the old man saw a house near the river and went home internationally".split()
TEXT = Document("a", (Sentence.from_words(WORDS),))
STACKS: dict[str, dict[str, Any]] = {
    "transformer": {"dim": 8, "heads": 2, "feed_forward": 12},
    "lstm": {"dim": 8, "hidden": 12},
    "gated_cnn": {"dim": 8},
}


class Costly(nn.Module):
    """Moves the clock by ``cost`` and adds ``cost`` to its input."""

    def __init__(self, cuda: Any, cost: float) -> None:
        super().__init__()
        self.cuda, self.cost = cuda, cost

    def forward(self, x: Tensor) -> Tensor:
        self.cuda.now += self.cost
        self.cuda.log.append(f"work {self.cost:g}")
        return x + self.cost


class Stack(nn.Module):
    """Blocks one after the other, and a head that no layer needs."""

    def __init__(self, cuda: Any, costs: Sequence[float], head: float) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Costly(cuda, cost) for cost in costs)
        self.head = Costly(cuda, head)

    def forward(self, x: Tensor) -> list[Tensor]:
        states = []
        for block in self.blocks:
            x = block(x)
            states.append(x)
        self.head(x)
        return states


class Known:
    """A biLM whose modules cost what they are told; ``encode`` costs 1000 around them."""

    name, dim, parameters, final_norm, fingerprint = "known", 4, 1, False, "f" * 64
    layer_names = ("characters", "block 1", "block 2")

    def __init__(self, cuda: Any) -> None:
        self.cuda = cuda
        self.characters = Costly(cuda, 5)
        self.between = Costly(cuda, 4)  # makes no sum of others' costs
        self.ahead = Stack(cuda, (1, 2), head=50)
        self.back = Stack(cuda, (10, 20), head=60)

    def encode(self, documents: Sequence[Document]) -> Iterator[NDArray[np.float32]]:
        for document in documents:
            self.cuda.now += 700
            random = torch.Generator().manual_seed(len(document))
            words = torch.rand(len(document), 2, generator=random)
            with torch.inference_mode():
                vectors = self.characters(words)
                self.between(vectors)
                left, right = self.ahead(vectors), self.back(vectors.flip(0))
            layers = [torch.cat([vectors, vectors], dim=1)]
            layers += [torch.cat([a, b.flip(0)], dim=1) for a, b in zip(left, right, strict=True)]
            self.cuda.now += 300
            yield torch.stack(layers).numpy()


class TestKnownCosts:
    @pytest.fixture
    def timed(self, cuda: Any) -> TimedBatch:
        encoder = Known(cuda)
        marks = find_marks(encoder, TEXT)
        assert marks is not None
        return TimedBatch(encoder, [TEXT], marks, CudaClock(cuda.device, cuda))

    def test_a_layer_costs_what_both_directions_spend_up_to_it(self, timed: TimedBatch) -> None:
        for _ in range(3):
            timed.visit()
        found = timed.result()
        # Characters; what comes between is needed by what follows; the heads by no layer.
        assert found.layers is not None and found.layers.tolist() == [[5, 20, 42]] * 3
        assert found.forward is not None and found.forward.tolist() == [152] * 3
        assert found.marked is not None and found.marked.tolist() == [152] * 3
        assert found.reached is found.layers and found.calls == 4

    def test_what_lies_around_the_model_is_not_in_its_time(self, timed: TimedBatch) -> None:
        timed.visit()
        found = timed.result()
        assert found.forward is not None and found.forward[0] == 152  # not 1152

    def test_nothing_waits_inside_what_is_measured(self, cuda: Any, timed: TimedBatch) -> None:
        cuda.log.clear()
        timed.visit()
        log = (entry.partition(" for ")[0] for entry in cuda.log if entry != "read")
        passes = " ".join(log).replace("wait wait", "wait | wait").split(" | ")
        work = "work 5", "work 4", "work 1", "work 2", "work 50", "work 10", "work 20", "work 60"
        encode, forward, layers = (turn.removesuffix(" ") for turn in passes)
        assert encode == f"wait {' '.join(work)} wait"
        assert forward == f"wait record {' '.join(work)} record wait"
        assert layers == (
            "wait record work 5 record record work 4 record work 1 record work 2 record work 50 "
            "record work 10 record work 20 record work 60 record wait"
        )

    def test_a_visit_that_is_not_kept_leaves_no_sample(self, timed: TimedBatch) -> None:
        timed.visit(keep=False)
        timed.visit()
        assert timed.result().encode.shape == (1,)

    def test_no_hook_stays_behind(self, timed: TimedBatch) -> None:
        timed.visit()
        encoder: Any = timed._encoder
        for root in (encoder.characters, encoder.between, encoder.ahead, encoder.back):
            for module in root.modules():
                assert not module._forward_hooks and not module._forward_pre_hooks

    def test_nor_after_a_failure(self, timed: TimedBatch) -> None:
        encoder: Any = timed._encoder
        encoder.characters.cost = None
        with pytest.raises(TypeError):
            timed.visit()
        assert not encoder.characters._forward_hooks and not encoder.characters._forward_pre_hooks

    def test_the_layers_unknown_the_whole_is_measured(self, cuda: Any) -> None:
        timed = TimedBatch(Known(cuda), [TEXT], None, CudaClock(cuda.device, cuda))
        timed.visit()
        found = timed.result()
        assert found.layers is None and found.marked is None
        assert found.reached.tolist() == [[152]]

    def test_without_modules_all_of_encode_is_measured(self, cuda: Any) -> None:
        class Plain(Known):
            def encode(self, documents: Sequence[Document]) -> Iterator[NDArray[np.float32]]:
                yield from (np.zeros((3, len(d), 4), np.float32) for d in documents)

        timed = TimedBatch(Plain(cuda), [TEXT], None, HostClock())
        timed.visit()
        found = timed.result()
        assert found.calls == 0 and found.forward is None and found.prepare is None
        assert found.inspection is None and found.precision == ""
        np.testing.assert_array_equal(found.reached, found.encode[:, None])
        assert found.encode[0] > 0


class Operators(TorchDispatchMode):
    """A clock that counts the operators that torch was given: the same in every pass."""

    hardware = name = "operators"

    def __init__(self) -> None:
        super().__init__()
        self.now = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.now += 1
        return func(*args, **(kwargs or {}))

    def settle(self) -> None:
        pass

    def mark(self) -> int:
        return self.now

    def read(self, marks: Sequence[int]) -> list[float]:
        return [float(mark - marks[0]) for mark in marks]


def bilm(architecture: str, layers: int, window: int = 64) -> BiLMEncoder:
    torch.manual_seed(1)
    settings = BiLMSettings(
        architecture=architecture,
        stack={**STACKS[architecture], "layers": layers},
        characters=CharacterSettings(embedding=4, filters=((1, 4), (3, 6))),
        window=window,
    )
    return BiLMEncoder("mine", BiLM(settings), EncoderOptions(batch_words=1000))


def counted(encoder: BiLMEncoder, batch: int = 2) -> Timing:
    """Its times, in operators."""
    marks = find_marks(encoder, TEXT)
    clock: Any = Operators()
    timed = TimedBatch(encoder, [TEXT] * batch, marks, clock)
    with clock:
        for _ in range(2):
            timed.visit()
    return timed.result()


@pytest.mark.parametrize("architecture", STACKS)
class TestOperators:
    def test_reaching_a_layer_costs_what_a_model_of_so_many_layers_does(
        self, architecture: str
    ) -> None:
        deep = counted(bilm(architecture, 4))
        assert deep.layers is not None
        np.testing.assert_array_equal(deep.layers[0], deep.layers[1])
        for layers in (1, 2, 3, 4):
            shallow = counted(bilm(architecture, layers)).forward
            assert shallow is not None
            # After its last layer a shallow transformer has a norm in each direction, and every
            # convolution turns its states back to the encoder's layout.
            after = {"lstm": 0, "transformer": 2 * (layers < 4), "gated_cnn": 2}[architecture]
            assert shallow[0] - deep.layers[0][layers] == after

    def test_the_last_layer_costs_the_plain_pass_and_marks_cost_nothing(
        self, architecture: str
    ) -> None:
        found = counted(bilm(architecture, 3))
        assert found.layers is not None and found.forward is not None
        np.testing.assert_array_equal(found.marked, found.forward)
        tail = found.forward - found.layers[:, -1]
        # The convolutions' states are turned back to the encoder's layout after the last block.
        assert (tail == (2 if architecture == "gated_cnn" else 0)).all()

    def test_times_grow_from_layer_to_layer(self, architecture: str) -> None:
        layers = counted(bilm(architecture, 4)).layers
        assert layers is not None and layers.shape == (2, 5)
        assert (np.diff(layers, axis=1) > 0).all() and (layers[:, 0] > 0).all()


class TestRealClock:
    @pytest.mark.parametrize("architecture", STACKS)
    def test_samples_are_ordered_whatever_the_machine_does(self, architecture: str) -> None:
        encoder = bilm(architecture, 3)
        timed = TimedBatch(encoder, [TEXT] * 3, find_marks(encoder, TEXT), HostClock())
        for _ in range(4):
            timed.visit()
        found = timed.result()
        assert found.layers is not None and found.marked is not None
        assert found.prepare is not None and found.processor is not None
        assert (np.diff(found.layers, axis=1) > 0).all()
        assert (found.layers[:, -1] <= found.marked).all()
        assert ((found.prepare > 0) & (found.prepare < found.encode)).all()
        assert (found.processor > 0).all()
        assert found.precision == "float32"
        assert found.inspection is not None and found.inspection.peak_bytes > 0

    def test_a_long_text_goes_through_windows(self) -> None:
        encoder = bilm("transformer", 2, window=6)
        timed = TimedBatch(encoder, [TEXT], find_marks(encoder, TEXT), HostClock())
        timed.visit()
        ahead = timed._calls[1].args[0]
        assert ahead.shape[0] == encoder.input_report([TEXT])["windows"] > 1

    def test_measuring_changes_no_vector(self) -> None:
        encoder = bilm("lstm", 2)
        (before,) = encoder.encode([TEXT])
        timed = TimedBatch(encoder, [TEXT], find_marks(encoder, TEXT), HostClock())
        timed.visit()
        timed.result()
        (after,) = encoder.encode([TEXT])
        np.testing.assert_array_equal(before, after)


class TestReach:
    def test_one_call_of_all_layers(self) -> None:
        assert reach([None, 0, 1, 2, None], [0, 1, 3, 6, 10], 3) == [1, 3, 6]

    def test_layers_of_two_calls_add_up(self) -> None:
        stamps = [None, 1, 2, None, 1, 2, None]
        assert reach(stamps, [0, 1, 3, 3, 13, 33, 33], 3) == [0, 11, 33]

    def test_a_call_without_layers_is_for_the_next(self) -> None:
        assert reach([None, None, 0, None, None, 1, None], [0, 4, 5, 5, 7, 8, 9], 2) == [5, 8]

    def test_what_follows_the_last_layer_is_for_none(self) -> None:
        assert reach([None, 0, None, None], [0, 1, 50, 99], 1) == [1]

    def test_chunks_of_one_layer_after_the_other(self) -> None:
        stamps = [None, 1, None, 2, None, 1, None, 2, None]
        assert reach(stamps, [0, 1, 1, 3, 3, 4, 4, 6, 6], 3) == [0, 2, 6]
