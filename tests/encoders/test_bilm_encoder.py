"""A biLM as an encoder: the contract, any batch, long documents, identity, random weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from layerwise.core.errors import LayerwiseError, ModelError
from layerwise.core.types import Document, Sentence
from layerwise.encoders import bilm_encoder
from layerwise.encoders.base import Encoder, EncoderOptions, InputReporter, Randomisable
from layerwise.encoders.bilm import BiLM, BiLMSettings
from layerwise.encoders.bilm_encoder import BiLMEncoder
from layerwise.encoders.character_cnn import BEGIN, END, CharacterSettings
from layerwise.encoders.checkpoint import save_encoder

torch.set_num_threads(1)
WINDOW, DIM = 12, 8
SETTINGS = BiLMSettings(
    architecture="transformer",
    stack={"dim": DIM, "layers": 2, "heads": 2, "feed_forward": 12},
    characters=CharacterSettings(embedding=4, filters=((1, 4), (3, 6))),
    window=WINDOW,
)
RANDOM = np.random.default_rng(0)
LEXICON = [*"abcdefgh", "the", "internationalisation", "é", "x" * 60]


def draw(id: str, *lengths: int) -> Document:
    """A document with sentences of the given lengths, out of a small lexicon."""
    return Document(
        id, tuple(Sentence.from_words(RANDOM.choice(LEXICON, length)) for length in lengths)
    )


DOCUMENTS = [draw("a", 3, 4), draw("b", 1), draw("c", 11), draw("d", 9, 14, 30), draw("e", 2, 2)]
SMALL = EncoderOptions(batch_words=1)


def trained() -> BiLM:
    torch.manual_seed(7)
    model = BiLM(SETTINGS)
    for weight in model.parameters():
        weight.data.copy_(torch.randn_like(weight) * 0.3)
    return model


def encoder(**options: object) -> BiLMEncoder:
    return BiLMEncoder("mine", trained(), replace(EncoderOptions(), **options))  # type: ignore[arg-type]


def encode(of: Encoder, documents: Sequence[Document]) -> list[NDArray[np.float32]]:
    return list(of.encode(documents))


def assert_near(one: NDArray[np.float32], other: NDArray[np.float32]) -> None:
    """Equal to 1e-5 of each layer's standard deviation."""
    assert one.shape == other.shape
    for left, right in zip(one, other, strict=True):
        np.testing.assert_allclose(left, right, rtol=0, atol=1e-5 * max(right.std(), 1e-3))


class TestContract:
    def test_it_is_an_encoder_with_random_twins_and_a_report(self) -> None:
        mine = encoder()
        for protocol in (Encoder, Randomisable, InputReporter):
            assert isinstance(mine, protocol)
        assert mine.name == "mine"
        assert list(mine.layer_names) == ["characters", "block 1", "block 2"]
        assert mine.dim == 2 * DIM and mine.final_norm is True
        assert mine.parameters == sum(weight.numel() for weight in trained().parameters())

    def test_arrays_come_in_order_with_the_documents_shapes(self) -> None:
        arrays = encode(encoder(), DOCUMENTS)
        assert [array.shape for array in arrays] == [(3, len(d), 2 * DIM) for d in DOCUMENTS]
        for array in arrays:
            assert array.dtype == np.float32 and np.isfinite(array).all()

    def test_no_documents_give_no_arrays(self) -> None:
        assert encode(encoder(), []) == []

    def test_it_is_in_eval_mode_without_gradients(self) -> None:
        model = trained().train()
        BiLMEncoder("mine", model, EncoderOptions())
        assert not model.training
        assert not any(weight.requires_grad for weight in model.parameters())

    def test_it_keeps_no_state_between_calls(self) -> None:
        mine = encoder()
        first = encode(mine, DOCUMENTS[:2])
        encode(mine, DOCUMENTS[2:])
        for one, other in zip(first, encode(mine, DOCUMENTS[:2]), strict=True):
            assert np.array_equal(one, other)

    def test_layer_0_is_the_same_word_in_any_context(self) -> None:
        seen: dict[str, NDArray[np.float32]] = {}
        for document, array in zip(DOCUMENTS, encode(encoder(), DOCUMENTS), strict=True):
            for word, vector in zip(document.words, array[0], strict=True):
                assert_near(vector[None], seen.setdefault(word, vector)[None])
        assert len(seen) > 8

    def test_the_first_word_sees_the_mark_and_the_rest_and_nothing_else(self) -> None:
        """A document of one word, by hand."""
        model = trained().eval().requires_grad_(False)
        codes = model.characters.codes([BEGIN, END, "cat"])
        words = model.characters(torch.from_numpy(codes).long())
        left = model.forward_stack(torch.stack([words[0], words[2]])[None])
        right = model.backward_stack(torch.stack([words[1], words[2]])[None])
        array = encode(encoder(), [Document("d", (Sentence.from_words(["cat"]),))])[0]
        for layer in (1, 2):
            expected = torch.cat([left[layer - 1][0, 1], right[layer - 1][0, 1]]).numpy()
            assert_near(array[layer], expected[None])


