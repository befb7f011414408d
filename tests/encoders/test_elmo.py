"""ELMo as an encoder: the published activations, states carried or not, identity, random twins."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from allennlp_light.modules.lstm_cell_with_projection import LstmCellWithProjection
from numpy.typing import NDArray

from layerwise.core.errors import ModelError
from layerwise.core.types import Document, Sentence
from layerwise.encoders.base import Configured, Encoder, EncoderOptions, InputReporter, Randomisable
from layerwise.encoders.bilm import BiLMSettings
from layerwise.encoders.character_cnn import CharacterSettings
from layerwise.encoders.conformance import check_encoder
from layerwise.encoders.elmo import ElmoEncoder, elmo, elmo_carried
from layerwise.encoders.elmo_weights import build
from layerwise.encoders.lstm import Layer

torch.set_num_threads(1)
DIM = 6
SETTINGS = BiLMSettings(
    architecture="lstm",
    stack={"dim": DIM, "hidden": 10, "layers": 2, "cell_clip": 1.5, "projection_clip": 1.0},
    characters=CharacterSettings(embedding=4, filters=((1, 4), (3, 6))),
    window=2**31,
)
RANDOM = np.random.default_rng(0)
LEXICON = [*"abcdefgh", "the", "internationalisation", "é", "x" * 60, "</S>"]


def draw(id: str, *lengths: int) -> Document:
    """A document with sentences of the given lengths, out of a small lexicon."""
    return Document(
        id, tuple(Sentence.from_words(RANDOM.choice(LEXICON, length)) for length in lengths)
    )


DOCUMENTS = [draw("a", 3, 4), draw("b", 1), draw("c", 40), draw("d", 9, 1, 14, 30), draw("e", 2, 2)]


def encoder(carried: bool, activation: Any = "relu", **options: Any) -> ElmoEncoder:
    torch.manual_seed(7)
    model = build(SETTINGS, activation)
    for weight in model.parameters():
        weight.data.copy_(torch.randn_like(weight) * 0.6)
    return ElmoEncoder("mine", model, EncoderOptions(**options), carried)


def encode(of: Encoder, documents: Sequence[Document]) -> list[NDArray[np.float32]]:
    return list(of.encode(documents))


def assert_near(one: NDArray[np.float32], other: NDArray[np.float32]) -> None:
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)


@pytest.fixture(scope="module")
def published() -> Path:
    """allennlp's fixture: a tiny model in bilm-tf's format, with what TensorFlow made of a text."""
    named = os.environ.get("LAYERWISE_DATA")
    folder = Path(named) if named else Path(__file__).parents[2].parent / "shared" / "data"
    if not (folder / "elmo_fixture").is_dir():
        pytest.skip(f"no elmo_fixture in {folder}; set LAYERWISE_DATA")
    return folder / "elmo_fixture"


def texts(published: Path) -> list[Document]:
    lists = json.loads((published / "sentences.json").read_text())
    return [
        Document(str(k), tuple(Sentence.from_words(text.split()) for text in sentences))
        for k, sentences in enumerate(lists)
    ]


class TestPublishedActivations:
    @pytest.mark.parametrize("batch_words", [1, 50, 1024])
    def test_the_top_layer_with_carried_states(self, published: Path, batch_words: int) -> None:
        documents = texts(published)
        mine = elmo_carried(str(published), EncoderOptions(batch_words=batch_words))
        for k, (document, array) in enumerate(zip(documents, mine.encode(documents), strict=True)):
            with h5py.File(published / f"lm_embeddings_{k}.hdf5") as file:
                gold = [file[str(i)][...] for i in range(len(document.sentences))]
            # each (2, words, dim): forwards and backwards
            both = np.concatenate([np.concatenate(list(states), axis=1) for states in gold])
            assert_near(array[-1], both)

    @pytest.mark.parametrize("factory", [elmo, elmo_carried])
    def test_the_character_vectors_of_the_vocabulary(self, published: Path, factory: Any) -> None:
        words = (published / "vocab_test.txt").read_text().splitlines()
        assert {"<S>", "</S>"} < set(words)
        document = Document("vocabulary", (Sentence.from_words(words),))
        layer = encode(factory(str(published), EncoderOptions()), [document])[0][0]
        with h5py.File(published / "elmo_token_embeddings.hdf5") as file:
            gold = file["embedding"][...]  # (words, dim)
        assert_near(layer, np.concatenate([gold, gold], axis=1))

    def test_all_layers_without_carried_states(self, published: Path) -> None:
        """Against allennlp's cell, with the same weights and published character vectors."""
        documents = texts(published)
        words = (published / "vocab_test.txt").read_text().splitlines()
        with h5py.File(published / "elmo_token_embeddings.hdf5") as file:
            vectors = dict(zip(words, torch.from_numpy(file["embedding"][...]), strict=True))
        with h5py.File(published / "lm_weights.hdf5") as file:
            cells = [[_cell(file, side, layer) for layer in (0, 1)] for side in (0, 1)]
        arrays = encode(elmo(str(published), EncoderOptions()), documents)
        carried = encode(elmo_carried(str(published), EncoderOptions()), documents)
        for document, array, other in zip(documents, arrays, carried, strict=True):
            for i, sentence in enumerate(document.sentences):
                place = slice(document.sentence_starts[i], document.sentence_starts[i + 1])
                x = torch.stack([vectors[word] for word in ("<S>", *sentence.words, "</S>")])
                assert_near(array[:, place], _stateless(cells, x))
                # The states of the sentence before are what the two differ by.
                difference = np.abs(array[1:, place] - other[1:, place]).max()
                assert difference < 1e-5 if i == 0 else difference > 0.1


