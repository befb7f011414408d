"""A pretrained biLM as an encoder, and ``local:FOLDER``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..core.errors import ModelError
from ..core.files import canonical_json
from ..core.provenance import source_hash
from ..core.types import Document
from . import checkpoint
from .base import EncoderOptions, fingerprint_of
from .bilm import BiLM, architecture_of, count_parameters, initialise
from .character_cnn import BEGIN, END
from .windows import Window, plan_windows

_LOOK_AHEAD = 16  # batches that are sorted by length together
_TYPES = 1024  # words that go through the character CNN at once


class BiLMEncoder:
    """Any biLM as an ``Encoder``; also ``Randomisable``, ``InputReporter``, ``Configured``.

    A document longer than the text that the model was trained on is read through overlapping
    windows; no state is carried from one window to the next.
    """

    def __init__(self, name: str, model: BiLM, options: EncoderOptions) -> None:
        architecture = architecture_of(model.settings)
        self.name = name
        self.layer_names = ("characters", *architecture.layer_names())
        self.dim = 2 * model.dim
        self.parameters = count_parameters([model])
        self.final_norm = architecture.final_norm
        self.settings = {"context": options.context}
        self._model = model.to(options.device).eval().requires_grad_(False)
        self._options = options
        self.fingerprint = fingerprint_of(
            model.state_dict(),
            canonical_json(model.settings.model_dump()),
            options.context,
            source_hash(
                __name__,
                BiLM.__module__,
                type(architecture).__module__,
                type(model.characters).__module__,
                plan_windows.__module__,
            ),
        )

    def encode(self, documents: Sequence[Document]) -> Iterator[NDArray[np.float32]]:
        """For each document in order, an array of shape (1 + layers, words, 2 * dim)."""
        waiting: list[Document] = []
        words = 0
        for document in documents:
            waiting.append(document)
            words += len(document)
            if words >= _LOOK_AHEAD * self._options.batch_words:
                yield from self._encode_group(waiting)
                waiting, words = [], 0
        if waiting:
            yield from self._encode_group(waiting)

    def randomised(self, seed: int) -> BiLMEncoder:
        """The same architecture with weights drawn anew, as before pretraining."""
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            model = BiLM(self._model.settings)
            initialise(model)
        return BiLMEncoder(f"{self.name}+random", model, self._options)

    def input_report(self, documents: Sequence[Document]) -> dict[str, int]:
        """Words, the windows they are read through, and words cut by the character CNN."""
        longest = self._model.settings.characters.longest - 2
        return {
            "words": sum(len(document) for document in documents),
            "windows": sum(len(self._windows(document)) for document in documents),
            "cut_words": sum(
                len(word.encode("utf-8", "surrogatepass")) > longest
                for document in documents
                for word in document.words
            ),
        }

    def _windows(self, document: Document) -> list[Window]:
        # One place of the training window is taken by the mark before the first word.
        size = self._model.settings.window - 1
        if self._options.context == "document":
            borders: Sequence[int] = (0, len(document))
        else:
            borders = document.sentence_starts
        return [
            Window(*(start + place for place in window))
            for start, end in pairwise(borders)
            for window in plan_windows([1] * (end - start), size)
        ]

    def _encode_group(self, documents: Sequence[Document]) -> Iterator[NDArray[np.float32]]:
        layers = len(self.layer_names)
        arrays = [np.empty((layers, len(d), self.dim), dtype=np.float32) for d in documents]
        numbers: dict[str, int] = {BEGIN: 0, END: 1}
        words = [
            np.array([numbers.setdefault(word, len(numbers)) for word in document.words])
            for document in documents
        ]
        with torch.inference_mode():
            vectors = self._word_vectors(list(numbers))  # (types, dim)
            jobs = [(i, window) for i, d in enumerate(documents) for window in self._windows(d)]
            jobs.sort(key=lambda job: job[1].end - job[1].start)
            for batch in _batches(jobs, self._options.batch_words):
                states = self._states(vectors, [words[i][w.start : w.end] for i, w in batch])
                for row, (i, window) in enumerate(batch):
                    kept = slice(window.keep_start - window.start, window.keep_end - window.start)
                    arrays[i][:, window.keep_start : window.keep_end] = states[:, row, kept]
        yield from arrays

    def _word_vectors(self, words: Sequence[str]) -> Tensor:
        characters = self._model.characters
        parts = [
            characters(
                torch.from_numpy(characters.codes(words[i : i + _TYPES]))
                .to(self._options.device)
                .long()
            )
            for i in range(0, len(words), _TYPES)
        ]
        return torch.cat(parts)  # (words, dim)

    def _states(self, vectors: Tensor, rows: Sequence[NDArray[np.int64]]) -> NDArray[np.float32]:
        """All layers of the rows of word numbers, of shape (layers, rows, time, 2 * dim)."""
        lengths = torch.tensor([len(row) for row in rows])
        table = np.zeros((len(rows), int(lengths.max())), dtype=np.int64)
        for line, row in zip(table, rows, strict=True):
            line[: len(row)] = row
        device = vectors.device
        states = self._model.states(
            vectors[torch.from_numpy(table).to(device)], lengths.to(device), vectors[0], vectors[1]
        )
        return states.float().cpu().numpy()


def local(argument: str, options: EncoderOptions) -> BiLMEncoder:
    """The biLM in a folder that ``probe pretrain`` wrote."""
    if not argument:
        raise ModelError("needs a folder", where="--encoder local", cure="local:FOLDER")
    return BiLMEncoder(f"local:{argument}", checkpoint.load_encoder(Path(argument)), options)


def _batches(
    jobs: Sequence[tuple[int, Window]], batch_words: int
) -> Iterator[Sequence[tuple[int, Window]]]:
    """Runs of jobs, sorted by length, whose padded size is at most ``batch_words`` (or one job)."""
    start = 0
    for end in range(1, len(jobs) + 1):
        if end < len(jobs):
            window = jobs[end][1]
            if (window.end - window.start) * (end + 1 - start) <= batch_words:
                continue
        yield jobs[start:end]
        start = end
