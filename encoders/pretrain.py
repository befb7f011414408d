"""Pretraining of a biLM: the next word forwards, the previous word backwards.

Both directions share the softmax (Peters et al. 2018, arXiv 1808.08949, section 3). Text is cut
into windows of fixed length; every epoch sees all windows in an order drawn from the seed, so the
whole state of a training is its step, its weights and its optimiser: a killed training resumes
to the weights of an undisturbed one.
"""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor, nn
from torch.nn import functional as F

from ..core import files, progress, provenance
from ..core.errors import DataError, UsageError
from .bilm import BiLM, BiLMSettings, count_parameters, initialise
from .character_cnn import BEGIN, END
from .checkpoint import CARD, load_tensors, save_encoder, save_tensors
from .running_text import TOKENISATION, read_words

TRAINING, VOCABULARY, LOG = "training.safetensors", "vocabulary.txt", "log.jsonl"
UNKNOWN = "<unk>"
_SAVE_EVERY = 120.0  # seconds
_ROWS = 128  # words whose logits are held at once


class TrainingSettings(BaseModel):
    """How to train. ``batch`` counts windows; ``vocabulary`` the words that can be predicted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    steps: PositiveInt = 4000
    batch: PositiveInt = 16
    vocabulary: int = Field(8000, ge=2)
    learning_rate: PositiveFloat = 2e-3
    warmup: float = Field(0.05, ge=0, le=1)
    weight_decay: NonNegativeFloat = 0.01
    clip: PositiveFloat = 1.0
    precision: Literal["float32", "bfloat16"] = "float32"
    seed: int = Field(0, ge=0)
    evaluate_every: PositiveInt = 1000


@dataclass(frozen=True)
class Text:
    """Words as numbers into ``types``, whose first two are the marks of begin and end."""

    types: list[str]
    words: NDArray[np.int32]
    sources: list[dict[str, Any]]


class LanguageModel(nn.Module):
    """A biLM and the softmax that it is trained with."""

    def __init__(self, settings: BiLMSettings, vocabulary: int) -> None:
        super().__init__()
        self.bilm = BiLM(settings)
        self.softmax = nn.Linear(self.bilm.dim, vocabulary)
        initialise(self)
        nn.init.normal_(self.softmax.weight, std=0.02)
        nn.init.zeros_(self.softmax.bias)

    def losses(self, words: Tensor, targets: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
        """The mean cross-entropy in nats a word, forwards and backwards.

        ``words`` and ``targets`` have the shape (batch, time): numbers of types and of vocabulary
        entries; ``codes`` are the characters of every type, of shape (types, characters).
        """
        seen, index = torch.unique(words, return_inverse=True)
        seen = torch.cat([torch.tensor([0, 1], device=words.device), seen])
        used = codes[seen]
        # Trailing pads beyond what the widest filter needs are cut; they change nothing.
        longest = int((used > 0).sum(dim=1).max()) + max(
            width for width, _ in self.bilm.settings.characters.filters
        )
        vectors = self.bilm.characters(used[:, :longest].long())  # (seen, dim)
        words_in = vectors[index + 2]  # (batch, time, dim)
        first = vectors[0].expand(words.shape[0], 1, -1)
        last = vectors[1].expand(words.shape[0], 1, -1)
        forward = torch.cat([first, words_in[:, :-1]], dim=1)
        backward = torch.cat([last, words_in.flip(1)[:, :-1]], dim=1)
        return (
            self._loss(self.bilm.forward_stack(forward)[-1], targets),
            self._loss(self.bilm.backward_stack(backward)[-1], targets.flip(1)),
        )

    def _loss(self, states: Tensor, targets: Tensor) -> Tensor:
        # In pieces: the logits are by far the largest tensors, and small ones stay in the cache.
        rows = torch.split(states.flatten(0, 1), _ROWS)
        pieces = zip(rows, torch.split(targets.flatten(), _ROWS), strict=True)
        losses = [
            F.cross_entropy(self.softmax(part).float(), aim, reduction="sum")  # (rows, vocabulary)
            for part, aim in pieces
        ]
        return torch.stack(losses).sum() / targets.numel()


def pretrain(
    settings: BiLMSettings,
    training: TrainingSettings,
    text: Sequence[Path],
    held_out: Sequence[Path],
    output: Path,
    command: str,
    device: str = "cpu",
) -> dict[str, Any]:
    """Train, or go on with, the biLM of a folder, and return its card.

    Without ``held_out`` the last fiftieth of the text is kept for the held-out perplexity.
    Raises UsageError when the folder holds another training.
    """
    torch.manual_seed(training.seed)
    read = read_text(text)
    if held_out:
        kept = read_text(held_out)
    else:
        cut = len(read.words) - max(len(read.words) // 50, 1)
        kept = Text(read.types, read.words[cut:], [{"file": "the last fiftieth of the text"}])
        read = Text(read.types, read.words[:cut], read.sources)
    if len(read.words) <= settings.window:
        raise DataError(f"fewer words than one window of {settings.window}", where="--text")
    if not len(kept.words):
        raise DataError("holds no words", where="--held-out")
    vocabulary = build_vocabulary(read, training.vocabulary)
    model = LanguageModel(settings, len(vocabulary)).to(device)
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=1.0, betas=(0.9, 0.98), weight_decay=training.weight_decay
    )
    identity = files.canonical_json(
        {
            "settings": settings.model_dump(),
            "training": training.model_dump(),
            "text": read.sources,
            "held_out": kept.sources,
        }
    )
    step, spent = _resume(output / TRAINING, identity, model, optimiser)
    if step == training.steps and (output / CARD).exists():
        card: dict[str, Any] = files.read_json(output / CARD)
        return card
    files.write_text(output / VOCABULARY, "\n".join(vocabulary) + "\n")

    feed = _Feed(read, vocabulary, settings, training, model, device)
    started = saved = time.perf_counter()
    with progress.bar("pretraining", training.steps) as advance:
        advance(step, "")
        while step < training.steps:
            loss = _train_step(model, optimiser, feed, step, training, device)
            step += 1
            advance(1, f"loss {loss:.3f}")
            now = time.perf_counter()
            if step % 50 == 0 or step == training.steps:
                seconds = round(spent + now - started, 1)
                line = {"step": step, "loss": round(loss, 5), "seconds": seconds}
                if step % training.evaluate_every == 0 or step == training.steps:
                    line |= perplexity(model, kept, vocabulary, device)
                files.append_line(output / LOG, json.dumps(line))
            if now - saved > _SAVE_EVERY or step == training.steps:
                saved = now
                _save(output / TRAINING, identity, model, optimiser, step, spent + now - started)

    card = {
        "architecture": settings.architecture,
        "command": command,
        "text": read.sources,
        "held_out": kept.sources,
        "tokenisation": TOKENISATION,
        "training": training.model_dump(),
        "words_seen": training.steps * training.batch * settings.window,
        "seconds": round(spent + time.perf_counter() - started, 1),
        "parameters": {
            "contextual": count_parameters([model.bilm.forward_stack, model.bilm.backward_stack]),
            "characters": count_parameters([model.bilm.characters]),
            "softmax": count_parameters([model.softmax]),
        },
        "held_out_perplexity": perplexity(model, kept, vocabulary, device),
        "provenance": provenance.describe(),
    }
    save_encoder(output, model.bilm, card)
    return card


def read_text(paths: Sequence[Path]) -> Text:
    """All words of the files, as numbers, and for each file its name, sha256 and length."""
    numbers: dict[str, int] = {BEGIN: 0, END: 1}
    words: list[int] = []
    sources = []
    for path in paths:
        before = len(words)
        for line in read_words([path]):
            words.extend(numbers.setdefault(word, len(numbers)) for word in line)
        sources.append(
            {"file": path.name, "sha256": files.sha256_of(path), "words": len(words) - before}
        )
    return Text(list(numbers), np.array(words, dtype=np.int32), sources)


def build_vocabulary(text: Text, size: int) -> list[str]:
    """The most frequent words behind ``UNKNOWN``; of equally frequent ones the first in order."""
    counts = Counter({text.types[i]: int(n) for i, n in enumerate(np.bincount(text.words)) if n})
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    return [UNKNOWN, *ranked[: size - 1]]


@torch.no_grad()
def perplexity(
    model: LanguageModel, text: Text, vocabulary: Sequence[str], device: str
) -> dict[str, float]:
    """Perplexity by the full softmax, each word counted once, forwards, backwards and the mean.

    A word outside the vocabulary counts as ``UNKNOWN``. The mean is over the cross-entropies.
    """
    model.eval()
    window, words = model.bilm.settings.window, text.words
    targets = _targets(text, vocabulary)
    codes = torch.from_numpy(model.bilm.characters.codes(text.types)).to(device)
    total = np.zeros(2)
    whole = len(words) // window * window
    rows, aims = words[:whole].reshape(-1, window), targets[:whole].reshape(-1, window)
    pieces = [(rows[i : i + 32], aims[i : i + 32]) for i in range(0, len(rows), 32)]
    if whole < len(words):
        pieces.append((words[None, whole:], targets[None, whole:]))
    for batch, aim in pieces:
        losses = model.losses(
            torch.from_numpy(batch.astype(np.int64)).to(device),
            torch.from_numpy(aim).to(device),
            codes,
        )
        total += np.array([float(loss) for loss in losses]) * batch.size
    model.train()
    forward, backward = total / len(words)
    return {
        "forward": round(math.exp(forward), 3),
        "backward": round(math.exp(backward), 3),
        "mean": round(math.exp((forward + backward) / 2), 3),
        "unknown_share": round(float((targets == 0).mean()), 5),
        "words": len(words),
    }


class _Feed:
    """Batches by step: any one can be had at once, so a resumed training needs no replay."""

    def __init__(
        self,
        text: Text,
        vocabulary: Sequence[str],
        settings: BiLMSettings,
        training: TrainingSettings,
        model: LanguageModel,
        device: str,
    ) -> None:
        self.window, self.batch, self.seed = settings.window, training.batch, training.seed
        self.words = text.words
        self.targets = _targets(text, vocabulary)
        self.codes = torch.from_numpy(model.bilm.characters.codes(text.types)).to(device)
        # The last window reaches back rather than being short, so that no word is left out.
        self.starts = np.arange(0, len(text.words), self.window)
        self.starts[-1] = len(text.words) - self.window
        self.order: tuple[int, NDArray[np.int64]] = (-1, np.empty(0, dtype=np.int64))

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        places = np.array(
            [self._place(step * self.batch + i) for i in range(self.batch)]
        )
        grid = places[:, None] + np.arange(self.window)[None, :]  # (batch, time)
        return (
            torch.from_numpy(self.words[grid].astype(np.int64)),
            torch.from_numpy(self.targets[grid]),
        )

    def _place(self, number: int) -> int:
        epoch, position = divmod(number, len(self.starts))
        if self.order[0] != epoch:
            order = np.random.default_rng([self.seed, epoch]).permutation(len(self.starts))
            self.order = (epoch, order)
        return int(self.starts[self.order[1][position]])


def _train_step(
    model: LanguageModel,
    optimiser: torch.optim.Optimizer,
    feed: _Feed,
    step: int,
    training: TrainingSettings,
    device: str,
) -> float:
    torch.manual_seed(training.seed * 1_000_003 + step)  # dropout depends on the step alone
    for group in optimiser.param_groups:
        group["lr"] = training.learning_rate * _schedule(step, training)
    words, targets = (part.to(device) for part in feed(step))
    low = training.precision == "bfloat16"
    with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=low):
        forward, backward = model.losses(words, targets, feed.codes)
    loss = (forward + backward) / 2
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(model.parameters(), training.clip)
    optimiser.step()
    value = float(loss.detach())
    if not math.isfinite(value):
        raise UsageError(
            f"the loss is no longer finite at step {step}", cure="lower --learning-rate"
        )
    return value


def _schedule(step: int, training: TrainingSettings) -> float:
    """A straight rise over the first share of the steps, then half a cosine down to a twentieth."""
    warm = max(int(training.steps * training.warmup), 1)
    if step < warm:
        return (step + 1) / warm
    done = (step - warm) / max(training.steps - warm, 1)
    return 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * done))


def _targets(text: Text, vocabulary: Sequence[str]) -> NDArray[np.int64]:
    numbers = {word: i for i, word in enumerate(vocabulary)}
    by_type = np.array([numbers.get(word, 0) for word in text.types], dtype=np.int64)
    return by_type[text.words]


def _optimiser_tensors(
    model: nn.Module, optimiser: torch.optim.Optimizer
) -> Iterator[tuple[str, dict[str, Tensor]]]:
    for name, weight in model.named_parameters():
        yield name, optimiser.state[weight]


def _save(
    path: Path,
    identity: str,
    model: LanguageModel,
    optimiser: torch.optim.Optimizer,
    step: int,
    seconds: float,
) -> None:
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    for name, state in _optimiser_tensors(model, optimiser):
        tensors |= {f"optimiser.{key}.{name}": value for key, value in state.items()}
    save_tensors(path, tensors, {"identity": identity, "step": str(step), "seconds": str(seconds)})


def _resume(
    path: Path, identity: str, model: LanguageModel, optimiser: torch.optim.Optimizer
) -> tuple[int, float]:
    """The step to go on from and the seconds spent so far; (0, 0.0) for a new training."""
    if not path.exists():
        return 0, 0.0
    tensors, note = load_tensors(path)
    if note.get("identity") != identity:
        raise UsageError(
            "holds a training with other settings or other text",
            where=str(path.parent),
            cure="name another --output, or remove that folder",
        )
    model.load_state_dict({name: tensors[f"model.{name}"] for name in model.state_dict()})
    for name, weight in model.named_parameters():
        optimiser.state[weight] = {
            key: tensors[f"optimiser.{key}.{name}"].to(weight.device if key != "step" else "cpu")
            for key in ("step", "exp_avg", "exp_avg_sq")
        }
    return int(note["step"]), float(note["seconds"])
