"""The architecture ``cell``: its settings, both directions of a biLM, and ``probe pretrain``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from layerwise.core.errors import ModelError
from layerwise.core.provenance import source_hash
from layerwise.core.types import Document, Sentence
from layerwise.encoders.base import EncoderOptions
from layerwise.encoders.bilm import BiLM, BiLMSettings, build_settings, count_parameters
from layerwise.encoders.bilm_encoder import local
from layerwise.encoders.cell import EXECUTED_BY, SearchedCell
from layerwise.encoders.search.space.aliases import ALIASES, NAMES
from layerwise.encoders.search.space.grammar import parse
from layerwise.encoders.search.space.widths import parameters

torch.set_num_threads(1)
DIM = 8
BEGIN, END = torch.linspace(-1, 1, DIM), torch.linspace(2, 0, DIM)


def test_a_change_of_the_code_that_runs_cells_is_a_change_of_the_fingerprint() -> None:
    modules = ("cell_execution", "cell_operations", "search.space.schedule")
    assert EXECUTED_BY == source_hash(*(f"layerwise.encoders.{name}" for name in modules))


def model_of(cell: str) -> BiLM:
    torch.manual_seed(1)
    stack: dict[str, int | float | str | bool] = {"dim": DIM, "layers": 2, "cell": cell}
    made = BiLM(BiLMSettings(architecture="cell", stack=stack)).eval().requires_grad_(False)
    for weight in made.parameters():
        weight.copy_(torch.randn_like(weight) * 0.4)
    return made


@pytest.mark.parametrize("name", NAMES)
def test_each_direction_sees_its_own_side_alone(name: str) -> None:
    model = model_of(name)
    words, lengths = torch.randn(1, 6, DIM), torch.tensor([6])
    before = model.states(words, lengths, BEGIN, END)
    for place in (0, 3, 5):
        changed = words.clone()
        changed[:, place] += torch.randn(DIM)
        moved = (model.states(changed, lengths, BEGIN, END) - before).abs()[1:]
        left, right = (half.amax(dim=(1, 3)) for half in moved.split(DIM, dim=-1))
        assert (left[:, :place] <= 1e-6).all() and (right[:, place + 1 :] <= 1e-6).all()
        assert (left[:, place] > 1e-5).all() and (right[:, place] > 1e-5).all()


def test_the_backward_half_is_the_same_cell_on_the_text_turned_round() -> None:
    model = model_of("hybrid")
    words = torch.randn(1, 5, DIM)
    states = model.states(words, torch.tensor([5]), BEGIN, END)
    turned = torch.cat([END.expand(1, 1, DIM), words.flip(1)], dim=1)
    for layer, oracle in enumerate(model.backward_stack(turned), start=1):
        torch.testing.assert_close(
            states[layer, :, :, DIM:], oracle[:, 1:].flip(1), rtol=0, atol=1e-5
        )


def test_a_layer_is_a_cell_and_nothing_more() -> None:
    torch.manual_seed(0)
    stack = SearchedCell(dim=DIM, layers=3, cell="gru").stack().eval()
    x = torch.randn(2, 5, DIM)
    for block, out in zip(stack.blocks, stack(x), strict=True):
        x = block(x)
        assert torch.equal(x, out)


def test_dropout_is_on_each_layers_input_in_training_alone() -> None:
    torch.manual_seed(0)
    stack = SearchedCell(dim=DIM, layers=1, cell="c1/a:0,@0=1", dropout=0.5).stack()
    x = torch.ones(1, 200, DIM)
    torch.testing.assert_close(stack.eval()(x)[0][:, 1:], torch.full((1, 199, DIM), 2.0))
    (found,) = stack.train()(x)
    assert {*found[:, 1:].unique().tolist()} == {0.0, 2.0, 4.0}
    assert abs(float(found[:, 1:].mean()) - 2) < 0.15


class TestSettings:
    def test_a_cell_is_kept_in_its_canonical_form(self) -> None:
        settings = SearchedCell(cell=" c1/t:0/L:@3,0/t:2=3")
        assert settings.cell == "c1/L:0,@2/t:1=2"
        assert settings == SearchedCell(cell="rnn") == SearchedCell(**settings.model_dump())
        assert parse(SearchedCell().cell) == parse(SearchedCell(cell="lstm").cell)

    @pytest.mark.parametrize("size", ["tiny", "small", "paper"])
    def test_sizes_are_those_of_the_other_architectures(self, size: str) -> None:
        settings = build_settings("cell", size, {"cell": "gru"})
        dim = settings.stack["dim"]
        assert dim == build_settings("lstm", size).stack["dim"] and isinstance(dim, int)
        with torch.device("meta"):
            model = BiLM(settings)
        both = count_parameters([model.forward_stack, model.backward_stack])
        assert both == 2 * 2 * parameters(parse(ALIASES["gru"]), dim)

    @pytest.mark.parametrize(
        ("given", "told"),
        [
            ({"cell": "lstn"}, "no such cell: 'lstn'; did you mean lstm"),
            ({"cell": "c1/t:0/A4:@2=2"}, r"node 2 \(A4:@2\): a self-attention cannot stand in"),
            ({"cell": "attn", "dim": 30}, "4 heads cannot share a width of 30"),
            ({"cell": "c1/t:@1=1"}, "does not depend on the input"),
            ({"dim": 0}, "dim"),
            ({"cell": "__import__('os')"}, "no such cell"),
        ],
    )
    def test_what_cannot_be_built_is_told(self, given: dict[str, str | int], told: str) -> None:
        with pytest.raises(ValidationError, match=told):
            SearchedCell(**given)  # type: ignore[arg-type]
        with pytest.raises(ModelError, match=told):
            BiLM(BiLMSettings(architecture="cell", stack=given))  # type: ignore[arg-type]


def test_it_is_pretrained_by_the_command(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from layerwise.suite.cli.pretrain import command

    text = tmp_path / "text.txt"
    text.write_text("the cat sat on the mat . a dog ran to the cat .\n" * 40, encoding="utf-8")
    options = "-e cell --size tiny --set dim=8 --set layers=1 --window 8 --batch 2 --vocabulary 15"
    options += f" --budget 3steps --text {text} -o {tmp_path / 'out'}"
    cell = "c1/D3:0/L:1/s:2/L:1/b:3,4,@5/A2:5/a:0,6=7"
    done = CliRunner().invoke(command, [*options.split(), "--set", f"cell={cell}"])
    assert done.exit_code == 0, done.output
    assert "held-out perplexity" in done.output
    kept = json.dumps([json.loads(p.read_text()) for p in (tmp_path / "out").glob("*.json")])
    assert SearchedCell(cell=cell).cell in kept

    encoder = local(str(tmp_path / "out"), EncoderOptions())
    (array,) = encoder.encode([Document("d", (Sentence.from_words(["the", "cat", "sat"]),))])
    assert array.shape == (2, 3, 16) and np.isfinite(array).all()
    assert encoder.layer_names == ("characters", "cell 1")

    wrong = CliRunner().invoke(command, [*options.split(), "--set", "cell=c1/t:7=1"])
    assert str(wrong.exception).startswith("--set cell: cell, node 1 (t:7): there is")
