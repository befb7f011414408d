"""Counts against torch's own counter, the modules' weights and chains followed by hand."""

from __future__ import annotations

import random
from functools import cache

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from layerwise.core.errors import DataError
from layerwise.encoders.cell_execution import CellLayer
from layerwise.encoders.search.cell_space import cell_space
from layerwise.encoders.search.cost_features import (
    DEPTH,
    HAT_COLUMNS,
    MULTIPLICATIONS,
    WEIGHTS,
    Shape,
    cell_features,
    encoder_features,
    serial_depth,
    transformer_features,
)
from layerwise.encoders.search.space.aliases import ALIASES
from layerwise.encoders.search.space.grammar import Cell, parse
from layerwise.encoders.search.space.graph import components
from layerwise.encoders.search.space.schedule import Way, schedule

ONE = Shape(dim=16, layers=1, length=12, batch=3, directions=1)


class TestMultiplications:
    @pytest.mark.parametrize(
        "text",
        [
            *("c1/L4:0/L:1=2", "c1/K3:0=1", "c1/K3d2:0=1", "c1/D5:0=1", "c1/Y4:0=1", "c1/E:0=1"),
            *("c1/G4:0=1", "c1/A2:0=1", "c1/A4w3:0=1", "c1/L:0,@2/t:1=2", ALIASES["lstm"]),
            *(ALIASES["gru"], ALIASES["mingru"], ALIASES["attn"], ALIASES["hybrid"]),
        ],
    )
    def test_are_half_of_what_torch_counts(self, text: str) -> None:
        layer = CellLayer(parse(text), ONE.dim).eval()
        # The kernel that writes its products out is the one that torch's counter sees.
        with (
            FlopCounterMode(display=False) as counter,
            torch.inference_mode(),
            torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH),
        ):
            layer(torch.zeros(ONE.batch, ONE.length, ONE.dim))
        told = cell_features(parse(text), ONE).get(MULTIPLICATIONS, 0)
        assert told == counter.get_total_flops() / 2

    def test_in_loops_are_those_of_the_loop(self) -> None:
        told = cell_features(parse("c1/L:0/L:1,@3/t:2=3"), ONE)
        assert told[f"{MULTIPLICATIONS} in loops"] == 2 * 16 * 16 * 36
        assert told[MULTIPLICATIONS] == 3 * 16 * 16 * 36


class TestCounts:
    def test_by_hand(self) -> None:
        told = cell_features(parse("c1/L:0,@2/t:1=2"), ONE)
        assert told == {
            **{"loops": 1, "states": 12, "steps of L": 12, "steps of t": 12},
            **{"step inputs of L": 24, "delayed reads": 1, "values": 2 * 36 * 16},
            **{MULTIPLICATIONS: 2 * 256 * 36, f"{MULTIPLICATIONS} in loops": 2 * 256 * 36},
            **{f"{MULTIPLICATIONS} a thread": 2 * 256 * 36, "values a thread": 2 * 36 * 16},
            **{WEIGHTS: 2 * 256 + 16, DEPTH: 24},
        }

    def test_weights_are_those_of_the_modules(self) -> None:
        shape = Shape(dim=16, layers=3, directions=2)
        for text in ("lstm", "attn", "hybrid"):
            layer = CellLayer(parse(ALIASES[text]), 16)
            held = sum(weight.numel() for weight in layer.parameters())
            assert cell_features(parse(ALIASES[text]), shape)[WEIGHTS] == 6 * held

    def test_stacks_add_up_and_threads_share(self) -> None:
        cell = parse(ALIASES["hybrid"])
        one = cell_features(cell, ONE)
        six = cell_features(cell, ONE._replace(layers=3, directions=2, threads=2))
        for name, count in one.items():
            share = 3 if name.endswith("a thread") else 6
            assert six[name] == share * count, name

    def test_an_impossible_width_is_told(self) -> None:
        with pytest.raises(DataError, match="4 heads cannot share"):
            cell_features(parse("c1/A4:0=1"), ONE._replace(dim=18))


