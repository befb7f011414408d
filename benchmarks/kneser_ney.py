"""The yardstick of the biLMs: a 5-gram model on the same text and vocabulary.

    python benchmarks/kneser_ney.py [--text FILE ...] [--held-out FILE] [--vocabulary 8000]

Interpolated Kneser-Ney smoothing (Kneser and Ney 1995) with the modified discounts of Chen and
Goodman 1998 (TR-10-98, section 3): perplexity forwards, and backwards by a model of the text
turned round, for all orders up to ``--order`` and more and more training text. By default the text
is that of the shipped encoders, below the folder that LAYERWISE_DATA names, and the figures in
their cards stand beside ours. All of it takes half a minute of one core.

Text is one stream of words without marks of sentences, as for a biLM, and the vocabulary is that
of the whole training text whatever share of it is counted. Two things differ. A biLM reads windows
and has no context at their starts, while the n-grams' context runs through the whole text. A biLM
sees the letters of a word that is not in the vocabulary, which to an n-gram is ``<unk>``.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from layerwise.core import files
from layerwise.encoders import pretrained
from layerwise.encoders.training_text import build_vocabulary, read_text, targets_of

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Discounts = tuple[float, float, float]

TEXTS = ("gutenberg-train", "masc", "state_union", "inaugural")

FALLBACK: Discounts = (0.5, 1.0, 1.5)
"""Where counts of counts tell nothing: a frequent vocabulary has no rare unigrams (so KenLM)."""


@dataclass(frozen=True)
class Share:
    """What an n-gram gets by itself, (n-grams,), and its context gives downwards, (contexts,)."""

    own: Floats
    lower: Floats

    def interpolate(self, grams: Ints, contexts: Ints, lower: Floats) -> Floats:
        """Probabilities from those of the order below; -1 stands for what was never seen."""
        own = np.where(grams >= 0, self.own[grams], 0.0)
        return own + np.where(contexts >= 0, self.lower[contexts], 1.0) * lower


@dataclass(frozen=True)
class Order:
    """All n-grams of a length: ``keys`` are ``context * vocabulary + last word``, sorted.

    A context is the place of its own n-gram in the order below. As the highest order counts are
    occurrences, below a higher one they are the different words that an n-gram was seen behind.
    """

    keys: Ints
    highest: Share
    inner: Share
    discounts: Discounts

    def find(self, wanted: Ints) -> Ints:
        """Where the keys stand, -1 for one that does not."""
        places = np.searchsorted(self.keys, wanted).clip(max=len(self.keys) - 1)
        return np.where(self.keys[places] == wanted, places, -1)


@dataclass(frozen=True)
class KneserNey:
    """Models of all orders up to the highest, which share their n-grams."""

    vocabulary: int
    orders: list[Order]

    def probabilities(self, words: Ints) -> Iterator[Floats]:
        """Of each word behind those before it, (words,), by the model of order 1, 2 and so on."""
        lower = np.full(len(words), 1 / self.vocabulary)
        contexts = np.zeros(len(words), dtype=np.int64)
        for order in self.orders:
            grams = order.find(contexts * self.vocabulary + words)
            yield order.highest.interpolate(grams, contexts, lower)
            lower = order.inner.interpolate(grams, contexts, lower)
            contexts = _behind(grams)

    def perplexities(self, words: Ints) -> list[float]:
        """By the model of each order, every word counted once."""
        return [float(np.exp(-np.log(p).mean())) for p in self.probabilities(words)]


def estimate(
    words: Ints, vocabulary: int, order: int, discounts: Sequence[Discounts] | None = None
) -> KneserNey:
    """Count the text, whose words are numbers below ``vocabulary``.

    ``discounts`` of each order take the place of those that follow from the counts.
    """
    keys: list[Ints] = []
    seen: list[Ints] = []
    behind: list[Ints] = []
    contexts = np.zeros(len(words), dtype=np.int64)
    grams = np.empty(0, dtype=np.int64)
    for length in range(1, min(order, len(words)) + 1):
        begin = length - 1  # the first words have no such context
        found, first, which, counts = np.unique(
            contexts[begin:] * vocabulary + words[begin:],
            return_index=True,
            return_inverse=True,
            return_counts=True,
        )
        if keys:
            # Each different n-gram is one different word before the shorter one that ends it.
            behind.append(np.bincount(grams[first + begin], minlength=len(keys[-1])))
        keys.append(found)
        seen.append(counts)
        grams = np.concatenate([np.full(begin, -1), which])
        contexts = _behind(grams)
    behind.append(seen[-1])  # nothing is longer: never asked for
    made = []
    for i, (own, raw, inner) in enumerate(zip(keys, seen, behind, strict=True)):
        above = own // vocabulary
        total = len(keys[i - 1]) if i else 1
        given = discounts[i] if discounts else None
        of_inner = given or modified_discounts(inner)
        made.append(
            Order(
                own,
                _share(raw, above, total, given or modified_discounts(raw)),
                _share(inner, above, total, of_inner),
                of_inner,
            )
        )
    return KneserNey(vocabulary, made)


def modified_discounts(counts: Ints) -> Discounts:
    """What is taken off counts of 1, of 2 and of 3 or more (Chen and Goodman 1998, equation 17).

    It follows from how many n-grams were counted once, twice, three and four times.
    """
    once, twice, three, four = (int((counts == n).sum()) for n in (1, 2, 3, 4))
    if not once * twice * three * four:
        return FALLBACK
    y = once / (once + 2 * twice)
    found = (1 - 2 * y * twice / once, 2 - 3 * y * three / twice, 3 - 4 * y * four / three)
    return found if min(found) > 0 else FALLBACK


def _share(counts: Ints, contexts: Ints, number: int, discounts: Discounts) -> Share:
    taken = np.array([0.0, *discounts])[counts.clip(max=3)]  # (n-grams,)
    total = np.bincount(contexts, counts, number)
    left = np.bincount(contexts, taken, number)
    divisor = np.where(total > 0, total, 1.0)
    # A context that nothing was seen behind leaves everything to the order below.
    return Share((counts - taken) / divisor[contexts], np.where(total > 0, left / divisor, 1.0))


def _behind(grams: Ints) -> Ints:
    """For each word the n-gram that ends just before it; the first has none."""
    return np.concatenate([np.array([-1]), grams[:-1]])


def main() -> None:
    """Print the tables."""
    folder = Path(os.environ.get("LAYERWISE_DATA", ".")) / "pretrain"
    shipped = [folder / f"{name}.txt.gz" for name in TEXTS]
    parser = argparse.ArgumentParser(description="Perplexity of Kneser-Ney smoothed n-grams.")
    parser.add_argument("--text", type=Path, action="append")
    parser.add_argument("--held-out", type=Path, default=folder / "gutenberg-valid.txt.gz")
    parser.add_argument("--vocabulary", type=int, default=8000)
    parser.add_argument("--order", type=int, default=5)
    parser.add_argument("--words", type=int, nargs="*", default=[1_000_000, 2_000_000])
    asked = parser.parse_args()

    text, book = read_text(asked.text or shipped), read_text([asked.held_out])
    vocabulary = build_vocabulary(text, asked.vocabulary)
    words, held_out = targets_of(text, vocabulary), targets_of(book, vocabulary)
    print(
        f"{len(words):,} words of training text, {len(held_out):,} held out, a vocabulary of"
        f" {len(vocabulary):,}; <unk> is {(words == 0).mean():.2%} and {(held_out == 0).mean():.2%}"
    )
    orders = "".join(f"{f'order {n + 1}':>9}" for n in range(asked.order))
    print(f"{'training words':>14}  {'direction':9}{orders}  CPU seconds")
    models = {}
    for number in [*(n for n in asked.words if n < len(words)), len(words)]:
        for direction, turn in (("forward", 1), ("backward", -1)):
            started = time.process_time()
            model = estimate(words[:number][::turn], len(vocabulary), asked.order)
            found = "".join(f"{x:9.2f}" for x in model.perplexities(held_out[::turn]))
            seconds = time.process_time() - started
            print(f"{number:14,}  {direction:9}{found}  {seconds:11.1f}", flush=True)
            models[direction] = model
    print("\nforwards, all of it, below a higher order:")
    for n, order in enumerate(models["forward"].orders, start=1):
        taken = ", ".join(f"{x:.3f}" for x in order.discounts)
        print(f"order {n}: {len(order.keys):9,} different n-grams, discounts {taken}")
    for name, reached, seen in _cards(files.sha256_of(asked.held_out)):
        print(
            f"{name}: {reached['forward']:.2f} forward, {reached['backward']:.2f} backward,"
            f" {seen:,} words seen in training (its card)"
        )
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"at most {memory:.2f} GB of memory")


def _cards(held_out: str) -> Iterator[tuple[str, dict[str, Any], int]]:
    """The shipped encoders that were measured on this held-out text."""
    for path in sorted(Path(next(iter(pretrained.__path__))).glob("*/card.json")):
        card = files.read_json(path)
        if [source["sha256"] for source in card["held_out"]] == [held_out]:
            yield path.parent.name, card["held_out_perplexity"], card["words_seen"]


if __name__ == "__main__":
    main()
