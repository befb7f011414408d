"""Cells as modules: against an interpreter that goes word by word, and against torch's modules."""

from __future__ import annotations

import math
import random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from layerwise.core.errors import DataError
from layerwise.encoders.cell_execution import CellLayer, linear_recurrence
from layerwise.encoders.search.space.aliases import NAMES, read_cell
from layerwise.encoders.search.space.canonical import canonical
from layerwise.encoders.search.space.grammar import parse
from layerwise.encoders.search.space.sampling import Space, sample
from layerwise.encoders.search.space.schedule import Way, schedule
from layerwise.encoders.search.space.widths import parameters

torch.set_num_threads(1)
DIM, TIME = 8, 7
EVERY = "c1/K3d2:0/D2:1/Y3:2/A2w3:3/A4:4/E:5/G2:6/n:7/u:8/r:@9/g:9/q:11/L2:10,12,@0/L:13=14"
LINEAR = {
    "sum": "c1/a:0,@1=1",
    "any sign": "c1/L:0/m:1,@3/a:0,2=3",
    "twice": "c1/L:0/t:1/m:2,@5/a:0,@5,3/b:2,4,0=5",
    "the state before is the output": "c1/t:0/m:1,@3/a:0,2/a:@3,3=4",
    "one state at both ends": "c1/s:0/b:1,@3,@3/a:0,2=3",
}


def layer_of(text: str, seed: int = 0, scale: float = 0.5) -> CellLayer:
    """In double precision, with all weights drawn, biases too."""
    torch.manual_seed(seed)
    layer = CellLayer(parse(text), DIM).double().eval().requires_grad_(False)
    for weight in layer.parameters():
        weight.copy_(torch.randn_like(weight) * scale)
    return layer


def input_of(seed: int = 0, time: int = TIME) -> Tensor:
    torch.manual_seed(1000 + seed)
    return torch.randn(2, time, DIM, dtype=torch.float64)


def by_steps(layer: CellLayer, x: Tensor) -> Tensor:
    """The definition, word by word: each node from the values of all nodes up to this word."""
    values: list[list[Tensor]] = [[] for _ in range(len(layer.cell.nodes) + 1)]
    for t in range(x.shape[1]):
        values[0].append(x[:, t])
        for number, node in layer.cell.numbered():
            reads = []
            for ref in node.inputs:
                width = layer._widths[ref.node]
                zero = [x.new_zeros(len(x), width)]
                reads.append(zero + values[ref.node][:t] if ref.delayed else values[ref.node])
            weights = (
                dict(layer.nodes[str(number)].named_parameters())
                if str(number) in layer.nodes
                else {}
            )
            values[number].append(one(str(node.operation), weights, reads))
    return torch.stack(values[layer.cell.out], dim=1)


