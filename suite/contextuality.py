"""Word form against context, layer by layer, from text to records: one unit a measure and layer.

Each measure is a task of its own name, so that tables show them side by side: the mean cosine of
random words (anisotropy), self-similarity, intra-sentence similarity and maximum explainable
variance (mev) of Ethayarajh 2019, and the share of variance between word forms. Intervals are a
bootstrap over word forms, or over sentences for the two measures of sentences; what random words
give is held in it.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core import progress, provenance
from ..core.errors import DataError, in_one_line
from ..core.types import SPLITS, Document, text_hash
from ..encoders.base import Configured, Encoder
from ..encoders.store import Activations, Store
from ..probes import contextuality as measures
from ..probes.contextuality import Groups
from ..results.records import Interval, Key, Record
from ..results.statistics import bootstrap_interval
from ..tasks.corpora import load_corpus
from .blame import blame
from .config import RunConfig, select_layers
from .encoder_options import encoder_of
from .outcome import Outcome, over_encoders

FEWEST = 5
"""Occurrences that a form needs, as in the paper (section 3.2)."""

PROBE = "contextuality.v1"

ADJUSTED = "adjusted"
"""The score of a measure less that of random words, layer by layer."""

MEASURES = {
    "anisotropy": "cosine",
    "self_similarity": ADJUSTED,
    "intra_similarity": ADJUSTED,
    "mev": ADJUSTED,
    "form_variance": "eta_squared",
}
"""Each measure, and the score that stands for it."""

_SHUFFLE = 0  # the seed of random groups


@dataclass(frozen=True)
class Words:
    """All words of a corpus, its splits one after another, and what they belong to.

    ``forms`` are the groups of occurrences of a form (a string of characters, case kept) that
    occurs ``FEWEST`` times at least, ``sentences`` those of two words at least.
    """

    documents: dict[str, list[Document]]
    forms: Groups
    sentences: Groups
    corpus: str
    facts: dict[str, Any]

    @property
    def text(self) -> str:
        """The sha256 of the text of all splits."""
        hashes = " ".join(text_hash(documents) for documents in self.documents.values())
        return hashlib.sha256(hashes.encode()).hexdigest()


def evaluate(config: RunConfig) -> Outcome:
    """Measure the layers of every encoder on all text of the data; return the records.

    What is recorded already is not measured again. Of the configuration, ``task`` and what is
    about probes say nothing here.
    """
    words = read_words(config.data)

    def measure(name: str, known: Mapping[str, Record]) -> tuple[list[Record], Iterator[Record]]:
        encoder = encoder_of(config, name)
        recorded, missing = [], []
        for layer in select_layers(config.layers, len(encoder.layer_names)):
            keys = {measure: _key(encoder, words, measure, layer) for measure in MEASURES}
            if all(key.id in known for key in keys.values()):
                recorded += [known[key.id] for key in keys.values()]
            else:
                missing.append((layer, keys))
        return recorded, _compute(encoder, words, missing)

    return over_encoders(config.encoder, config.folder(), measure)


def read_words(data: str) -> Words:
    """The corpus's words by form and by sentence. DataError where too few forms come again."""
    corpus = load_corpus(data)
    documents = {
        name: [annotated.document for annotated in corpus.splits[name]]
        for name in SPLITS
        if name in corpus.splits
    }
    every = [document for split in documents.values() for document in split]
    words = [word for document in every for word in document.words]
    sentences = [sentence for document in every for sentence in document.sentences]
    numbers: dict[str, int] = {}
    forms = Groups.of(np.array([numbers.setdefault(word, len(numbers)) for word in words]), FEWEST)
    lengths = np.array([len(sentence.words) for sentence in sentences])
    of_sentences = Groups.of(np.repeat(np.arange(len(sentences)), lengths), 2)
    if len(forms) < 2 or len(of_sentences) < 2:
        raise DataError(
            f"{len(forms)} word forms occur {FEWEST} times or more, and {len(of_sentences)} "
            "sentences have two words: too few",
            where=f"--data {data}",
            cure="take more text",
        )
    facts = {
        "scored_on": list(documents),
        "words": len(words),
        "forms": len(numbers),
        "sentences": len(sentences),
        f"forms_of_{FEWEST}_occurrences": len(forms),
        "words_of_those_forms": len(forms.order),
        "corpus": {
            key: value for key, value in corpus.facts.items() if key != "texts_in_two_splits"
        },
    }
    return Words(documents, forms, of_sentences, corpus.name, facts)


def _key(encoder: Encoder, words: Words, measure: str, layer: int) -> Key:
    return Key(
        encoder=encoder.name,
        fingerprint=encoder.fingerprint,
        task=f"{measure}.v1",
        data=words.corpus,
        data_hash=words.text,
        layer=layer,
        probe=PROBE,
        seed=0,
        settings={
            "fewest_occurrences": FEWEST,
            **(encoder.settings if isinstance(encoder, Configured) else {}),
        },
    )


