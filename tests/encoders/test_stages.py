"""Where a layer is reached: found in any torch encoder, from its contract alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from layerwise.core.types import Document, Sentence
from layerwise.encoders.base import Encoder, EncoderOptions
from layerwise.encoders.bilm import BiLM, BiLMSettings
from layerwise.encoders.bilm_encoder import BiLMEncoder
from layerwise.encoders.character_cnn import CharacterSettings
from layerwise.encoders.stages import Marks, find_marks, record_calls

torch.set_num_threads(1)
WORDS = "the old man saw a house near the river and went home internationally".split()
DOCUMENT = Document("a", (Sentence.from_words(WORDS),))
STACKS: dict[str, dict[str, Any]] = {
    "transformer": {"dim": 8, "layers": 3, "heads": 2, "feed_forward": 12},
    "lstm": {"dim": 8, "hidden": 12, "layers": 3},
    "gated_cnn": {"dim": 8, "layers": 3},
}


def bilm(architecture: str, window: int = 32) -> BiLMEncoder:
    torch.manual_seed(1)
    settings = BiLMSettings(
        architecture=architecture,
        stack=STACKS[architecture],
        characters=CharacterSettings(embedding=4, filters=((1, 4), (3, 6))),
        window=window,
    )
    return BiLMEncoder("mine", BiLM(settings), EncoderOptions(batch_words=1000))


class Plugin:
    """An encoder of somebody's: ``read`` makes hidden states (batch, time, dim) of word numbers."""

    name, parameters, final_norm, fingerprint = "plugin", 1, False, "f" * 64

    def __init__(self, dim: int, layers: int, read: Any) -> None:
        self.dim, self.layer_names, self._read = dim, [str(k) for k in range(layers)], read

    def encode(self, documents: Sequence[Document]) -> Iterator[NDArray[np.float32]]:
        for document in documents:
            numbers = torch.tensor([[len(word) for word in document.words]])
            with torch.inference_mode():
                yield torch.stack([s[0] for s in self._read(numbers)]).numpy()


def hugging_face(kind: str, **settings: Any) -> tuple[Any, Plugin]:
    import transformers

    torch.manual_seed(0)
    config = getattr(transformers, f"{kind}Config")(vocab_size=40, **settings)
    model = getattr(transformers, f"{kind}Model")(config).eval()

    def read(numbers: Tensor) -> Any:
        return model(input_ids=numbers, output_hidden_states=True, return_dict=True).hidden_states

    return model, Plugin(config.hidden_size, config.num_hidden_layers + 1, read)


def marks_of(encoder: Encoder) -> Marks:
    marks = find_marks(encoder, DOCUMENT)
    assert marks is not None
    return marks


