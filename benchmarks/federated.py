"""Federated search on the genres of GUM: what privacy costs, what the bandit gains, and an audit.

    export LAYERWISE_DATA=...        # the folder with gum/ and ewt/
    OMP_NUM_THREADS=1 python benchmarks/federated.py privacy bandit audit search

Each genre of GUM's training part is a client; GUM's dev part is the held-out text. The vocabulary
is that of EWT's training part, a public text: one of the clients' words would give them away. All
models read windows of 16 words, one of which is what privacy speaks of, and a perplexity is over
1,000 words, unknown ones counted as one.

``privacy`` compares equal rounds with the same hyperparameters; the ratio is what privacy costs.
``bandit`` ranks FEATHERS' bandit among three configurations of its own draw that are each kept for
all rounds: it costs its trials more. ``audit`` plants random windows in a client's text and guesses
from the losses which they were; the bound must stay below the claim with privacy, and rise above 0
without, or the audit would be no audit. ``search`` runs it all, with the ledger of both stages.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from layerwise.core.errors import DataError
from layerwise.encoders.search.federated.accountants import epsilon
from layerwise.encoders.search.federated.audit import audit, flip_coins
from layerwise.encoders.search.federated.client import Client, LocalTraining
from layerwise.encoders.search.federated.hyperparameters import Hyperparameters, Ranges
from layerwise.encoders.search.federated.ledger import Ledger
from layerwise.encoders.search.federated.mixed_cell import language_model
from layerwise.encoders.search.federated.private_training import (
    Privacy,
    parameters_of,
    window_losses,
)
from layerwise.encoders.search.federated.samples import cut, split
from layerwise.encoders.search.federated.server import Server
from layerwise.encoders.search.federated.simulation import (
    Federation,
    make_clients,
    make_server,
    perplexity,
    search,
    simulate,
)
from layerwise.encoders.training_text import UNKNOWN
from layerwise.tasks.conllu import read_conllu

CELL = "c1/K3:0/K3:0/s:2/m:1,3/a:0,4/n:5=6"  # a gated convolution with a residual connection
DELTA = 1e-5
RATES = (0.1, 0.3)
"""Learning rates of the comparison; each side may take its best on the held-out text."""

PRIVACY = Privacy(noise_multiplier=0.85, clip=1.0, delta=DELTA, noise_seed=1)
FEDERATION = Federation(
    dim=24, rounds=10, training=LocalTraining(steps=5, rate=0.1), privacy=PRIVACY
)


class Corpus:
    """The words of each client, the held-out words, and the vocabulary."""

    def __init__(self, folder: Path, words: int, vocabulary: int) -> None:
        self.texts = {
            genre: text[:words]
            for genre, text in _genres(folder / "gum/en_gum-ud-train.conllu.gz").items()
        }
        held = _genres(folder / "gum/en_gum-ud-dev.conllu.gz")
        self.held_out = [word for genre in sorted(held) for word in held[genre][:1600]]
        public = _genres(folder / "ewt/en_ewt-ud-train.conllu.gz")
        counts = Counter(word for text in public.values() for word in text)
        ranked = sorted(counts, key=lambda word: (-counts[word], word))
        self.vocabulary = [UNKNOWN, *ranked[: vocabulary - 1]]


def _genres(path: Path) -> dict[str, list[str]]:
    """The words of each genre: the second part of a document's name, such as GUM_news_iodine."""
    found: dict[str, list[str]] = defaultdict(list)
    for each in read_conllu(path).documents:
        genre = each.document.id.replace("-", "_").split("_")[1]
        found[genre].extend(word.form for word in each.words)
    return dict(found)


