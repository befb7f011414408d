"""An encoder, pruned while it goes on training, in a folder like one of ``probe pretrain``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core import files, registry
from ..core.errors import UsageError
from .base import Encoder
from .bilm import BiLM
from .bilm_encoder import BiLMEncoder
from .checkpoint import CARD
from .gradient_scores import load_language_model, same_weights
from .gradual_pruning import GradualPruning, cubic
from .language_model import LanguageModel
from .pretrain import TRAINING, pretrain
from .pruned_encoder import identity_of, is_written, source_name, zeros_of
from .pruning_plan import Pruning
from .rewinding import Rewind, find_rewind
from .training_settings import TrainingSettings
from .training_text import Text


@dataclass(frozen=True)
class Schedule:
    """How long and on what: ``rounds`` None is 30, with rewinding 5.

    ``rewind`` is empty, ``first`` or a folder (see ``rewinding``). ``learning_rate`` None is that
    of the encoder's own training.
    """

    text: tuple[Path, ...]
    held_out: tuple[Path, ...] = ()
    budget: str = "1000steps"
    rounds: int | None = None
    rewind: str = ""
    learning_rate: float | None = None
    device: str = "cpu"

    @property
    def count(self) -> int:
        """The rounds in which weights go."""
        return self.rounds or (5 if self.rewind else 30)


class Gradual:
    """A plan that is checked: it may be run, and tells what it would do.

    Raises UsageError for an encoder or a plan that cannot be pruned so.
    """

    def __init__(
        self, encoder: Encoder, pruning: Pruning, schedule: Schedule, read: tuple[Text, Text]
    ) -> None:
        if pruning.structure != "weights":
            raise UsageError(
                "is pruned at once, weights alone in a training",
                where=f"--structure {pruning.structure}",
                cure="--schedule oneshot, or --structure weights",
            )
        if type(encoder) is not BiLMEncoder:
            raise UsageError(
                "is no biLM, which alone goes on training here",
                where=f"encoder {encoder.name}",
                cure="--schedule oneshot",
            )
        self.schedule, self._pruning = schedule, pruning
        self.source, words, kept = _source(encoder)
        self.training = _training(kept, pruning, schedule)
        rewind: Rewind | None = None
        if schedule.rewind:
            if not isinstance(self.source, LanguageModel) or "pruning" in kept:
                raise UsageError(
                    f"{encoder.name} did not begin with weights that can be drawn again",
                    where=f"--rewind {schedule.rewind}",
                    cure="take a folder of probe pretrain, or leave it away",
                )
            own = TrainingSettings(**_known(kept))
            rewind = find_rewind(schedule.rewind, self.source, len(words), own)
        text, held_out = read
        self.identity = identity_of(encoder, pruning) | {
            "schedule": "gradual",
            "rounds": schedule.count,
            "rewind": rewind.facts if rewind else None,
            "training": self.training.model_dump(mode="json"),
            "text": text.sources,
            "held_out": held_out.sources,
        }
        self._procedure = GradualPruning(
            self.source,
            words,
            pruning,
            schedule.count,
            rewind,
            self.identity,
            {"source": source_name(encoder)},
        )

    @property
    def bilm(self) -> BiLM:
        """The biLM that is pruned."""
        return self.source.bilm if isinstance(self.source, LanguageModel) else self.source

    @property
    def keeps_softmax(self) -> bool:
        """Whether the softmax is the encoder's own; else it is drawn anew."""
        return isinstance(self.source, LanguageModel)

    def sparsities(self) -> list[float]:
        """The sparsity after each round."""
        found = zeros_of(self.bilm)
        first = found["zeros"] / found["counted"]
        count = self.schedule.count
        return [cubic(first, self._pruning.sparsity, n / count) for n in range(1, count + 1)]

    def is_written(self, folder: Path) -> bool:
        """Whether the folder holds the result. Raises UsageError when it holds another encoder."""
        return is_written(folder, self.identity)

    def run(self, folder: Path, command: str) -> dict[str, Any]:
        """Train, or go on, and return the card. Raises what ``pretrain`` does."""
        how = self.schedule
        return pretrain(
            self.bilm.settings,
            self.training,
            how.text,
            how.held_out,
            folder,
            command,
            how.device,
            procedure=self._procedure,
        )


def _source(encoder: BiLMEncoder) -> tuple[LanguageModel | BiLM, Sequence[str], dict[str, Any]]:
    """The model, with its softmax where there is one; its vocabulary; its card where it has one."""
    head, folder = registry.split_name(encoder.name)
    if head != "local":
        return encoder._model, [], {}
    card = files.read_json(Path(folder) / CARD) if (Path(folder) / CARD).exists() else {}
    if not (Path(folder) / TRAINING).exists():
        return encoder._model, [], {}
    model, vocabulary = load_language_model(Path(folder))
    if not same_weights(model.bilm, encoder._model):
        raise UsageError(
            "the training that is kept there is not this encoder's",
            where=encoder.name,
            cure="train it on",
        )
    return model, vocabulary, card


def _training(card: dict[str, Any], pruning: Pruning, schedule: Schedule) -> TrainingSettings:
    """The settings of the encoder's own training, for as long as is asked."""
    changed: dict[str, Any] = {"budget": schedule.budget, "seed": pruning.seed}
    if schedule.learning_rate is not None:
        changed["learning_rate"] = schedule.learning_rate
    return TrainingSettings(**(_known(card) | changed))


def _known(card: dict[str, Any]) -> dict[str, Any]:
    """What a card tells of the settings of a training."""
    told = card.get("training", {})
    return {name: value for name, value in told.items() if name in TrainingSettings.model_fields}