class TestMarks:
    @pytest.mark.parametrize("architecture", STACKS)
    def test_a_bilm_reaches_a_layer_in_two_blocks(self, architecture: str) -> None:
        encoder = bilm(architecture)
        model: Any = encoder._model
        expected = {(model.characters.projection, 0): 0}
        for stack in (model.forward_stack, model.backward_stack):
            expected |= {(block, 0): k for k, block in enumerate(stack.blocks, 1)}
            if architecture == "transformer":
                del expected[stack.blocks[-1], 0]
                expected[stack.norm, 0] = 3
        assert marks_of(encoder) == expected

    def test_bert(self) -> None:
        model, encoder = hugging_face(
            "Bert", hidden_size=12, num_hidden_layers=2, num_attention_heads=2, intermediate_size=8
        )
        expected = {(model.embeddings.LayerNorm, 0): 0}
        expected |= {(b.output.LayerNorm, 0): k for k, b in enumerate(model.encoder.layer, 1)}
        assert marks_of(encoder) == expected

    def test_a_final_norm_is_the_last_layer(self) -> None:
        model, encoder = hugging_face("GPT2", n_embd=12, n_layer=2, n_head=2, n_positions=40)
        # Dropout is the module in whose output the sum with the positions first stands.
        expected = {(model.drop, 0): 0, (model.h[0], 0): 1, (model.ln_f, 0): 2}
        assert marks_of(encoder) == expected

    def test_a_block_that_serves_as_every_layer_is_told_by_its_turn(self) -> None:
        model, encoder = hugging_face(
            "Albert",
            embedding_size=12,
            hidden_size=12,
            num_hidden_layers=3,
            num_attention_heads=2,
            intermediate_size=8,
        )
        norm = model.encoder.albert_layer_groups[0].albert_layers[0].full_layer_layer_norm
        marks = marks_of(encoder)
        assert {place: k for place, k in marks.items() if k} == {(norm, i): i + 1 for i in range(3)}

    def test_subwords_that_are_pooled_do_not_hide_the_layers(self, tmp_path: Any) -> None:
        import transformers
        from tokenizers import Tokenizer, models, pre_tokenizers

        from layerwise.encoders.huggingface import hugging_face as load

        pieces = ["[UNK]", "[PAD]", *"abcdefghijklmnopqrstuvwxyz"]
        pieces += [f"##{letter}" for letter in pieces[2:]]
        tokenizer = Tokenizer(
            models.WordPiece({p: i for i, p in enumerate(pieces)}, unk_token="[UNK]")
        )
        tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
        transformers.PreTrainedTokenizerFast(
            tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]"
        ).save_pretrained(tmp_path)
        torch.manual_seed(0)
        transformers.BertModel(
            transformers.BertConfig(
                vocab_size=len(pieces),
                hidden_size=12,
                num_hidden_layers=2,
                num_attention_heads=2,
                intermediate_size=8,
            )
        ).save_pretrained(tmp_path)
        encoder = load(str(tmp_path), EncoderOptions())
        # "a" alone is one piece; in all other words the pieces' mean is no vector of the model.
        assert sorted(marks_of(encoder).values()) == [0, 1, 2]
        longer = Document("b", (Sentence.from_words(["old", "man"]),))
        assert find_marks(encoder, longer) is None

    def test_a_layer_that_no_module_puts_out_leaves_them_unknown(self) -> None:
        table = nn.Embedding(40, 6)
        shown = Plugin(6, 1, lambda n: [table(n)])
        hidden = Plugin(6, 2, lambda n: [table(n), table(n) * 2])
        assert find_marks(shown, DOCUMENT) == {(table, 0): 0}
        assert find_marks(hidden, DOCUMENT) is None

    def test_a_module_that_the_encoder_calls_for_two_layers_leaves_them_unknown(self) -> None:
        table, one, two = nn.Embedding(40, 6), nn.Linear(6, 6), nn.Linear(6, 6)
        twice = Plugin(6, 3, lambda n: [table(n), one(table(n)), one(one(table(n)))])
        apart = Plugin(6, 3, lambda n: [table(n), one(table(n)), two(one(table(n)))])
        assert find_marks(twice, DOCUMENT) is None
        assert find_marks(apart, DOCUMENT) == {(table, 0): 0, (one, 0): 1, (two, 0): 2}

    def test_constant_vectors_are_no_evidence(self) -> None:
        table, other = nn.Embedding(40, 6), nn.Embedding(40, 6)
        nn.init.zeros_(table.weight)
        assert find_marks(Plugin(6, 1, lambda n: [other(n) * 0 + table(n)]), DOCUMENT) is None

    def test_an_encoder_without_modules_has_none(self) -> None:
        assert find_marks(Plugin(4, 1, lambda n: [n[..., None] + torch.rand(4)]), DOCUMENT) is None

    def test_no_hook_stays_behind(self) -> None:
        from torch.nn.modules import module

        before = len(module._global_forward_hooks), len(module._global_forward_pre_hooks)
        marks_of(bilm("lstm"))
        broken = Plugin(4, 1, lambda n: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            find_marks(broken, DOCUMENT)
        after = len(module._global_forward_hooks), len(module._global_forward_pre_hooks)
        assert before == after


class TestCalls:
    def test_only_the_outermost_calls_are_recorded(self) -> None:
        encoder = bilm("transformer")
        model: Any = encoder._model
        calls = record_calls(lambda: list(encoder.encode([DOCUMENT])))
        assert [call.module for call in calls] == [
            *(model.characters, model.forward_stack, model.backward_stack)
        ]

    @pytest.mark.parametrize("architecture", STACKS)
    def test_made_again_they_give_what_was_encoded(self, architecture: str) -> None:
        encoder = bilm(architecture)
        (array,) = encoder.encode([DOCUMENT])
        calls = record_calls(lambda: list(encoder.encode([DOCUMENT])))
        with torch.inference_mode():
            _, left, right = (call() for call in calls)
        for layer in range(1, 4):
            ahead, back = left[layer - 1][0, 1:], right[layer - 1][0, 1:].flip(0)  # (words, dim)
            np.testing.assert_array_equal(array[layer], torch.cat([ahead, back], dim=1))

    def test_arguments_by_name_are_kept(self) -> None:
        model, encoder = hugging_face(
            "Bert", hidden_size=12, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8
        )
        (array,) = encoder.encode([DOCUMENT])
        (call,) = record_calls(lambda: list(encoder.encode([DOCUMENT])))
        assert call.module is model and call.kwargs["output_hidden_states"] is True
        with torch.inference_mode():
            np.testing.assert_array_equal(array[1], call().hidden_states[1][0])