def measure_privacy(corpus: Corpus, seeds: int) -> None:
    """Held-out perplexity with privacy and without, at equal rounds."""
    unigram = _unigram(corpus)
    print(f"\nprivacy: {len(corpus.texts)} clients, {FEDERATION.rounds} rounds; a unigram model")
    print(f"of the clients' words has a perplexity of {unigram:.1f}\n")
    print("| learning rate | without | with privacy | ratio | epsilon | CPU s |")
    print("|--:|--:|--:|--:|--:|--:|")
    best: dict[str, float] = {}
    for rate in RATES:
        started, found, claim = time.process_time(), {}, 0.0
        for name, privacy in (("without", None), ("with", PRIVACY)):
            values = []
            for seed in range(seeds):
                wanted = replace(
                    FEDERATION,
                    privacy=privacy,
                    seed=seed,
                    fixed=Hyperparameters(learning_rate=rate),
                )
                outcome = simulate(
                    make_server(corpus.vocabulary, wanted, CELL),
                    make_clients(corpus.texts, corpus.vocabulary, wanted, CELL),
                )
                if privacy is not None:
                    claim = outcome.claim(DELTA).claim
                values.append(
                    perplexity(outcome.weights, corpus.held_out, corpus.vocabulary, wanted, CELL)
                )
            found[name] = float(np.mean(values))
            best[name] = min(best.get(name, np.inf), found[name])
        print(
            f"| {rate:g} | {found['without']:.1f} | {found['with']:.1f} "
            f"| {found['with'] / found['without']:.3f} | {claim:.2f} "
            f"| {time.process_time() - started:.0f} |",
            flush=True,
        )
    print(f"\nthe best of each: {best['with'] / best['without']:.3f}")


def _unigram(corpus: Corpus) -> float:
    """Add-one smoothing, over the same vocabulary."""
    known = set(corpus.vocabulary)

    def folded(text: Sequence[str]) -> list[str]:
        return [word if word in known else UNKNOWN for word in text]

    counts = Counter(word for text in corpus.texts.values() for word in folded(text))
    total = counts.total() + len(corpus.vocabulary)
    logs = [np.log((counts[word] + 1) / total) for word in folded(corpus.held_out)]
    return float(np.exp(-np.mean(logs)))


def measure_bandit(corpus: Corpus, seeds: int) -> None:
    """The rank of the bandit's perplexity among those of configurations drawn once and kept."""
    ranges = replace(Ranges(), learning_rate=(-3.0, 0.0))
    wanted = replace(
        FEDERATION,
        rounds=12,
        period=6,
        configurations=8,
        ranges=ranges,
        length=3.0,
        privacy=None,
        training=LocalTraining(steps=3, rate=0.1),
    )
    print("\nbandit without privacy: perplexity, and its rank among 4 (1 is best)\n")
    print("| seed | bandit | fixed | rank | trials |")
    print("|--:|--:|---|--:|--:|")
    ranks = []
    texts = {genre: text[:2000] for genre, text in corpus.texts.items()}
    for seed in range(seeds):
        seeded = replace(wanted, seed=seed)
        drawn = seeded.drawn()
        values = []
        trials = 0
        for fixed in (None, *drawn[:3]):
            each = replace(seeded, fixed=fixed)
            outcome = simulate(
                make_server(corpus.vocabulary, each, CELL),
                make_clients(texts, corpus.vocabulary, each, CELL),
            )
            trials = trials or sum(one.gain is not None for one in outcome.history)
            values.append(
                perplexity(outcome.weights, corpus.held_out, corpus.vocabulary, each, CELL)
            )
        rank = 1 + sum(value < values[0] for value in values[1:])
        ranks.append(rank)
        rest = ", ".join(f"{value:.1f}" for value in values[1:])
        print(f"| {seed} | {values[0]:.1f} | {rest} | {rank} | {trials} |", flush=True)
    print(f"\nmean rank of the bandit {np.mean(ranks):.2f}; of a draw by chance 2.5")