class TestBatches:
    @pytest.mark.parametrize("batch_words", [1, 13, 40, 10_000])
    @pytest.mark.parametrize("context", ["document", "sentence"])
    def test_a_document_is_the_same_in_any_batch_and_order(
        self, batch_words: int, context: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bilm_encoder, "_LOOK_AHEAD", 2)
        alone = [encode(encoder(context=context), [d])[0] for d in DOCUMENTS]
        mine = encoder(context=context, batch_words=batch_words)
        for one, other in zip(encode(mine, DOCUMENTS), alone, strict=True):
            assert_near(one, other)
        order = [3, 0, 4, 2, 1]
        shuffled = encode(mine, [DOCUMENTS[i] for i in order])
        for i, array in zip(order, shuffled, strict=True):
            assert_near(array, alone[i])

    def test_the_batch_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        sizes = []
        states = BiLM.states

        def watched(self: BiLM, words: torch.Tensor, *rest: torch.Tensor) -> torch.Tensor:
            sizes.append(words.shape[:2])
            return states(self, words, *rest)

        monkeypatch.setattr(BiLM, "states", watched)
        encode(encoder(batch_words=24), DOCUMENTS)
        assert max(rows * time for rows, time in sizes) <= 24
        assert any(rows > 1 for rows, _ in sizes)  # and used

    def test_many_different_words_are_no_matter(self) -> None:
        words = [f"w{i}" for i in range(2500)]
        long = Document("long", (Sentence.from_words(words),))
        array = encode(encoder(batch_words=100_000), [long])[0]
        few = encode(encoder(), [Document("few", (Sentence.from_words(words[2400:2405]),))])[0]
        assert_near(array[:1, 2400:2405], few[:1])


@cache
def wide() -> BiLMEncoder:
    model = BiLM(SETTINGS.model_copy(update={"window": 500}))
    model.load_state_dict(trained().state_dict())
    return BiLMEncoder("wide", model, EncoderOptions())


def one_window(words: Sequence[str]) -> NDArray[np.float32]:
    """The oracle: a model with a window that holds them all."""
    return encode(wide(), [Document("w", (Sentence.from_words(words),))])[0]


class TestLongDocuments:
    def test_every_word_is_seen_from_the_middle_of_a_window_that_fits(self) -> None:
        words = [f"w{i}" for i in range(40)]
        size = WINDOW - 1  # the mark takes a place
        array = encode(encoder(), [Document("long", (Sentence.from_words(words),))])[0]
        for place in range(40):
            runs = [
                one_window(words[start : start + size])[:, place - start]
                for start in range(max(0, place - size + 1), min(place, 40 - size) + 1)
                if _context(place, start, size, 40) >= size // 4
            ]
            nearest = min(runs, key=lambda run: float(np.abs(run - array[:, place]).max()))
            assert_near(array[:, place : place + 1], nearest[:, None])

    def test_a_document_that_just_fits_is_one_window(self) -> None:
        words = [f"w{i}" for i in range(WINDOW - 1)]
        mine = encoder()
        fits = Document("fits", (Sentence.from_words(words),))
        assert_near(encode(mine, [fits])[0], one_window(words))
        assert mine.input_report([fits])["windows"] == 1
        longer = Document("longer", (Sentence.from_words([*words, "more"]),))
        assert mine.input_report([longer])["windows"] == 2
        assert np.abs(encode(mine, [longer])[0] - one_window([*words, "more"])).max() > 1e-3

    def test_sentences_by_themselves_are_documents_of_their_own(self) -> None:
        mine = encoder(context="sentence")
        for document, array in zip(DOCUMENTS, encode(mine, DOCUMENTS), strict=True):
            parts = [Document("part", (sentence,)) for sentence in document.sentences]
            assert_near(array, np.concatenate(encode(encoder(), parts), axis=1))

    def test_the_context_matters(self) -> None:
        one = encode(encoder(), DOCUMENTS[:1])[0]
        other = encode(encoder(context="sentence"), DOCUMENTS[:1])[0]
        assert_near(one[:1], other[:1])
        assert np.abs(one[1:] - other[1:]).max() > 1e-2