def one(operation: str, weights: dict[str, Tensor], reads: list[list[Tensor]]) -> Tensor:
    """One word of one node, from what each input has been so far."""
    now = [past[-1] for past in reads]
    x, past = now[0], reads[0]
    size, _, second = operation[1:].replace("d", " ").replace("w", " ").partition(" ")
    match operation[0]:
        case "L":
            return weights["bias"] + sum(
                each @ weights[f"maps.{place}.weight"].T for place, each in enumerate(now)
            )
        case "t":
            return torch.tanh(x)
        case "s":
            return 1 / (1 + torch.exp(-x))
        case "u":
            return torch.where(x > 0, x, 0.01 * x)
        case "r":
            return x.clamp(min=0)
        case "g":
            return x * (1 + torch.erf(x / math.sqrt(2))) / 2
        case "q":
            return x.clamp(min=0) ** 2
        case "a":
            return torch.stack(now).sum(dim=0)
        case "m":
            return torch.stack(now).prod(dim=0)
        case "b":
            return now[0] * now[1] + (1 - now[0]) * now[2]
        case "n":
            centred = x - x.mean(dim=1, keepdim=True)
            scaled = centred / (centred.pow(2).mean(dim=1, keepdim=True) + 1e-5).sqrt()
            return scaled * weights["weight"] + weights["bias"]
        case "K" | "D":
            kernel = weights["convolution.weight"]
            result = weights["convolution.bias"].expand_as(x)
            for k in range(int(size)):
                back = (int(size) - 1 - k) * int(second or 1)
                if back < len(past):
                    word, tap = past[-1 - back], kernel[:, :, k]
                    result = result + (word @ tap.T if operation[0] == "K" else word * tap[:, 0])
            return result
        case "Y":
            share = weights["kernel"].softmax(dim=1)
            return sum(
                past[-1 - back] * share[:, int(size) - 1 - back]
                for back in range(min(int(size), len(past)))
            )
        case "A":
            seen = torch.stack(past[-int(second or len(past)) :], dim=1)
            rows, bias = weights["query_key_value.weight"], weights["query_key_value.bias"]
            query, key, value = (seen @ rows.T + bias).chunk(3, dim=2)
            heads = []
            for q, k, v in zip(
                *(each.chunk(int(size), dim=2) for each in (query, key, value)), strict=True
            ):
                likeness = (k @ q[:, -1, :, None])[..., 0] / math.sqrt(q.shape[2])
                heads.append((likeness.softmax(dim=1)[..., None] * v).sum(dim=1))
            return torch.cat(heads, dim=1) @ weights["output.weight"].T + weights["output.bias"]
        case "E":
            mean = torch.stack(past).mean(dim=0)
            narrow = (mean @ weights["squeeze.weight"].T + weights["squeeze.bias"]).clamp(min=0)
            gate = narrow @ weights["excite.weight"].T + weights["excite.bias"]
            return x / (1 + torch.exp(-gate))
        case "G":
            return x @ torch.block_diag(*weights["weight"]).T + weights["bias"]
    raise AssertionError(operation)


