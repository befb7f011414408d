"""The LSTM stack: its size, allennlp-light's cell and torch's own LSTM as oracles, what binds."""

from __future__ import annotations

import copy
import io

import pytest
import torch
from allennlp_light.modules.lstm_cell_with_projection import LstmCellWithProjection
from pydantic import ValidationError
from torch import Tensor, nn

from layerwise.encoders.bilm import BiLM, build_settings, count_parameters
from layerwise.encoders.lstm import LSTM, Layer

torch.set_num_threads(1)
DIM, HIDDEN = 6, 10
CLIPS = [(0.0, 0.0), (0.3, 0.0), (0.0, 0.05), (0.3, 0.05)]


def draw(module: nn.Module, scale: float = 0.5) -> None:
    with torch.no_grad():
        for weight in module.parameters():
            weight.copy_(torch.randn_like(weight) * scale)


def layer_of(cell_clip: float = 0.0, projection_clip: float = 0.0, skip: bool = False) -> Layer:
    torch.manual_seed(5)
    settings = LSTM(dim=DIM, hidden=HIDDEN, cell_clip=cell_clip, projection_clip=projection_clip)
    layer = Layer(settings, skip=skip).eval()
    draw(layer)
    return layer


def published(layer: Layer) -> LstmCellWithProjection:
    """allennlp-light's cell with the layer's weights."""
    cell = LstmCellWithProjection(
        DIM,
        DIM,
        HIDDEN,
        memory_cell_clip_value=layer.cell_clip,
        state_projection_clip_value=layer.projection_clip,
    )
    cell.load_state_dict(
        {
            "input_linearity.weight": layer.lstm.weight_ih_l0,
            "state_linearity.weight": layer.lstm.weight_hh_l0,
            "state_linearity.bias": layer.lstm.bias_ih_l0,
            "state_projection.weight": layer.lstm.weight_hr_l0,
        }
    )
    return cell.eval()


@pytest.mark.parametrize(("layers", "millions"), [(2, 75.56), (4, 151.13)])
def test_the_published_stacks_have_their_published_size(layers: int, millions: float) -> None:
    with torch.device("meta"):
        model = BiLM(build_settings("lstm", "paper", {"layers": layers}))
    size = count_parameters([model.forward_stack, model.backward_stack])
    assert round(size / 1e6, 2) == millions  # Peters et al. 2018, table 1: 76 M and 151 M


@pytest.mark.parametrize(("cell_clip", "projection_clip"), CLIPS)
def test_it_computes_what_allennlp_lights_cell_does(
    cell_clip: float, projection_clip: float
) -> None:
    layer = layer_of(cell_clip, projection_clip)
    words = torch.randn(3, 7, DIM) * 2
    ours, (state, cell) = layer(words)
    theirs, (their_state, their_cell) = published(layer)(words, [7, 7, 7])
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)
    torch.testing.assert_close(state, their_state[0], rtol=0, atol=1e-6)
    torch.testing.assert_close(cell, their_cell[0], rtol=0, atol=1e-6)


def test_so_do_its_gradients() -> None:
    layer = layer_of(0.3, 0.05)
    cell = published(layer)
    words = torch.randn(2, 5, DIM)
    layer(words)[0].pow(2).sum().backward()
    cell(words, [5, 5])[0].pow(2).sum().backward()
    for ours, theirs in (
        (layer.lstm.weight_ih_l0, cell.input_linearity.weight),
        (layer.lstm.weight_hh_l0, cell.state_linearity.weight),
        (layer.lstm.bias_ih_l0, cell.state_linearity.bias),
        (layer.lstm.weight_hr_l0, cell.state_projection.weight),
    ):
        assert ours.grad is not None
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("clip", [0.0, 0.1])
def test_a_clip_binds_or_is_not_there(clip: float) -> None:
    words = torch.randn(2, 6, DIM) * 3
    free, (_, free_cell) = layer_of()(words)
    states, (_, cell) = layer_of(clip, clip)(words)
    if clip:
        assert states.abs().max() <= clip < free.abs().max()
        assert cell.abs().max() <= clip < free_cell.abs().max()
    else:
        assert torch.equal(states, free)


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
def test_torchs_kernel_and_our_steps_agree() -> None:
    layer = layer_of()
    words = torch.randn(3, 8, DIM)
    for first in (None, (torch.randn(3, DIM), torch.randn(3, HIDDEN))):
        fused, fused_last = layer._fused(words, first)
        steps, last = layer._steps(words, first)
        torch.testing.assert_close(fused, steps, rtol=0, atol=1e-6)
        torch.testing.assert_close(fused_last, last, rtol=0, atol=1e-6)


