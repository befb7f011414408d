"""What each cell of NAS-Probe goes through: a training, the clock, and probes."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt

from ..core.errors import DataError
from ..core.types import Document
from ..encoders.base import EncoderOptions
from ..encoders.bilm import BiLM, BiLMSettings
from ..encoders.bilm_encoder import BiLMEncoder
from ..encoders.character_cnn import CharacterSettings
from ..encoders.checkpoint import save_encoder
from ..encoders.language_model import LanguageModel, perplexity
from ..encoders.pretrain import make_trainer, parameters, read_both
from ..encoders.processes import Processes
from ..encoders.stopwatch import HostClock
from ..encoders.timing import TimedBatch
from ..encoders.training_settings import TrainingSettings, rate
from ..encoders.training_text import Text, Windows, build_vocabulary, targets_of
from ..results.records import Record
from ..tasks.corpora import load_corpus
from .config import RunConfig, build
from .control_encoders import Row
from .pipeline import compute, plan
from .prepared import AnyPrepared, prepare_tasks
from .sequences import sequences

CHARACTERS = CharacterSettings(embedding=8, filters=((1, 8), (2, 16), (3, 32)), longest=16)
TIMED_WORDS, TIMED_PASSES = 128, 9
BATCH_WORDS = 8192  # a loop costs by the step, however many windows go through it together


class NasProbeSettings(BaseModel):
    """What a table is made with; ``cells`` alone may grow later.

    Each cell is trained on ``words`` words of the text as a biLM of ``layers`` layers of ``dim``
    channels a direction, ``batch`` windows of ``window`` words a step, and probed on ``tasks`` of
    ``data`` with at most ``train_targets`` training targets.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: tuple[Path, ...] = Field(min_length=1)
    held_out: tuple[Path, ...] = ()
    data: str = "gum_open"
    tasks: tuple[str, ...] = Field(("pos", "deprel", "coref"), min_length=1)
    cells: PositiveInt = 160
    words: PositiveInt = 100_000
    dim: PositiveInt = 32
    layers: PositiveInt = 2
    window: int = Field(32, ge=2)
    batch: PositiveInt = 16
    vocabulary: int = Field(1000, ge=2)
    learning_rate: PositiveFloat = 3e-3
    train_targets: PositiveInt = 1500
    seed: int = Field(0, ge=0)


@dataclass(frozen=True)
class Bench:
    """What all cells share, read once.

    ``frequencies``, of shape (vocabulary,), are those of the words in the text and sum to 1;
    ``timed`` is the text that latency is measured on.
    """

    settings: NasProbeSettings
    text: Text
    held_out: Text
    vocabulary: Sequence[str]
    frequencies: NDArray[np.float64]
    tasks: list[AnyPrepared]
    timed: list[Document]

    def stack(self, cell: str, window: int) -> BiLMSettings:
        """The biLM of a cell."""
        settings = self.settings
        return BiLMSettings(
            architecture="cell",
            stack={"dim": settings.dim, "layers": settings.layers, "cell": cell},
            characters=CHARACTERS,
            window=window,
        )

    def identity(self) -> dict[str, Any]:
        """All that a line's numbers depend on beside its cell."""
        return {
            **self.settings.model_dump(mode="json", exclude={"cells", "text", "held_out"}),
            "text": self.text.sources,
            "held_out": self.held_out.sources,
            "characters": CHARACTERS.model_dump(mode="json"),
            "output_bias": "log frequencies",
            "unigram_perplexity": round(unigram_perplexity(self), 3),
        }


def prepare(settings: NasProbeSettings) -> Bench:
    """Read the texts, lay out the tasks."""
    text, held_out = read_both(settings.text, settings.held_out)
    if len(text.words) <= settings.window:
        raise DataError(f"fewer words than one window of {settings.window}", where="--text")
    tasks = prepare_tasks(_run(settings, "local:cell", Path()))
    vocabulary = build_vocabulary(text, settings.vocabulary)
    counts = np.bincount(targets_of(text, vocabulary), minlength=len(vocabulary)) + 1
    documents = [d.document for split in load_corpus(settings.data).splits.values() for d in split]
    return Bench(
        settings,
        text,
        held_out,
        vocabulary,
        counts / counts.sum(),
        tasks,
        sequences(documents, 1, TIMED_WORDS),
    )


def unigram_perplexity(bench: Bench) -> float:
    """The perplexity of the held-out text by the frequencies of words alone."""
    targets = targets_of(bench.held_out, bench.vocabulary)
    return float(np.exp(-np.log(bench.frequencies[targets]).mean()))


