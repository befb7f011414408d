"""A small character language model of scored candidates, which writes candidates for a score.

It reads lines such as ``9433213``: a mark, which says in which tenth of the training sample the
candidate's loss lies (9: the lowest losses), and the candidate. What it writes after ``9`` is
another candidate of that tenth: a language model that knows good cells from others as text alone.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Collection, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from ....core.errors import DataError

MARKS = "0123456789"
BEST = MARKS[-1]
_END = "\n"
_LONGEST = 512  # characters that it writes
_BATCH = 50  # lines


class CharacterModel(nn.Module):
    """A recurrent network over characters (Mikolov et al. 2010; a GRU, Cho et al. 2014).

    ``bounds`` are the losses between two tenths, from the lowest tenth on.
    """

    def __init__(self, characters: Sequence[str], bounds: Sequence[float], dim: int = 64) -> None:
        super().__init__()
        self.characters = tuple(characters)
        self.bounds = tuple(bounds)
        self.table = nn.Embedding(len(characters), dim)
        self.dropout = nn.Dropout(0.2)
        self.recurrent = nn.GRU(dim, dim, batch_first=True)
        self.output = nn.Linear(dim, len(characters))
        self._numbers = {character: number for number, character in enumerate(characters)}

    def forward(self, text: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Scores of the next character and the state, from characters (batch, time)."""
        seen = self.dropout(self.table(text))  # (batch, time, dim)
        hidden, state = self.recurrent(seen, state)  # (batch, time, dim), (1, batch, dim)
        assert state is not None
        return self.output(self.dropout(hidden)), state  # (batch, time, characters)

    def mark(self, loss: float) -> str:
        """The mark of the tenth in which a loss lies."""
        return MARKS[len(MARKS) - 1 - bisect.bisect_right(self.bounds, loss)]

    def line(self, candidate: str, loss: float) -> str:
        """What the model reads of a scored candidate."""
        return f"{self.mark(loss)}{candidate}{_END}"

    def encode(self, text: str) -> list[int]:
        """The numbers of the characters; DataError for one that the training sample lacks."""
        try:
            return [self._numbers[character] for character in text]
        except KeyError as error:
            raise DataError(
                f"unknown character {error.args[0]!r}", where="character model"
            ) from None

    @torch.no_grad()
    def likely(self, beams: int, mark: str = BEST) -> list[tuple[str, float]]:
        """The most probable candidates after a mark, best first, with log probabilities (nats).

        A beam search of width ``beams``: of all beginnings of one length the best are kept.
        """
        end = self._numbers[_END]
        done: list[tuple[str, float]] = []
        scores, state = self(torch.tensor([self.encode(mark)]))  # (1, 1, characters)
        texts, sums = [""], torch.zeros(1)
        for _ in range(_LONGEST):
            steps = sums[:, None] + scores[:, -1].log_softmax(-1)  # (beams, characters)
            done += [(text, float(steps[row, end])) for row, text in enumerate(texts) if text]
            steps[:, end] = -math.inf
            best = steps.flatten().topk(min(beams, steps.numel() - len(texts)))
            rows, letters = best.indices // steps.shape[1], best.indices % steps.shape[1]
            done = sorted(done, key=lambda each: -each[1])[:beams]
            if len(done) == beams and done[-1][1] >= float(best.values[0]):
                break  # a beginning is never less probable than what follows from it
            texts = [
                texts[row] + self.characters[letter]
                for row, letter in zip(rows.tolist(), letters.tolist(), strict=True)
            ]
            sums = best.values  # (beams,)
            scores, state = self(letters[:, None], state[:, rows])
        return done

    @torch.no_grad()
    def draw(self, temperature: float, generator: torch.Generator, mark: str = BEST) -> str:
        """A candidate at random, each character from the softmax of scores / ``temperature``."""
        end = self._numbers[_END]
        scores, state = self(torch.tensor([self.encode(mark)]))
        text = ""
        for _ in range(_LONGEST):
            shares = (scores[0, -1] / temperature).softmax(-1)  # (characters,)
            letter = int(torch.multinomial(shares, 1, generator=generator))
            if letter == end:
                break
            text += self.characters[letter]
            scores, state = self(torch.tensor([[letter]]), state)
        return text

    def propose(
        self, named: Collection[str], temperature: float = 0.0, seed: int = 0, tries: int = 50
    ) -> str:
        """A candidate of the best tenth that is not among ``named``, where one is found.

        At temperature 0 the most probable of them, else one at random.
        """
        if temperature <= 0:
            beams = len(named) + 8
            return next(text for text, _ in self.likely(beams) if text not in named)
        generator = torch.Generator().manual_seed(seed)
        for _ in range(tries):
            if (text := self.draw(temperature, generator)) not in named:
                break
        return text


def train_character_model(
    candidates: Sequence[str],
    losses: Sequence[float],
    seed: int = 0,
    epochs: int = 30,
    dim: int = 64,
    learning_rate: float = 5e-3,
) -> CharacterModel:
    """A model of these candidates by next-character cross-entropy, in evaluation mode.

    Adam, a rate that falls to 0 along half a cosine. DataError for fewer than ten candidates with
    a finite loss.
    """
    scored = [
        (text, loss)
        for text, loss in zip(candidates, losses, strict=True)
        if text and math.isfinite(loss)
    ]
    if len(scored) < len(MARKS):
        raise DataError(
            f"{len(scored)} scored candidates", where="character model", cure="give 10 or more"
        )
    bounds = np.quantile([loss for _, loss in scored], np.arange(1, len(MARKS)) / len(MARKS))
    characters = sorted({*MARKS, _END}.union(*(text for text, _ in scored)))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # of the weights and the dropout
        model = CharacterModel(characters, bounds.tolist(), dim)
        lines = [torch.tensor(model.encode(model.line(text, loss))) for text, loss in scored]
        _fit(model, lines, epochs, learning_rate, torch.Generator().manual_seed(seed))
    return model.eval()


def _fit(
    model: CharacterModel,
    lines: Sequence[Tensor],
    epochs: int,
    learning_rate: float,
    generator: torch.Generator,
) -> None:
    text = nn.utils.rnn.pad_sequence(list(lines), True, padding_value=-1)  # (lines, time)
    optimiser = torch.optim.Adam(model.parameters(), lr=learning_rate, weight_decay=1e-5)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
        optimiser, epochs * math.ceil(len(lines) / _BATCH)
    )
    for _ in range(epochs):
        for rows in torch.split(torch.randperm(len(lines), generator=generator), _BATCH):
            batch = text[rows]  # (batch, time)
            scores, _ = model(batch[:, :-1].clamp(min=0))  # (batch, time - 1, characters)
            loss = nn.functional.cross_entropy(
                scores.flatten(0, 1), batch[:, 1:].flatten(), ignore_index=-1
            )
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