def measure_audit(corpus: Corpus) -> None:
    """Canaries of random words in one client's text, and how well their losses give them away."""
    generator = np.random.default_rng(0)
    count = 400
    canaries = [
        str(word) for word in generator.choice(corpus.vocabulary[1:], size=count * 16)
    ]  # windows of 16
    members = flip_coins(count, generator)
    text = corpus.texts["news"][:1600]
    print(
        f"\naudit: {count} canaries, half of them among {len(text) // 16} windows of one client\n"
    )
    print("| training | steps | epsilon claimed | right guesses of 200 | lower bound |")
    print("|---|--:|--:|--:|--:|")
    for name, privacy, steps, rate in (
        ("without privacy", None, 600, 0.3),
        ("without privacy", None, 100, 0.3),
        ("private", replace(PRIVACY, noise_multiplier=1.0), 100, 0.3),
    ):
        model = language_model(len(corpus.vocabulary), 24, 1, 16, 0, CELL)
        codes = model.bilm.characters.codes
        every = cut(text + canaries, corpus.vocabulary, 16, codes)
        inside = torch.cat([torch.ones(len(text) // 16), torch.from_numpy(members)]).bool()
        held = cut(corpus.held_out, corpus.vocabulary, 16, codes)
        tried = every.take(slice(len(text) // 16, None))
        client = Client(
            "news",
            model,
            every.take(inside),
            split(held)[1],
            LocalTraining(steps=steps, rate=0.1),
            privacy,
        )
        before = np.array(window_losses(model, tried))
        weights = {n: w.detach().clone() for n, w in parameters_of(model).items()}
        server = Server(weights, [Hyperparameters(learning_rate=rate)], rounds=1)
        outcome = simulate(server, [client])
        model.load_state_dict(dict(outcome.weights), strict=False)
        scores = before - np.array(window_losses(model, tried))
        found = audit(scores, members, guesses=200, delta=DELTA)
        claim = outcome.claim(DELTA).claim
        print(
            f"| {name} | {steps} | {claim:.2f} | {found.correct} | {found.epsilon:.2f} |",
            flush=True,
        )


def measure_search(corpus: Corpus) -> None:
    """Cell, hyperparameters and weights, all of it private, with the ledger of the whole."""
    wanted = replace(
        FEDERATION,
        rounds=8,
        period=8,
        configurations=6,
        length=2.0,
        ranges=replace(Ranges(), learning_rate=(-1.0, 0.0), architecture_rate=(-2.0, -1.0)),
        training=LocalTraining(steps=3, rate=0.1),
        privacy=replace(PRIVACY, noise_multiplier=1.2),
    )
    texts = {genre: text[:4000] for genre, text in corpus.texts.items()}
    found = search(texts, corpus.vocabulary, wanted)
    reached = perplexity(
        found.training.weights, corpus.held_out, corpus.vocabulary, wanted, found.cell
    )
    ledger: Ledger = found.training.ledgers["news"]
    print(f"\nsearch: {found.cell}, held-out perplexity {reached:.1f}\n")
    print("| released | noise | rate | times |\n|---|--:|--:|--:|")
    for one in ledger.releases:
        print(f"| {one.what} | {one.noise_multiplier:g} | {one.sampling_rate:g} | {one.count} |")
    spent = epsilon(ledger, DELTA)
    print(f"\nepsilon at {DELTA:g}: opacus {spent.opacus:.4f}", end="")
    print(f", dp-accounting {spent.dp_accounting:.4f}", end="")
    print(f", loss distributions {spent.loss_distribution:.4f}")


def main() -> None:
    """Measure the parts that are named."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parts = ("privacy", "bandit", "audit", "search")
    parser.add_argument("parts", nargs="*", choices=parts, default=list(parts))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--words", type=int, default=6500, help="of each client, at most")
    parser.add_argument("--vocabulary", type=int, default=1000)
    arguments = parser.parse_args()
    folder = os.environ.get("LAYERWISE_DATA")
    if not folder:
        raise DataError("LAYERWISE_DATA is not set", cure="name the folder with gum/ and ewt/")
    torch.set_num_threads(1)
    corpus = Corpus(Path(folder), arguments.words, arguments.vocabulary)
    for part in arguments.parts:
        started = time.process_time()
        if part == "privacy":
            measure_privacy(corpus, arguments.seeds)
        elif part == "bandit":
            measure_bandit(corpus, 3 if arguments.seeds == 1 else arguments.seeds)
        elif part == "audit":
            measure_audit(corpus)
        else:
            measure_search(corpus)
        print(f"\n{part}: {time.process_time() - started:.0f} CPU seconds", flush=True)


if __name__ == "__main__":
    main()
