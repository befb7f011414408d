"""Words from characters: the context-free layer 0 of every biLM.

A word is its UTF-8 bytes between a begin and an end mark. Convolutions of several widths, a
maximum over the positions, highway layers and a projection make one vector of it (Kim et al.
2016, section 2; Peters et al. 2018, arXiv 1808.08949, section 3.1).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from allennlp_light.modules.highway import Highway
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt
from torch import Tensor, nn

# 0 pads, 1..256 are the bytes, the rest are marks. 262 codes in all, as in the published model.
_PAD, _WORD_BEGIN, _WORD_END, _TEXT_BEGIN, _TEXT_END = 0, 257, 258, 259, 260
CODES = 262

BEGIN, END = "<begin of text>", "<end of text>"
"""Two words of their own: what stands before the first word and after the last."""


class CharacterSettings(BaseModel):
    """``filters`` are (width, number) pairs; a word of more than ``longest - 2`` bytes is cut."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    embedding: PositiveInt = 16
    filters: tuple[tuple[PositiveInt, PositiveInt], ...] = Field(
        ((1, 16), (2, 16), (3, 32), (4, 64), (5, 64), (6, 64)), min_length=1
    )
    highways: NonNegativeInt = 1
    longest: int = Field(50, ge=3)


PAPER = CharacterSettings(
    filters=((1, 32), (2, 32), (3, 64), (4, 128), (5, 256), (6, 512), (7, 1024)), highways=2
)


class CharacterCNN(nn.Module):
    """Words as codes, of shape (words, characters), to vectors of shape (words, dim)."""

    def __init__(self, settings: CharacterSettings, dim: int) -> None:
        super().__init__()
        self.settings = settings
        self.embedding = nn.Embedding(CODES, settings.embedding, padding_idx=_PAD)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(settings.embedding, number, width) for width, number in settings.filters
        )
        channels = sum(number for _, number in settings.filters)
        self.highways = Highway(channels, settings.highways)
        self.projection = nn.Linear(channels, dim)

    def forward(self, codes: Tensor) -> Tensor:
        characters = self.embedding(codes).transpose(1, 2)  # (words, embedding, characters)
        pooled = [
            torch.relu(convolution(characters).amax(dim=2))  # (words, number)
            for convolution in self.convolutions
        ]
        vectors: Tensor = self.projection(self.highways(torch.cat(pooled, dim=1)))
        return vectors  # (words, dim)

    def codes(self, words: Sequence[str]) -> NDArray[np.int16]:
        """The words as codes, of shape (words, characters).

        Every word is followed by at least as many pads as the widest filter is wide. Then each
        filter sees every partly padded place and one that is all padding, and the maximum over
        the places is the same however many pads follow: a word's vector never depends on the
        length of its neighbours.
        """
        rows = [self._code(word) for word in words]
        width = max(len(row) for row in rows) + max(width for width, _ in self.settings.filters)
        table = np.full((len(rows), width), _PAD, dtype=np.int16)
        for line, row in zip(table, rows, strict=True):
            line[: len(row)] = row
        return table

    def _code(self, word: str) -> list[int]:
        if word == BEGIN or word == END:
            return [_WORD_BEGIN, _TEXT_BEGIN if word == BEGIN else _TEXT_END, _WORD_END]
        bytes_ = word.encode("utf-8", "surrogatepass")[: self.settings.longest - 2]
        return [_WORD_BEGIN, *(byte + 1 for byte in bytes_), _WORD_END]
