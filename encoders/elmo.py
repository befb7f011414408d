"""ELMo as its authors published it: ``elmo:FOLDER`` and ``elmo-carried:FOLDER``.

The model (Peters et al. 2018, arXiv 1802.05365) reads sentence by sentence, each between its
marks, however long the sentence is. The original is not a function of the sentence: its LSTMs go
on from the states that the sentence before left behind, so a vector depends on what was encoded
earlier (https://github.com/allenai/allennlp/issues/1169). ``elmo`` is stateless: the states are 0
before each sentence. ``elmo-carried`` does as the original did, but within a document only, so a
document's vectors are the same whatever comes before it or beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..core.errors import ModelError
from ..core.provenance import source_hash
from ..core.types import Document
from .base import EncoderOptions, fingerprint_of
from .bilm import BiLM
from .bilm_encoder import BiLMEncoder
from .character_cnn import BEGIN, END, CharacterCNN
from .elmo_characters import ElmoCharacters
from .elmo_weights import build, load_elmo
from .lstm import Stack, State

_STEPS = 16  # words of each row that go through a layer at once
_BEGIN, _END = 0, 1  # the numbers of the marks


class ElmoEncoder(BiLMEncoder):
    """An ELMo as an ``Encoder``; also ``Randomisable``, ``InputReporter``, ``Configured``.

    ``carried`` says whether the states go on from sentence to sentence of a document, in both
    directions: then a word sees its sentence and the ones before. Otherwise it sees its sentence
    alone. The option ``context`` changes nothing; ``settings`` tells which of the two it is.
    """

    def __init__(self, name: str, model: BiLM, options: EncoderOptions, carried: bool) -> None:
        context = "document" if carried else "sentence"
        super().__init__(name, model, replace(options, context=context))
        self.settings = {"context": context, "states": "carried" if carried else "stateless"}
        self._carried = carried
        self.fingerprint = fingerprint_of(
            {},
            self.fingerprint,
            self._characters.activation,
            source_hash(__name__, CharacterCNN.__module__),
        )

    @property
    def _characters(self) -> ElmoCharacters:
        return cast(ElmoCharacters, self._model.characters)

    def randomised(self, seed: int) -> ElmoEncoder:
        """The same architecture with weights drawn anew, as before pretraining."""
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            model = build(self._model.settings, self._characters.activation)
        return ElmoEncoder(f"{self.name}+random", model, self._options, self._carried)

    def _encode_group(self, documents: Sequence[Document]) -> Iterator[NDArray[np.float32]]:
        layers = len(self.layer_names)
        arrays = [np.empty((layers, len(d), self.dim), dtype=np.float32) for d in documents]
        numbers: dict[str, int] = {BEGIN: _BEGIN, END: _END}
        texts = [
            text
            for document, array in zip(documents, arrays, strict=True)
            for text in self._texts(document, array, numbers)
        ]
        texts.sort(key=lambda text: len(text.read[0]))
        rows = max(1, self._options.batch_words // _STEPS)
        with torch.inference_mode():
            vectors = self._word_vectors(list(numbers))  # (types, dim)
            for i in range(0, len(texts), rows):
                self._fill(texts[i : i + rows], vectors)
        yield from arrays

    def _texts(
        self, document: Document, array: NDArray[np.float32], numbers: dict[str, int]
    ) -> list[_Text]:
        sentences = [
            np.array([numbers.setdefault(word, len(numbers)) for word in sentence.words])
            for sentence in document.sentences
        ]
        if self._carried:
            return [_text(array, sentences)]
        return [
            _text(array[:, start : start + len(sentence)], [sentence])
            for start, sentence in zip(document.sentence_starts[:-1], sentences, strict=True)
        ]

    def _fill(self, texts: Sequence[_Text], vectors: Tensor) -> None:
        """Write the vectors of all layers into the texts' arrays."""
        dim = self._model.dim
        stacks = (self._model.forward_stack, self._model.backward_stack)
        for side, stack in enumerate(stacks):
            table = np.full((len(texts), max(len(t.read[side]) for t in texts)), _BEGIN)
            for line, text in zip(table, texts, strict=True):
                line[: len(text.read[side])] = text.read[side]
            states = self._run(cast(Stack, stack), vectors, table)  # (layers, rows, time, dim)
            half = slice(side * dim, (side + 1) * dim)
            for row, text in enumerate(texts):
                words = text.read[side][text.places[side]]
                text.array[0, :, half] = vectors[torch.from_numpy(words)].float().cpu().numpy()
                text.array[1:, :, half] = states[:, row, text.places[side]]

    def _run(self, stack: Stack, vectors: Tensor, table: NDArray[np.int64]) -> NDArray[np.float32]:
        """All layers of rows of word numbers, of shape (layers, rows, time, dim).

        A few steps of all rows go through at once, so that memory is bounded by the batch,
        whatever the length of a text.
        """
        steps = max(1, self._options.batch_words // len(table))
        last: list[State | None] = [None] * len(stack.blocks)
        parts = []
        for part in torch.split(torch.from_numpy(table).to(vectors.device), steps, dim=1):
            x = vectors[part]  # (rows, steps, dim)
            outputs = []
            for layer, block in enumerate(stack.blocks):
                x, last[layer] = block(x, last[layer])  # (rows, steps, dim)
                outputs.append(x)
            parts.append(torch.stack(outputs).float().cpu())
        states: NDArray[np.float32] = torch.cat(parts, dim=2).numpy()
        return states


class _Text(NamedTuple):
    """Sentences that are read without a reset between them, by the numbers of their words."""

    array: NDArray[np.float32]
    """Where their vectors go, of shape (1 + layers, words, 2 * dim)."""

    read: tuple[NDArray[np.int64], NDArray[np.int64]]
    """What each direction reads, marks and words."""

    places: tuple[NDArray[np.int64], NDArray[np.int64]]
    """Where in it each word stands."""


def _text(array: NDArray[np.float32], sentences: Sequence[NDArray[np.int64]]) -> _Text:
    """Both directions take the sentences in order; one reads each forwards, one backwards."""
    begin, end = np.array([_BEGIN]), np.array([_END])
    ahead, back, ahead_places, back_places = [], [], [], []
    before = 0
    for words in sentences:
        count = np.arange(len(words))
        ahead += [begin, words, end]
        back += [end, words[::-1], begin]
        ahead_places.append(before + 1 + count)
        back_places.append(before + len(words) - count)
        before += len(words) + 2
    # No word comes after the last mark.
    read = (np.concatenate(ahead)[:-1], np.concatenate(back)[:-1])
    return _Text(array, read, (np.concatenate(ahead_places), np.concatenate(back_places)))


def elmo(argument: str, options: EncoderOptions) -> ElmoEncoder:
    """The ELMo in a folder, its states reset before each sentence."""
    return _load("elmo", argument, options, carried=False)


def elmo_carried(argument: str, options: EncoderOptions) -> ElmoEncoder:
    """The ELMo in a folder, its states carried from sentence to sentence of a document."""
    return _load("elmo-carried", argument, options, carried=True)


def _load(name: str, argument: str, options: EncoderOptions, carried: bool) -> ElmoEncoder:
    if not argument:
        raise ModelError("needs a folder", where=f"--encoder {name}", cure=f"{name}:FOLDER")
    model = load_elmo(Path(argument).expanduser())
    return ElmoEncoder(f"{name}:{argument}", model, options, carried)