class TestSerialDepth:
    @pytest.mark.parametrize(
        ("text", "depth"),
        [
            ("c1/t:0/s:0/m:1,2=3", 2),
            ("c1/L:0,@2/t:1=2", 2 * 10),
            # The state is read back before the end: one call a word, and two behind the last.
            ("c1/L:0,@1/t:1/s:2=3", 10 + 2),
            ("c1/t:@1=1", 10),
            ("c1/a:0,@2/m:1,0=2", 1 + 4),  # scanned: 10 words in 4 doublings
        ],
    )
    def test_by_hand(self, text: str, depth: int) -> None:
        assert serial_depth(parse(text), 10) == depth

    def test_is_the_longest_way_back_through_the_calls(self) -> None:
        space, rng = cell_space("recurrent"), random.Random(1)
        loops = 0
        for _ in range(30):
            cell = parse(space.sample(rng))
            if not any(stage.way is Way.SCAN for stage in schedule(cell)):
                assert serial_depth(cell, 5) == longest(cell, 5), cell
                loops += any(stage.way is Way.STEPS for stage in schedule(cell))
        assert loops > 2
        # A loop whose state is read in its middle.
        cell = parse("c1/L:0,@2/t:1/s:2/L:3,@4=4")
        assert serial_depth(cell, 7) == longest(cell, 7) == 14 + 1 + 7


def longest(cell: Cell, words: int) -> int:
    """The longest way, followed back from each call: of a node in a loop there is one a word."""
    loop_of = {
        number: component.nodes
        for component in components(cell)
        if component.loop
        for number in component.nodes
    }

    @cache
    def ends(number: int, word: int) -> int:
        if number == 0 or word < 0:
            return 0
        mine = loop_of.get(number, ())
        reads = cell.nodes[number - 1].inputs
        # A loop begins when what it reads from outside has been computed for all words.
        outside = [
            ends(ref.node, words - 1)
            for node in mine or (number,)
            for ref in cell.nodes[node - 1].inputs
            if ref.node not in mine
        ]
        inside = [ends(ref.node, word - ref.delayed) for ref in reads if ref.node in mine]
        return 1 + max([*outside, *inside])

    return max(ends(number, words - 1) for number in range(1, len(cell.nodes) + 1))


ROW = dict(
    zip(HAT_COLUMNS, (512.0, 6.0, 1024.0, 4.0, 640.0, 2.0, 2048.0, 8.0, 4.0, 1.0), strict=True)
)


class TestTransformer:
    def test_weights_are_those_of_torchs_layers(self) -> None:
        """Of square attention: at a width of 512 torch's layers are HAT's."""
        row = ROW | {"decoder_embed_dim": 512.0}
        with torch.device("meta"):
            encoder = torch.nn.TransformerEncoderLayer(512, 4, 1024)
            decoder = torch.nn.TransformerDecoderLayer(512, 8, 2048)
        sizes = [
            sum(weight.numel() for weight in layer.parameters() if weight.dim() > 1)
            for layer in (encoder, decoder)
        ]
        assert transformer_features(row)[WEIGHTS] == 6 * sizes[0] + 2 * sizes[1]

    def test_multiplications_by_hand(self) -> None:
        told = transformer_features(ROW, words=10)
        encoder = 6 * (4 * 512 * 512 + 2 * 512 * 1024)
        decoder = 2 * (6 * 640 * 512 + 2 * 512 * 512 + 2 * 640 * 2048)
        scores = 2 * 10 * 512 * (6 + 2 + 2)
        assert told[MULTIPLICATIONS] == 10 * (encoder + decoder + scores)
        assert told[DEPTH] == 6 + 20


class TestEncoder:
    def test_layers_beyond_the_first_are_counted_apart(self) -> None:
        told = encoder_features("lstm", layer=2, batch=4, length=10, threads=2, device="cpu")
        assert told == {
            **{"lstm, cpu, input": 1, "lstm, cpu, input words": 20},
            **{"lstm, cpu, layers": 2, "lstm, cpu, layer words": 40},
            **{"lstm, cpu, layer steps": 20, "lstm, cpu, layer pairs of words": 400},
        }