def _cell(file: Any, side: int, layer: int) -> LstmCellWithProjection:
    weights = file[f"RNN_{side}/RNN/MultiRNNCell/Cell{layer}/LSTMCell"]
    hidden, dim = weights["W_P_0"].shape
    cell = LstmCellWithProjection(
        dim, dim, hidden, memory_cell_clip_value=3.0, state_projection_clip_value=3.0
    )
    i, j, f, o = (np.arange(hidden) + k * hidden for k in range(4))
    matrix, bias = (torch.from_numpy(weights[name][...]) for name in ("W_0", "B"))
    order = np.concatenate([i, f, j, o])
    bias = bias + torch.from_numpy(np.isin(np.arange(4 * hidden), f).astype(np.float32))
    with torch.no_grad():
        cell.input_linearity.weight.copy_(matrix[:dim, order].T)
        cell.state_linearity.weight.copy_(matrix[dim:, order].T)
        cell.state_linearity.bias.copy_(bias[order])
        cell.state_projection.weight.copy_(torch.from_numpy(weights["W_P_0"][...]).T)
    return cell


@torch.no_grad()
def _stateless(cells: list[list[LstmCellWithProjection]], x: torch.Tensor) -> NDArray[np.float32]:
    """All layers of one sentence between its marks, (time, dim) to (layers, words, 2 * dim)."""
    sides = []
    for pair, text in zip(cells, (x, x.flip(0)), strict=True):
        first, _ = pair[0](text[None], [len(text)])
        second, _ = pair[1](first, [len(text)])
        sides.append([text, first[0], second[0] + first[0]])
    layers = zip(sides[0], (states.flip(0) for states in sides[1]), strict=True)
    return torch.stack([torch.cat(halves, dim=1)[1:-1] for halves in layers]).numpy()


class TestContract:
    @pytest.mark.parametrize("carried", [False, True])
    def test_every_clause_holds(self, carried: bool) -> None:
        clauses = check_encoder(encoder(carried))
        assert [clause for clause in clauses if not clause.passed] == []
        assert {"long documents", "random weights", "fingerprint"} <= {c.name for c in clauses}

    def test_it_is_an_encoder_that_tells_what_it_is(self) -> None:
        mine = encoder(False)
        for protocol in (Encoder, Randomisable, InputReporter, Configured):
            assert isinstance(mine, protocol)
        assert list(mine.layer_names) == ["characters", "LSTM 1", "LSTM 2"]
        assert mine.dim == 2 * DIM and mine.final_norm is False
        assert mine.settings == {"context": "sentence", "states": "stateless"}
        assert encoder(True).settings == {"context": "document", "states": "carried"}

    def test_the_report_counts_what_is_read_at_once(self) -> None:
        words = sum(len(document) for document in DOCUMENTS)
        cut = sum(word == "x" * 60 for document in DOCUMENTS for word in document.words)
        report = {"words": words, "cut_words": cut}
        assert encoder(False).input_report(DOCUMENTS) == report | {"windows": 10}
        assert encoder(True).input_report(DOCUMENTS) == report | {"windows": 5}

    def test_a_folder_must_be_named(self) -> None:
        for factory, name in ((elmo, "elmo"), (elmo_carried, "elmo-carried")):
            with pytest.raises(ModelError, match=f"--encoder {name}: needs a folder; {name}:FOLD"):
                factory("", EncoderOptions())