def test_the_kernel_is_for_gpus_and_for_layers_without_clips() -> None:
    class OnGpu(Tensor):
        is_cuda = True  # type: ignore[assignment]

    here, there = torch.randn(1, 2, DIM), torch.randn(1, 2, DIM).as_subclass(OnGpu)
    assert layer_of().kernel(there) and not layer_of().kernel(here)
    assert not layer_of(3.0, 0.0).kernel(there) and not layer_of(0.0, 3.0).kernel(there)


def test_the_kernel_finds_its_weights_after_a_move_a_copy_and_a_load() -> None:
    """It reads a list of its own, which must hold the parameters and the bias that is none."""
    layer = layer_of()
    other = layer_of()
    other.load_state_dict(layer.state_dict())
    for module in (layer.double(), copy.deepcopy(layer), other):
        own = [getattr(module.lstm, name) for name in module.lstm._flat_weights_names]
        assert all(kept is used for kept, used in zip(own, module.lstm._flat_weights, strict=True))
        assert not module.lstm.bias_hh_l0.any()
    assert "lstm.bias_hh_l0" not in layer.state_dict()
    torch.save(layer.state_dict(), io.BytesIO())


def test_a_text_in_two_parts_with_the_state_carried_is_the_whole() -> None:
    layer = layer_of(0.3, 0.05, skip=True)
    words = torch.randn(2, 9, DIM)
    whole, last = layer(words)
    first, state = layer(words[:, :4])
    second, end = layer(words[:, 4:], state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole, rtol=0, atol=1e-6)
    torch.testing.assert_close(end, last, rtol=0, atol=1e-6)
    assert (layer(words[:, 4:])[0] - second).abs().max() > 1e-3


def test_layers_above_the_first_add_their_input() -> None:
    torch.manual_seed(0)
    settings = LSTM(dim=DIM, hidden=HIDDEN, layers=3)
    stack, plain = settings.stack().eval(), settings.model_copy(update={"skip": False}).stack()
    plain.load_state_dict(stack.state_dict())
    words = torch.randn(2, 5, DIM)
    first, second, third = stack(words)
    assert torch.equal(plain.eval()(words)[0], first)
    for block, below, above in zip(stack.blocks[1:], (first, second), (second, third), strict=True):
        alone, _ = block._steps(below, None)
        torch.testing.assert_close(above, alone + below, rtol=0, atol=1e-6)


def test_no_state_sees_a_later_word() -> None:
    torch.manual_seed(1)
    stack = LSTM(dim=DIM, hidden=HIDDEN, layers=2).stack().eval()
    draw(stack, 0.8)
    words = torch.randn(2, 7, DIM)
    before = stack(words)
    for place in range(7):
        changed = words.clone()
        changed[:, place] += 3 * torch.randn(DIM)
        for old, new in zip(before, stack(changed), strict=True):
            moved = (old - new).abs().amax(dim=(0, 2))
            assert (moved[:place] == 0).all()
            assert (moved[place:] > 1e-4).all()


def test_the_cell_keeps_its_precision_where_products_have_less() -> None:
    layer = layer_of()
    with torch.autocast("cpu", torch.bfloat16):
        _, (_, cell) = layer(torch.randn(1, 3, DIM, dtype=torch.bfloat16))
    assert cell.dtype == torch.float32


def test_a_cell_no_wider_than_its_projection_is_refused() -> None:
    with pytest.raises(ValidationError, match="16 is not wider than its projection, 16"):
        LSTM(dim=16, hidden=16)
    with pytest.raises(ValidationError, match="not wider"):
        LSTM(dim=512)
