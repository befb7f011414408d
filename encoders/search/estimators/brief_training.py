"""Brief trainings of many biLMs on one text, in memory: what differs between them is the cell.

The text is read once. All candidates have the same vocabulary, windows, held-out words and
schedule of the learning rate, and nothing is written but the cache of the text.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch

from ....core.errors import DataError, UsageError
from ...bilm import BiLMSettings, build_settings, count_parameters
from ...budget import Budget
from ...character_cnn import CharacterSettings
from ...device import usable
from ...language_model import LanguageModel, perplexity
from ...pretrain import make_trainer, read_both
from ...processes import Processes
from ...token_store import count
from ...training_settings import TrainingSettings, rate
from ...training_step import Trainer
from ...training_text import Text, Windows, build_vocabulary
from ..protocols import Setting, Table
from ..require_cells import require_cells
from ..space.aliases import read_cell
from ..space.validity import check
from ..stack_depth import stack_depth

LIGHT = CharacterSettings(embedding=8, filters=((1, 8), (2, 16), (3, 32)), longest=20)
"""A character CNN that takes less time than the stacks, for widths of some dozens."""


class Point(NamedTuple):
    """The held-out cross-entropy in nats a word after so many words of training."""

    words: int
    loss: float


@dataclass(frozen=True)
class Course:
    """How a training went. ``loss`` is inf if it diverged, and the curve ends before.

    ``parameters`` are those of both stacks, ``seconds`` those of the measurements too.
    """

    loss: float
    curve: tuple[Point, ...]
    parameters: int
    seconds: float

    def details(self) -> dict[str, Any]:
        """What is kept of it in a journal."""
        return {
            "parameters": self.parameters,
            "words": self.curve[-1].words if self.curve else 0,
            "seconds": round(self.seconds, 2),
            "curve": [[words, round(loss, 5)] for words, loss in self.curve],
        }


class BriefTraining:
    """Trains biLMs of the architecture ``cell`` by a setting, ``held_out_words`` to measure them.

    The held-out words are windows at equal distances. UsageError for a space of other things than
    cells, for a setting without text and for what is no size or no device; DataError for too
    little text.
    """

    def __init__(
        self, setting: Setting, where: str, held_out_words: int = 20_000, device: str = "cpu"
    ) -> None:
        require_cells(setting.space, where)
        if not setting.text:
            raise UsageError(
                "a training needs text",
                where=where,
                cure="give --text FILE"
                + (", or take --estimator table" * isinstance(setting.space, Table)),
            )
        if held_out_words < 1:
            raise UsageError(f"{held_out_words} held-out words", where=where, cure="take 1 or more")
        usable(device)
        self.setting = setting
        self._device = device
        self.text, kept = read_both(setting.text, setting.held_out)
        if len(self.text.words) <= setting.window:
            raise DataError(f"fewer words than one window of {setting.window}", where="--text")
        self.held_out = _spread(kept, setting.window, held_out_words)
        self.vocabulary = build_vocabulary(self.text, setting.vocabulary)

    def settings(self, candidate: str) -> BiLMSettings:
        """The biLM of a cell. DataError for what is none, or for none of this width."""
        cell = read_cell(candidate)
        check(cell, self.setting.dim)
        layers = stack_depth(cell, self.setting)
        shape = {"cell": candidate, "dim": self.setting.dim, "layers": layers}
        window = self.setting.window
        return build_settings("cell", "small", shape, window=window, characters=LIGHT)

    def steps(self, words: float) -> int:
        """The steps that read so many words, the last one begun; at least one."""
        return max(math.ceil(words / self.words_a_step - 1e-9), 1)

    @property
    def words_a_step(self) -> int:
        """The words of a step's windows."""
        return self.setting.batch * self.setting.window

    def trainer(self, candidate: str, seed: int) -> Trainer:
        """A model whose weights are drawn from the seed. The state of ``torch.random`` is spent."""
        training = TrainingSettings(
            budget=Budget(1, "steps"),  # how long it is, the caller says
            batch=self.setting.batch,
            vocabulary=self.setting.vocabulary,
            learning_rate=self.setting.learning_rate,
            seed=seed,
        )
        settings = self.settings(candidate)
        return make_trainer(
            settings, training, self.text, self.vocabulary, self._device, Processes(), None
        )

    def windows(self, seed: int) -> Windows:
        """The windows of each step, in an order drawn from the seed."""
        size, batch = self.setting.window, self.setting.batch
        return Windows(self.text, window=size, batch=batch, seed=seed)

    def run(
        self, candidate: str, words: float, seed: int, points: int = 1, share: float = 1.0
    ) -> Course:
        """The first ``share`` of a training on ``words`` words, measured ``points`` times.

        The learning rate goes as in the whole training, so a share of a long one is no short one.
        The points lie at equal distances, the last at the end; the loss is that of the last, or
        what the setting's judge says then. The same seed, the same weights. A training whose loss
        or gradient is not finite ends there.
        """
        started = time.perf_counter()
        total = self.steps(words)
        stop = max(math.ceil(total * share - 1e-9), 1)
        due = {math.ceil(stop * point / points) for point in range(1, points + 1)}
        curve: list[Point] = []
        loss = math.inf
        with forked():
            trainer, windows = self.trainer(candidate, seed), self.windows(seed)
            for step in range(stop):
                if not try_step(trainer, step, windows(step), rate(step, total, WARMUP)):
                    break
                if step + 1 in due:
                    measured = self.loss(trainer.model)
                    if not math.isfinite(measured):
                        break
                    curve.append(Point((step + 1) * self.words_a_step, measured))
            else:
                loss = self.judged(trainer.model) if self.setting.judge else curve[-1].loss
        stacks = [trainer.model.bilm.forward_stack, trainer.model.bilm.backward_stack]
        seconds = time.perf_counter() - started
        return Course(loss, tuple(curve), count_parameters(stacks), seconds)

    def loss(self, model: LanguageModel) -> float:
        """The held-out cross-entropy in nats a word, the mean of both directions; inf for none."""
        try:
            found = perplexity(model, self.held_out, self.vocabulary, self._device)["mean"]
        except OverflowError:  # beyond e^709
            return math.inf
        return math.log(found) if math.isfinite(found) else math.inf

    def judged(self, model: LanguageModel) -> float:
        """What the setting's judge says of a model, or else its held-out cross-entropy."""
        if self.setting.judge is None:
            return self.loss(model)
        model.eval()
        loss = self.setting.judge(model.bilm)
        model.train()
        return loss if math.isfinite(loss) else math.inf


WARMUP = TrainingSettings().warmup


def try_step(trainer: Trainer, number: int, words: np.ndarray[Any, Any], share: float) -> bool:
    """Make a step of windows, (batch, time); False, and no step, where it would not be finite."""
    try:
        trainer.step(number, words, share)
    except UsageError:  # the only one that a step raises
        return False
    return True


@contextmanager
def forked() -> Iterator[None]:
    """What is drawn within leaves torch's generators as they were."""
    with torch.random.fork_rng(range(torch.cuda.device_count())):
        yield


def _spread(text: Text, window: int, words: int) -> Text:
    """Whole windows at equal distances, in all about so many words; all where there are no more."""
    windows = len(text.words) // window
    wanted = max(words // window, 1)
    if windows <= wanted:
        return text
    starts = np.arange(wanted) * windows // wanted * window  # (wanted,)
    kept = text.words[(starts[:, None] + np.arange(window)).reshape(-1)]  # (wanted * window,)
    return replace(text, words=kept, counts=count(kept, len(text.types)))