def _context(place: int, start: int, size: int, words: int) -> int:
    left = place - start if start > 0 else words
    right = start + size - 1 - place if start + size < words else words
    return min(left, right)


class TestFingerprint:
    def test_what_changes_no_number_changes_no_fingerprint(self) -> None:
        mine = encoder().fingerprint
        assert len(mine) == 64
        assert encoder(batch_words=3).fingerprint == mine
        assert BiLMEncoder("other", trained(), EncoderOptions()).fingerprint == mine

    def test_each_weight_counts(self) -> None:
        prints = {encoder().fingerprint}
        names = list(trained().state_dict())
        for name in names:
            model = trained()
            weight = model.state_dict()[name].flatten()
            weight[-1] = torch.nextafter(weight[-1], torch.tensor(9.0))
            prints.add(BiLMEncoder("mine", model, EncoderOptions()).fingerprint)
        assert len(prints) == 1 + len(names)

    def test_context_and_window_count(self) -> None:
        wider = BiLM(SETTINGS.model_copy(update={"window": 13}))
        wider.load_state_dict(trained().state_dict())
        prints = {
            encoder().fingerprint,
            encoder(context="sentence").fingerprint,
            BiLMEncoder("mine", wider, EncoderOptions()).fingerprint,
        }
        assert len(prints) == 3


class TestRandomised:
    def test_the_seed_decides_and_nothing_else(self) -> None:
        torch.manual_seed(1)
        one = encoder().randomised(3)
        torch.manual_seed(2)
        same, other = encoder().randomised(3), encoder().randomised(4)
        assert one.fingerprint == same.fingerprint
        assert np.array_equal(encode(one, DOCUMENTS)[0], encode(same, DOCUMENTS)[0])
        assert len({one.fingerprint, other.fingerprint, encoder().fingerprint}) == 3

    def test_it_draws_nothing_from_the_global_generator(self) -> None:
        mine = encoder()
        before = torch.random.get_rng_state()
        mine.randomised(3)
        assert torch.equal(torch.random.get_rng_state(), before)

    def test_it_leaves_the_trained_one_alone(self) -> None:
        mine = encoder()
        before = encode(mine, DOCUMENTS[:1])[0]
        twin = mine.randomised(3)
        assert np.array_equal(encode(mine, DOCUMENTS[:1])[0], before)
        assert np.abs(encode(twin, DOCUMENTS[:1])[0] - before).max() > 0.1
        assert (twin.dim, twin.parameters, twin.layer_names) == (
            mine.dim,
            mine.parameters,
            mine.layer_names,
        )
        assert twin.name == "mine+random"

    def test_the_context_is_kept(self) -> None:
        twin = encoder(context="sentence").randomised(3)
        assert twin.fingerprint != encoder().randomised(3).fingerprint


def test_the_report_counts_words_windows_and_cut_words() -> None:
    long = Document("d", (Sentence.from_words(["x" * 48, "y" * 49, "é" * 25]),))
    assert encoder().input_report([long, long]) == {"words": 6, "windows": 2, "cut_words": 4}
    report = encoder(context="sentence").input_report(DOCUMENTS[:2])
    assert report["windows"] == 3


class TestNames:
    def test_a_saved_folder_comes_back_the_same(self, tmp_path: Path) -> None:
        save_encoder(tmp_path, trained(), {})
        loaded = bilm_encoder.local(str(tmp_path), EncoderOptions())
        assert loaded.fingerprint == encoder().fingerprint
        assert loaded.name == f"local:{tmp_path}"

    def test_wrong_names_are_told(self) -> None:
        with pytest.raises(ModelError, match="local:FOLDER"):
            bilm_encoder.local("", EncoderOptions())
        with pytest.raises(ModelError, match="no such folder"):
            bilm_encoder.local("./no/such", EncoderOptions())

    @pytest.mark.parametrize(
        "wrong", [{"batch_words": 0}, {"subword_pooling": "max"}, {"context": "doc"}]
    )
    def test_wrong_options_are_told(self, wrong: dict[str, object]) -> None:
        with pytest.raises(LayerwiseError, match="--"):
            EncoderOptions(**wrong)  # type: ignore[arg-type]
