"""ELMo's words from characters: its codes, its padding, its activation.

It is the character CNN of ``character_cnn`` but for three things that decide numbers: pads have
an embedding of their own, a word is always as long as the longest, and the activation is an option
(``UnicodeCharsVocabulary`` and ``BidirectionalLanguageModelGraph`` of bilm-tf).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .character_cnn import BEGIN, CODES, END, CharacterCNN, CharacterSettings

# As bilm-tf counts, plus 1: the bytes, then the marks. Code 0 is never used.
_TEXT_BEGIN, _TEXT_END, _WORD_BEGIN, _WORD_END, _PAD = range(257, CODES)
_MARKS = {BEGIN: _TEXT_BEGIN, "<S>": _TEXT_BEGIN, END: _TEXT_END, "</S>": _TEXT_END}
_ACTIVATIONS = {"relu": torch.relu, "tanh": torch.tanh}

Activation = Literal["relu", "tanh"]


class ElmoCharacters(CharacterCNN):
    """Words as codes, of shape (words, characters), to vectors of shape (words, dim)."""

    def __init__(self, settings: CharacterSettings, dim: int, activation: Activation) -> None:
        super().__init__(settings, dim)
        self.activation: Activation = activation

    def forward(self, codes: Tensor) -> Tensor:
        characters = self.embedding(codes).transpose(1, 2)  # (words, embedding, characters)
        activate = _ACTIVATIONS[self.activation]
        pooled = [
            activate(convolution(characters).amax(dim=2))  # (words, number)
            for convolution in self.convolutions
        ]
        vectors: Tensor = self.projection(self.highways(torch.cat(pooled, dim=1)))
        return vectors  # (words, dim)

    def codes(self, words: Sequence[str]) -> NDArray[np.int16]:
        """The words as codes, of shape (words, characters).

        The words ``<S>`` and ``</S>`` are the marks that stand around a sentence, as they were to
        the model in training. A text cannot tell a lone surrogate, so it is left out.
        """
        rows = [self._code(word) for word in words]
        # Pads beyond what the widest filter needs change no maximum, so they are left away; but a
        # word that nearly fills the longest has fewer in ELMo, and no more are put behind it.
        widest = max(width for width, _ in self.settings.filters)
        width = min(max(len(row) for row in rows) + widest, self.settings.longest)
        table = np.full((len(rows), width), _PAD, dtype=np.int16)
        for line, row in zip(table, rows, strict=True):
            line[: len(row)] = row
        return table

    def _code(self, word: str) -> list[int]:
        if word in _MARKS:
            return [_WORD_BEGIN, _MARKS[word], _WORD_END]
        bytes_ = word.encode("utf-8", "ignore")[: self.settings.longest - 2]
        return [_WORD_BEGIN, *(byte + 1 for byte in bytes_), _WORD_END]