class TestStates:
    def test_stateless_a_word_sees_its_sentence_alone(self) -> None:
        document = DOCUMENTS[3]
        array = encode(encoder(False), [document])[0]
        for i, sentence in enumerate(document.sentences):
            alone = encode(encoder(False), [Document("s", (sentence,))])[0]
            assert_near(
                array[:, document.sentence_starts[i] : document.sentence_starts[i + 1]], alone
            )

    @pytest.mark.parametrize("changed", range(4))
    def test_carried_a_word_sees_the_sentences_before(self, changed: int) -> None:
        document = DOCUMENTS[3]
        other = list(document.sentences)
        other[changed] = Sentence.from_words(["b"] * len(other[changed].words))
        mine = encoder(True)
        before, after = encode(mine, [document, Document("d", tuple(other))])
        moved = np.abs(before - after)[1:]  # (layers, words, 2 * dim)
        start = document.sentence_starts[changed]
        assert moved[:, :start].max(initial=0.0) <= 1e-6
        for next_one in document.sentence_starts[changed + 1 : -1]:
            for half in (slice(None, DIM), slice(DIM, None)):
                assert moved[:, next_one : next_one + 1, half].max() > 1e-4

    def test_carried_the_states_are_reset_at_each_document(self) -> None:
        first = encode(encoder(True), [DOCUMENTS[3]])[0][:, :9]
        alone = encode(encoder(False), [DOCUMENTS[3]])[0][:, :9]
        assert_near(first, alone)

    @pytest.mark.parametrize("carried", [False, True])
    @pytest.mark.parametrize("batch_words", [1, 33, 10_000])
    def test_a_document_is_the_same_in_any_batch(self, carried: bool, batch_words: int) -> None:
        alone = [encode(encoder(carried), [d])[0] for d in DOCUMENTS]
        together = encode(encoder(carried, batch_words=batch_words), DOCUMENTS[::-1])
        for one, other in zip(alone, together[::-1], strict=True):
            assert_near(one, other)

    @pytest.mark.parametrize("carried", [False, True])
    def test_a_long_sentence_is_read_whole_in_bounded_memory(
        self, carried: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One pass of the stacks by hand, against pieces that fit into a batch."""
        document = draw("long", 700)
        mine = encoder(carried, batch_words=32)
        model = mine._model
        with torch.inference_mode():
            vectors = mine._word_vectors(["<S>", *document.words, "</S>"])
            ahead = [states[0, 1:] for states in model.forward_stack(vectors[None, :-1])]
            back = model.backward_stack(vectors.flip(0)[None, :-1])
        expected = np.array(
            [
                torch.cat([left, right[0, 1:].flip(0)], dim=1).numpy()
                for left, right in zip(ahead, back, strict=True)
            ]
        )
        sizes = []
        forward = Layer.forward

        def watched(self: Layer, x: torch.Tensor, *rest: Any) -> Any:
            sizes.append(x.shape[0] * x.shape[1])
            return forward(self, x, *rest)

        monkeypatch.setattr(Layer, "forward", watched)
        array = encode(mine, [document, *DOCUMENTS])[0]
        assert_near(array[1:], expected)
        assert max(sizes) == 32


class TestIdentity:
    def test_all_that_decides_numbers_is_in_the_fingerprint(self) -> None:
        kinds = [encoder(False), encoder(True), encoder(False, "tanh")]
        kinds += [kind.randomised(0) for kind in kinds]
        kinds.append(kinds[0].randomised(1))
        assert len({kind.fingerprint for kind in kinds}) == len(kinds)
        arrays = [encode(kind, DOCUMENTS[3:4])[0] for kind in kinds]
        for i, one in enumerate(arrays):
            assert all(np.abs(one - other).max() > 1e-3 for other in arrays[:i])

    def test_nothing_else_is(self) -> None:
        for carried in (False, True):
            one = encoder(carried)
            other = encoder(carried, batch_words=3, context="sentence", subword_pooling="last")
            assert one.fingerprint == other.fingerprint
            assert one.settings == other.settings
            for left, right in zip(encode(one, DOCUMENTS), encode(other, DOCUMENTS), strict=True):
                assert_near(left, right)

    def test_random_weights_keep_the_kind(self) -> None:
        for carried in (False, True):
            mine = encoder(carried)
            state = torch.random.get_rng_state()
            drawn = mine.randomised(3)
            assert torch.equal(torch.random.get_rng_state(), state)
            assert drawn.settings == mine.settings and drawn.layer_names == mine.layer_names
            assert drawn.parameters == mine.parameters