def train(bench: Bench, cell: str) -> tuple[LanguageModel, dict[str, Any]]:
    """The trained model; its perplexity, losses a tenth of the training, sizes and seconds.

    The bias of the softmax starts at the log frequencies of words: a training this short would
    spend its better part on learning these, and recurrent states would shrink meanwhile.

    Raises UsageError when the loss or its gradient is not finite.
    """
    settings = bench.settings
    training = TrainingSettings(
        batch=settings.batch,
        vocabulary=settings.vocabulary,
        softmax="full",
        learning_rate=settings.learning_rate,
        seed=settings.seed,
    )
    stack = bench.stack(cell, settings.window)
    windows = Windows(bench.text, window=settings.window, batch=settings.batch, seed=settings.seed)
    steps = -(-settings.words // (settings.window * settings.batch))
    losses = []
    with torch.random.fork_rng(devices=[]):
        trainer = make_trainer(
            stack, training, bench.text, bench.vocabulary, "cpu", Processes(), None
        )
        with torch.no_grad():
            bias = trainer.model.softmax.get_parameter("bias")
            bias.copy_(torch.from_numpy(np.log(bench.frequencies)))
        begun, processor = time.perf_counter(), time.process_time()
        for step in range(steps):
            share = rate(step, steps, training.warmup)
            losses.append(trainer.step(step, windows(step), share).loss)
        seconds = time.perf_counter() - begun
        processor = time.process_time() - processor
    reached = perplexity(trainer.model, bench.held_out, bench.vocabulary, "cpu")
    return trainer.model, {
        "parameters": parameters(trainer.model),
        "steps": steps,
        "words": steps * settings.window * settings.batch,
        "losses": [round(float(part.mean()), 4) for part in np.array_split(losses, min(steps, 10))],
        "perplexity": reached,
        "train_seconds": {"wall": round(seconds, 2), "processor": round(processor, 2)},
    }


def latency(bench: Bench, model: BiLM) -> dict[str, float]:
    """Milliseconds of the forward pass over one text of ``TIMED_WORDS`` words, both directions.

    The median and the least of ``TIMED_PASSES``, and the median of the processor's time.
    """
    # One place of the window is the mark's: the text is read in one go.
    whole = BiLM(bench.stack(str(model.settings.stack["cell"]), TIMED_WORDS + 1))
    whole.load_state_dict(model.state_dict())
    batch = TimedBatch(BiLMEncoder("cell", whole, EncoderOptions()), bench.timed, None, HostClock())
    for turn in range(TIMED_PASSES + 1):
        batch.visit(keep=turn > 0)
    timing = batch.result()
    assert timing.forward is not None and timing.processor is not None
    return {
        "median": round(float(np.median(timing.forward)), 3),
        "least": round(float(timing.forward.min()), 3),
        "processor": round(float(np.median(timing.processor)), 3),
    }


def probe(bench: Bench, model: BiLM) -> dict[str, Any]:
    """For each task its scores on dev and test by layer, by the pipeline of ``probe run``."""
    processor = time.process_time()
    with TemporaryDirectory() as folder, _cache_in(folder):
        name = f"local:{folder}/encoder"
        save_encoder(Path(folder) / "encoder", model, {})
        config = _run(bench.settings, name, Path(folder) / "run")
        records = list(compute(config, plan(config, Row(name, "all"), bench.tasks, {})))
    found: dict[str, list[Record]] = {}
    for record in sorted(records, key=lambda record: record.key.layer):
        if record.error:
            raise DataError(record.error, where=f"{record.key.task}, layer {record.key.layer}")
        found.setdefault(record.key.task, []).append(record)
    return {
        "probes": {
            task: {
                "metric": layers[0].metric,
                "test": _by_layer([record.scores for record in layers]),
                "dev": _by_layer([record.dev_scores for record in layers]),
                # A penalty at the edge of the grid says that no probe was better than none.
                "l2": [record.chosen.get("l2") for record in layers],
                "at_edge": [record.chosen.get("l2_is_at_the_edge") for record in layers],
            }
            for task, layers in found.items()
        },
        "probe_seconds": {"processor": round(time.process_time() - processor, 2)},
    }


def _run(settings: NasProbeSettings, encoder: str, folder: Path) -> RunConfig:
    return build(
        {
            "encoder": (encoder,),
            "task": settings.tasks,
            "data": settings.data,
            "controls": 0,
            "control_encoders": False,
            "train_targets": settings.train_targets,
            "workers": 1,
            "batch_words": BATCH_WORDS,
            "output": folder,
        }
    )


def _by_layer(scores: Sequence[dict[str, float]]) -> dict[str, list[float]]:
    """The scores of whole tasks, not of kinds of target, each from layer 0 up."""
    names = [name for name in scores[0] if "[" not in name]
    return {name: [round(layer[name], 5) for layer in scores] for name in names}


@contextmanager
def _cache_in(folder: str) -> Iterator[None]:
    """Activations of a cell are read once: they go away with the folder."""
    kept = os.environ.get("LAYERWISE_CACHE")
    os.environ["LAYERWISE_CACHE"] = folder
    try:
        yield
    finally:
        if kept is None:
            del os.environ["LAYERWISE_CACHE"]
        else:
            os.environ["LAYERWISE_CACHE"] = kept