def _compute(
    encoder: Encoder, words: Words, missing: Sequence[tuple[int, Mapping[str, Key]]]
) -> Iterator[Record]:
    if not missing:
        return
    store = Store()
    with blame(f"encoder {encoder.name}"):
        stored = [store.activations(encoder, documents) for documents in words.documents.values()]
    steps = len(missing) * len(MEASURES)
    with progress.bar(f"comparing words of {encoder.name}", steps) as advance:
        for layer, keys in missing:
            vectors = np.concatenate([entry.layer(layer) for entry in stored])  # (words, dim)
            for measure, key in keys.items():
                yield _record(encoder, words, stored, measure, key, vectors)
                advance(1, "")


def _record(
    encoder: Encoder,
    words: Words,
    stored: Sequence[Activations],
    measure: str,
    key: Key,
    vectors: NDArray[np.floating[Any]],
) -> Record:
    started = time.perf_counter()
    common: dict[str, Any] = {
        "key": key,
        "layer_name": encoder.layer_names[key.layer],
        "layers": len(encoder.layer_names),
        "metric": MEASURES[measure],
        "facts": {
            **words.facts,
            "encoder": {"parameters": encoder.parameters, "dim": encoder.dim},
        },
        "provenance": provenance.describe(),
    }
    try:
        scores, interval, baselines = _MEASURED[measure](vectors, words)
    except Exception as error:
        return Record(status="failed", error=in_one_line(error), **common)
    return Record(
        status="ok",
        scores=scores,
        interval=interval,
        baselines=baselines,
        timing={
            "encode_seconds": round(sum(entry.seconds for entry in stored), 3),
            "score_seconds": round(time.perf_counter() - started, 3),
        },
        **common,
    )


Found = tuple[dict[str, float], Interval | None, dict[str, dict[str, float]]]


def _anisotropy(vectors: NDArray[Any], words: Words) -> Found:
    sums = measures.sentence_sums(vectors, words.sentences)
    interval = bootstrap_interval(measures.anisotropy, sums)
    return {"cosine": float(measures.anisotropy(sums.sum(axis=0)))}, interval, {}


def _self_similarity(vectors: NDArray[Any], words: Words) -> Found:
    alike = measures.self_similarity(vectors, words.forms)
    return _above(alike, _random_cosine(vectors, words), {"self_similarity": float(alike.mean())})


def _intra_similarity(vectors: NDArray[Any], words: Words) -> Found:
    alike = measures.intra_sentence_similarity(vectors, words.sentences)
    mixed = words.sentences.shuffled(len(vectors), _SHUFFLE)
    shuffled = measures.intra_sentence_similarity(vectors, mixed)
    beside = {
        "intra_sentence_similarity": float(alike.mean()),
        "of_shuffled_words": float(shuffled.mean()),
    }
    return _above(alike, _random_cosine(vectors, words), beside)


def _explainable_variance(vectors: NDArray[Any], words: Words) -> Found:
    share = measures.explainable_variance(vectors, words.forms)
    mixed = words.forms.shuffled(len(vectors), _SHUFFLE)
    random = measures.explainable_variance(vectors, mixed)
    return _above(share, random, {"maximum_explainable_variance": float(share.mean())})


def _random_cosine(vectors: NDArray[Any], words: Words) -> NDArray[np.float64]:
    return measures.anisotropy(measures.sentence_sums(vectors, words.sentences).sum(axis=0))


def _above(
    values: NDArray[np.float64], random: NDArray[np.float64], beside: dict[str, float]
) -> Found:
    """One value a form or sentence, less what random words give: its mean and interval."""
    left = values - random
    counted = np.stack([left, np.ones_like(left)], axis=1)
    interval = bootstrap_interval(lambda sums: np.asarray(sums[..., 0] / sums[..., 1]), counted)
    scores = {ADJUSTED: float(left.mean()), **beside, "of_random_words": float(random.mean())}
    return scores, interval, {}


def _form_variance(vectors: NDArray[Any], words: Words) -> Found:
    sums = measures.form_sums(vectors, words.forms)
    share = float(measures.variance_share(sums.sum(axis=0)))
    chance = measures.chance_share(len(words.forms.order), len(words.forms))
    scores = {
        "eta_squared": share,
        "of_shuffled_forms": chance,
        "adjusted": (share - chance) / (1 - chance),
    }
    interval = bootstrap_interval(measures.variance_share, sums)
    return scores, interval, {"shuffled forms": {"eta_squared": chance}}


_MEASURED: dict[str, Callable[[NDArray[Any], Words], Found]] = {
    "anisotropy": _anisotropy,
    "self_similarity": _self_similarity,
    "intra_similarity": _intra_similarity,
    "mev": _explainable_variance,
    "form_variance": _form_variance,
}