def agree(layer: CellLayer, x: Tensor) -> None:
    torch.testing.assert_close(layer(x), by_steps(layer, x), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("text", [*NAMES.values(), EVERY, *LINEAR.values()])
def test_a_cell_is_what_its_definition_says_word_by_word(text: str) -> None:
    agree(layer_of(text), input_of())
    agree(layer_of(text), input_of(time=1))


SPACES = [
    Space(most=8, delayed=0.3),
    Space(("L", "a", "m", "b", "b", "t", "D3"), 3, 8, delayed=0.3),  # with more scans
]


@given(st.integers(0, 10**9))
@settings(max_examples=60, deadline=None)
def test_so_is_any_sampled_cell_and_it_sees_no_later_word(seed: int) -> None:
    layer = layer_of(str(sample(SPACES[seed % 2], random.Random(seed))), seed, 0.3)
    x = input_of(seed, time=5) / 2
    before = layer(x)
    torch.testing.assert_close(before, by_steps(layer, x), rtol=1e-6, atol=1e-6, equal_nan=True)
    changed = x.clone()
    changed[:, 3:] += 1
    torch.testing.assert_close(
        layer(changed)[:, :3], before[:, :3], rtol=1e-9, atol=1e-9, equal_nan=True
    )


def test_the_sampled_cells_go_all_ways() -> None:
    generator = random.Random(0)
    cells = [sample(space, generator) for space in SPACES for _ in range(80)]
    ways = [{stage.way for stage in schedule(cell)} for cell in cells]
    assert all(sum(way in each for each in ways) > 5 for way in Way)


@pytest.mark.parametrize("text", [*NAMES.values(), EVERY, *LINEAR.values()])
def test_float32_is_within_1e_5_and_gradients_reach_every_weight(text: str) -> None:
    layer = layer_of(text, scale=0.3)
    x = input_of(time=40)
    exact = layer(x)
    single = layer.float().requires_grad_(True)
    words = x.float().requires_grad_(True)
    found = single(words)
    assert found.dtype == torch.float32
    scale = exact.abs().max().clamp(min=1)
    assert ((found - exact).abs().max() / scale) < 1e-5
    found.pow(2).sum().backward()
    for name, weight in [*single.named_parameters(), ("input", words)]:
        assert weight.grad is not None and weight.grad.isfinite().all(), name
        assert weight.grad.abs().max() > 0, name


@pytest.mark.parametrize("text", NAMES.values())
def test_it_runs_where_products_have_less_precision(text: str) -> None:
    layer = layer_of(text).float()
    x = input_of().float()
    with torch.autocast("cpu", torch.bfloat16):
        found = layer(x)
    torch.testing.assert_close(found.float(), layer(x), rtol=0.1, atol=0.2)


@pytest.mark.parametrize("text", [*NAMES.values(), EVERY])
@pytest.mark.parametrize("wordsdim", [DIM, 5])
def test_it_has_as_many_weights_as_are_counted(text: str, wordsdim: int) -> None:
    cell = parse(text)
    recurrent = all(
        node.operation.letter == "L" for node in cell.nodes if any(r.node == 0 for r in node.inputs)
    )
    if wordsdim != DIM and not recurrent:
        with pytest.raises(DataError, match="cell"):
            CellLayer(cell, DIM, wordsdim)
        return
    layer = CellLayer(cell, DIM, wordsdim)
    assert sum(w.numel() for w in layer.parameters()) == parameters(cell, DIM, wordsdim)
    assert layer(torch.randn(2, 3, wordsdim)).shape == (2, 3, DIM)


def test_weights_are_drawn_and_nothing_vanishes_or_bursts() -> None:
    torch.manual_seed(0)
    x = torch.randn(4, 64, 64)
    for operation in ("L", "K3", "D3", "G4", "A4", "Y3", "E"):
        deviation = float(CellLayer(parse(f"c1/{operation}:0=1"), 64)(x).detach().std())
        assert 0.05 < deviation < 1.5, operation


def test_it_is_compiled_in_one_piece() -> None:
    layer = layer_of("c1/L:0,@2/t:1/b:0,2,@3=3")
    compiled = torch.compile(layer, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(input_of(time=3)), layer(input_of(time=3)))


def test_another_writing_of_a_cell_is_the_same_function() -> None:
    cell = read_cell("c1/K3:0/L:0,@4/s:2/b:3,@4,1=4")
    other = canonical(cell)
    assert other != cell
    ours, theirs = layer_of(str(cell)), layer_of(str(other))
    for number, node in cell.numbered():
        (twin,) = (n for n, each in other.numbered() if each.operation == node.operation)
        if str(number) in ours.nodes:
            theirs.nodes[str(twin)].load_state_dict(ours.nodes[str(number)].state_dict())
    torch.testing.assert_close(ours(input_of()), theirs(input_of()), rtol=1e-9, atol=1e-9)


class TestTorch:
    """The modules that the names stand for, with the same weights."""

    def test_lstm(self) -> None:
        self._gates("lstm", nn.LSTM(DIM, DIM, batch_first=True), (1, 3, 5, 7))

    def test_rnn(self) -> None:
        self._gates("rnn", nn.RNN(DIM, DIM, batch_first=True), (1,))

    def _gates(self, name: str, module: nn.Module, maps: tuple[int, ...]) -> None:
        layer, theirs = layer_of(NAMES[name]), module.double()
        nn.init.zeros_(theirs.bias_hh_l0)
        for place, number in enumerate(maps):
            rows = slice(place * DIM, (place + 1) * DIM)
            ours = layer.nodes[str(number)]
            theirs.weight_ih_l0.data[rows] = ours.maps[0].weight
            theirs.weight_hh_l0.data[rows] = ours.maps[1].weight
            theirs.bias_ih_l0.data[rows] = ours.bias
        same(layer, theirs(input_of())[0])

    def test_gru(self) -> None:
        layer, theirs = layer_of(NAMES["gru"]), nn.GRU(DIM, DIM, batch_first=True).double()
        nodes = layer.nodes
        into = [nodes["1"].maps[0].weight, nodes["3"].maps[0].weight, nodes["7"].maps[0].weight]
        state = [nodes["1"].maps[1].weight, nodes["3"].maps[1].weight, nodes["5"].maps[0].weight]
        theirs.weight_ih_l0.data = torch.cat(into)
        theirs.weight_hh_l0.data = torch.cat(state)
        theirs.bias_ih_l0.data = torch.cat([nodes["1"].bias, nodes["3"].bias, nodes["7"].bias])
        theirs.bias_hh_l0.data = torch.cat([torch.zeros(2 * DIM).double(), nodes["5"].bias])
        same(layer, theirs(input_of())[0])

    def test_gconv(self) -> None:
        layer, theirs = layer_of(NAMES["gconv"]), nn.Conv1d(DIM, 2 * DIM, 5).double()
        halves = [layer.nodes["1"].convolution, layer.nodes["2"].convolution]
        theirs.weight.data = torch.cat([half.weight for half in halves])
        theirs.bias.data = torch.cat([half.bias for half in halves])
        x = input_of()
        gated = F.glu(theirs(F.pad(x.transpose(1, 2), (4, 0))), dim=1).transpose(1, 2)
        same(layer, x + gated)

    @pytest.mark.filterwarnings("ignore:enable_nested_tensor")
    def test_attn(self) -> None:
        layer = layer_of(NAMES["attn"])
        theirs = nn.TransformerEncoderLayer(
            DIM, 4, 4 * DIM, 0.0, F.gelu, batch_first=True, norm_first=True
        ).double()
        nodes = layer.nodes
        theirs.load_state_dict(
            {
                "self_attn.in_proj_weight": nodes["2"].query_key_value.weight,
                "self_attn.in_proj_bias": nodes["2"].query_key_value.bias,
                "self_attn.out_proj.weight": nodes["2"].output.weight,
                "self_attn.out_proj.bias": nodes["2"].output.bias,
                "linear1.weight": nodes["5"].maps[0].weight,
                "linear1.bias": nodes["5"].bias,
                "linear2.weight": nodes["7"].maps[0].weight,
                "linear2.bias": nodes["7"].bias,
                **{f"norm1.{name}": weight for name, weight in nodes["1"].state_dict().items()},
                **{f"norm2.{name}": weight for name, weight in nodes["4"].state_dict().items()},
            }
        )
        mask = nn.Transformer.generate_square_subsequent_mask(TIME, dtype=torch.float64)
        same(layer, theirs(input_of(), src_mask=mask, is_causal=True))


def same(layer: CellLayer, theirs: Tensor) -> None:
    torch.testing.assert_close(layer(input_of()), theirs, rtol=0, atol=1e-9)
    single = layer.float()(input_of().float())
    torch.testing.assert_close(single, theirs.float(), rtol=0, atol=1e-5)


@pytest.mark.parametrize("time", [1, 2, 5, 8, 33])
def test_a_linear_recurrence_is_its_loop_whatever_the_factors(time: int) -> None:
    torch.manual_seed(time)
    factor = torch.randn(3, time, 4, dtype=torch.float64) * 1.5
    factor[0, ::3] = 0
    addend = torch.randn(3, time, 4, dtype=torch.float64)
    state, states = torch.zeros(3, 4, dtype=torch.float64), []
    for t in range(time):
        state = factor[:, t] * state + addend[:, t]
        states.append(state)
    expected = torch.stack(states, dim=1)
    torch.testing.assert_close(linear_recurrence(factor, addend), expected, rtol=1e-9, atol=1e-9)


def test_a_cell_that_cannot_be_run_is_refused() -> None:
    with pytest.raises(DataError, match=r"node 1 \(A3:0\): 3 heads cannot share a width of 8"):
        CellLayer(parse("c1/A3:0=1"), DIM)
    with pytest.raises(DataError, match="which is not before it"):
        CellLayer(parse("c1/t:1=1"), DIM)
