"""Pruned encoders on disk: they keep the contract, and hold what was asked to the weight."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
import transformers
from numpy.typing import NDArray
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from layerwise.core.errors import UsageError
from layerwise.core.types import Document, Sentence
from layerwise.encoders import model_folder
from layerwise.encoders.base import Encoder, EncoderOptions
from layerwise.encoders.bilm import BiLM, BiLMSettings
from layerwise.encoders.character_cnn import CharacterSettings
from layerwise.encoders.checkpoint import CARD, WEIGHTS, save_encoder
from layerwise.encoders.conformance import check_encoder
from layerwise.encoders.loading import load_encoder
from layerwise.encoders.pruned_encoder import identity_of, is_written, prune, write
from layerwise.encoders.pruning_plan import Pruning
from layerwise.encoders.training_text import Text

torch.set_num_threads(1)
STACKS: dict[str, dict[str, Any]] = {
    "transformer": {"dim": 8, "layers": 2, "heads": 2, "feed_forward": 12},
    "lstm": {"dim": 8, "hidden": 20, "layers": 2},
    "gated_cnn": {"dim": 8, "layers": 2},
    "cell": {"dim": 8, "layers": 1, "cell": "gru"},
}
TEXT = Text(["<", ">", "a"], np.array([2, 2], np.int32), np.array([0, 0, 2]), [{"file": "t"}])
DOCUMENT = Document("d", (Sentence.from_words(["a", "cat", "sees", "her"]),))


def save_bilm(folder: Path, architecture: str) -> str:
    torch.manual_seed(3)
    characters = CharacterSettings(embedding=4, filters=((1, 4), (3, 6)))
    settings = BiLMSettings(
        architecture=architecture, stack=STACKS[architecture], characters=characters, window=12
    )
    model = BiLM(settings)
    for weight in model.parameters():
        weight.data.add_(torch.randn_like(weight) * 0.3)
    save_encoder(folder, model, {})
    return f"local:{folder}"


def save_hugging_face(folder: Path, kind: str) -> str:
    sizes: dict[str, Any] = {"vocab_size": 32, "pad_token_id": 3}
    if kind == "Bert":
        sizes |= {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2}
        sizes |= {"intermediate_size": 12, "max_position_embeddings": 40}
    else:
        sizes |= {"d_model": 8, "d_ff": 12, "d_kv": 4, "num_layers": 2, "num_heads": 2}
    with torch.random.fork_rng(), model_folder.quiet():
        torch.manual_seed(7)
        config = getattr(transformers, f"{kind}Config")(**sizes)
        model = getattr(transformers, f"{kind}Model")(config)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn_like(parameter) * 0.2)
        model.save_pretrained(folder)
    tokens = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", *"abcdefghijklmnopqrstuvwxyz"]
    made = Tokenizer(models.WordPiece({t: i for i, t in enumerate(tokens)}, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    wrap: Any = transformers.PreTrainedTokenizerFast
    wrap(
        tokenizer_object=made,
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        pad_token="[PAD]",
    ).save_pretrained(folder)
    return f"hf:{folder}"


def load(name: str) -> Encoder:
    return load_encoder(name, EncoderOptions())


def encode(encoder: Encoder) -> NDArray[np.float32]:
    (array,) = encoder.encode([DOCUMENT])
    return array


def pruned_to(folder: Path, source: Encoder, **how: Any) -> Encoder:
    plan = Pruning(**how)
    write(folder, source, plan, prune(source, plan))
    assert is_written(folder, identity_of(source, plan))
    return load(f"{source.name.partition(':')[0]}:{folder}")


def card_of(folder: Path) -> Any:
    return json.loads((folder / CARD).read_text())


@pytest.mark.parametrize("architecture", STACKS)
def test_a_bilm_has_as_many_zeros_as_asked(architecture: str, tmp_path: Path) -> None:
    source = load(save_bilm(tmp_path / "a", architecture))
    before = encode(source)
    found = pruned_to(tmp_path / "b", source, sparsity=0.8)
    told = card_of(tmp_path / "b")["pruning"]
    assert told["zeros"] == round(0.8 * told["counted"])
    assert told["score"] == "magnitude" and told["scope"] == "global" and "seed" not in told
    # Counted anew in the file; a normalised weight keeps its direction where all of it is 0.
    weights = safetensors.torch.load_file(tmp_path / "b" / WEIGHTS)
    if architecture != "gated_cnn":
        assert sum(int((weights[name] == 0).sum()) for name in told["matrices"]) == told["zeros"]
    stacks = [t for n, t in weights.items() if "_stack." in n and t.dim() > 1]
    assert told["counted"] == sum(t.numel() for t in stacks if t.numel() != len(t))
    assert found.fingerprint != source.fingerprint
    assert np.array_equal(encode(found)[0], encode(source)[0])  # the character CNN is left alone
    assert not np.allclose(encode(found), before, atol=1e-3)
    assert np.array_equal(encode(source), before)  # the source stays as it was


@pytest.mark.parametrize("architecture", STACKS)
def test_sparsity_0_changes_nothing(architecture: str, tmp_path: Path) -> None:
    source = load(save_bilm(tmp_path / "a", architecture))
    same = pruned_to(tmp_path / "b", source, sparsity=0.0)
    assert np.array_equal(encode(same), encode(source)) and same.fingerprint == source.fingerprint


@pytest.mark.parametrize(
    "architecture, how",
    [
        ("transformer", {"sparsity": 0.5}),
        ("transformer", {"structure": "2:4"}),
        ("transformer", {"structure": "neurons", "score": "random"}),
        ("lstm", {"structure": "neurons", "sparsity": 0.5}),
        ("transformer", {"structure": "heads"}),
        ("transformer", {"structure": "neurons,heads"}),
        ("gated_cnn", {"sparsity": 0.9, "scope": "layer"}),
    ],
)
def test_it_keeps_the_contract(architecture: str, how: dict[str, Any], tmp_path: Path) -> None:
    source = load(save_bilm(tmp_path / "a", architecture))
    found = pruned_to(tmp_path / "b", source, **how)
    clauses = check_encoder(found)
    assert len(clauses) > 12 and [c for c in clauses if not c.passed] == []
    assert found.fingerprint != source.fingerprint


def test_two_of_each_four_inputs_remain(tmp_path: Path) -> None:
    source = load(save_bilm(tmp_path / "a", "transformer"))
    pruned_to(tmp_path / "b", source, structure="2:4")
    weights = safetensors.torch.load_file(tmp_path / "b" / WEIGHTS)
    told = card_of(tmp_path / "b")["pruning"]
    for name in told["matrices"]:
        rows = weights[name]  # (outputs, inputs)
        assert bool(((rows.reshape(-1, 4) != 0).sum(dim=1) == 2).all())
    assert 2 * told["zeros"] == told["counted"]


@pytest.mark.parametrize("kind", ["Bert", "T5"])
def test_a_hugging_face_model(kind: str, tmp_path: Path) -> None:
    source = load(save_hugging_face(tmp_path / "a", kind))
    before = encode(source)
    found = pruned_to(tmp_path / "b", source, score="random", sparsity=0.7, seed=4)
    told = card_of(tmp_path / "b")["pruning"]
    # Of two blocks: four maps of 8 x 8 for attention, two of 8 x 12.
    assert told["counted"] == 2 * (4 * 64 + 2 * 96) and told["zeros"] == round(0.7 * 896)
    assert told["seed"] == 4
    model: Any = found
    held = dict(model._loaded.model.named_parameters())
    assert sum(int((held[name] == 0).sum()) for name in told["matrices"]) == told["zeros"]
    assert found.fingerprint != source.fingerprint
    assert [c for c in check_encoder(found) if not c.passed] == []
    assert np.array_equal(encode(source), before) and not np.allclose(encode(found), before)
    if kind == "Bert":
        same = pruned_to(tmp_path / "c", source, sparsity=0.0)
        assert np.array_equal(encode(same), before)
        assert same.fingerprint == source.fingerprint
    else:  # the decoder is the one that it came with
        old, new = (
            safetensors.torch.load_file(tmp_path / where / "model.safetensors") for where in "ab"
        )
        decoder = [name for name in old if name.startswith("decoder.")]
        assert decoder and all(torch.equal(old[name], new[name]) for name in decoder)


def test_a_card_tells_whose_it_is(tmp_path: Path) -> None:
    source = load(save_bilm(tmp_path / "a", "lstm"))
    plan = Pruning(structure="neurons")
    assert not is_written(tmp_path / "b", identity_of(source, plan))
    pruned_to(tmp_path / "b", source, structure="neurons")
    card = card_of(tmp_path / "b")
    assert card["source"] == "local:a" and str(tmp_path) not in json.dumps(card)
    assert card["identity"]["source_fingerprint"] == source.fingerprint
    sizes = card["pruning"]["contextual_parameters"]
    # A cell of 2 layers in 2 directions: 4 * (2 * 8 + 1) weights in, 8 out.
    assert sizes["before"] - sizes["after"] == 10 * 4 * (4 * 17 + 8)
    for other in (Pruning(), Pruning(structure="neurons", sparsity=0.25)):
        with pytest.raises(UsageError, match="holds another encoder; name another --output"):
            is_written(tmp_path / "b", identity_of(source, other))


def test_what_cannot_be_pruned_is_refused(tmp_path: Path) -> None:
    lstm = load(save_bilm(tmp_path / "a", "lstm"))
    with pytest.raises(UsageError, match="two of each four weights are a half"):
        prune(lstm, Pruning(structure="2:4", sparsity=0.8))
    with pytest.raises(UsageError, match="encoder onehot: is neither a biLM nor"):
        prune(load("onehot"), Pruning())
    with pytest.raises(UsageError, match="architecture lstm has no heads that can be removed"):
        prune(lstm, Pruning(structure="neurons,heads"))
    bert = load(save_hugging_face(tmp_path / "b", "Bert"))
    with pytest.raises(UsageError, match="--score obd: asks the softmax of a training"):
        prune(bert, Pruning(structure="heads", score="obd"))
    with pytest.raises(UsageError, match="--held-out: has no softmax"):
        prune(bert, Pruning(held_out=TEXT))
    with pytest.raises(UsageError, match=r"local:.* has no softmax that predicts it"):
        prune(lstm, Pruning(held_out=TEXT))
    twice = pruned_to(tmp_path / "c", lstm, sparsity=0.5)
    with pytest.raises(UsageError, match="are 0 already; ask for more"):
        prune(twice, Pruning(sparsity=0.25))


def test_neurons_and_heads_go_together_by_the_scores_of_the_whole(tmp_path: Path) -> None:
    source = load(save_bilm(tmp_path / "a", "transformer"))
    both: Any = pruned_to(tmp_path / "b", source, structure="neurons,heads")
    told = card_of(tmp_path / "b")["pruning"]
    assert told["neurons"] == {"a_block": 12, "kept": 6}
    assert told["heads"] == {"a_block": 2, "kept": 1}
    sizes = told["contextual_parameters"]
    # In 2 blocks of 2 directions 6 neurons of 8 + 1 + 8, and a head of 3 * 4 * (8 + 1) + 4 * 8.
    assert sizes["before"] - sizes["after"] == 4 * (6 * 17 + 140)
    assert len(told["blocks"]) == 4
    alone = {k: pruned_to(tmp_path / k, source, structure=k) for k in ("neurons", "heads")}
    for name, weight in both._model.named_parameters():
        kind = "neurons" if "expand" in name or "contract" in name else "heads"
        apart: Any = alone[kind]
        assert torch.equal(weight, apart._model.get_parameter(name))


@pytest.mark.parametrize("structure", ["neurons", "heads", "neurons,heads"])
def test_a_hugging_face_model_without_units(structure: str, tmp_path: Path) -> None:
    source: Any = load(save_hugging_face(tmp_path / "a", "Bert"))
    before = encode(source)
    found: Any = pruned_to(tmp_path / "b", source, structure=structure)
    told = card_of(tmp_path / "b")["pruning"]
    gone = 2 * 6 * (8 + 8) * ("neurons" in structure) + 2 * 4 * 4 * 8 * ("heads" in structure)
    sizes = told["contextual_parameters"]
    assert (sizes["before"], sizes["before"] - sizes["after"]) == (896, gone)
    biases = 2 * 6 * ("neurons" in structure) + 2 * 3 * 4 * ("heads" in structure)
    assert source.parameters - found.parameters == gone + biases
    # Random weights too are those of the smaller model, and it can be pruned again.
    assert [c for c in check_encoder(found) if not c.passed] == []
    assert found.randomised(1).parameters == found.parameters
    again: Any = pruned_to(tmp_path / "c", found, sparsity=0.5)
    assert again.parameters == found.parameters
    assert card_of(tmp_path / "c")["pruning"]["counted"] == sizes["after"]
    assert np.array_equal(encode(source), before) and not np.allclose(encode(found), before)
    if structure == "neurons":  # the library itself loads it
        with model_folder.quiet():
            model: Any = transformers.BertModel.from_pretrained(tmp_path / "b")
        assert model.config.intermediate_size == 6


def test_a_hugging_face_model_two_of_four(tmp_path: Path) -> None:
    source = load(save_hugging_face(tmp_path / "a", "Bert"))
    found: Any = pruned_to(tmp_path / "b", source, structure="2:4")
    held = dict(found._loaded.model.named_parameters())
    for name in card_of(tmp_path / "b")["pruning"]["matrices"]:
        assert bool(((held[name].reshape(-1, 4) != 0).sum(dim=1) == 2).all())
