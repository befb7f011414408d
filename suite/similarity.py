"""The similarity of the words of one text at each layer, from the text on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..core.errors import DataError
from ..core.types import SPLITS, Document, Sentence, Span
from ..encoders.base import Encoder
from ..encoders.running_text import split_words
from ..encoders.store import Store
from ..probes.similarity import cosines
from ..tasks.corpora import load_corpus
from .blame import blame


@dataclass(frozen=True)
class LayerSimilarity:
    """A layer and the cosines of its words, (words, words)."""

    layer: int
    name: str
    cosines: NDArray[np.float64]


def sentence_of(text: str, words: Sequence[str] = ()) -> Sentence:
    """The text as a sentence: split as treebanks of English are, unless its words are given."""
    if words:
        return Sentence.from_words(words)
    offsets, end = [], 0
    for word in split_words(text):
        start = text.index(word, end)
        end = start + len(word)
        offsets.append(Span(start, end))
    if not offsets:
        raise DataError("has no word", where="--text")
    return Sentence(tuple(text[o.start : o.end] for o in offsets), text, tuple(offsets))


def layer_similarities(
    encoder: Encoder, sentence: Sentence, layers: Sequence[int], centre: str | None = None
) -> list[LayerSimilarity]:
    """The cosines at the layers; ``centre`` names a corpus whose mean is taken off each layer."""
    document = Document("text", (sentence,))
    with blame(f"encoder {encoder.name}"):
        (array,) = encoder.encode([document])  # (layers, words, dim)
    means = None if centre is None else _means(encoder, centre, layers)
    return [
        LayerSimilarity(
            layer,
            encoder.layer_names[layer],
            cosines(array[layer], None if means is None else means[layer]),
        )
        for layer in layers
    ]


def _means(encoder: Encoder, corpus: str, layers: Sequence[int]) -> dict[int, NDArray[np.float64]]:
    """Each layer's mean vector, (dim,), over the words of the corpus's training split."""
    documents = [annotated.document for annotated in load_corpus(corpus).splits[SPLITS[0]]]
    with blame(f"encoder {encoder.name}"):
        activations = Store().activations(encoder, documents)
    return {layer: np.mean(activations.layer(layer), axis=0, dtype=np.float64) for layer in layers}
