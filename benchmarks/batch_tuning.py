"""What ``--batch-words auto`` is worth: encoding with it, its search included, beside the default.

    LAYERWISE_DATA=... OMP_NUM_THREADS=1 python benchmarks/batch_tuning.py [--data gum] [--words N]

Each encoder reads the same training documents whole or sentence by sentence, in turns with the
default and with ``encoders.batch_tuning``, which begins anew each time. One thread, CPU seconds,
medians of ``--repeats``; and the largest difference of any vector, in its layer's standard
deviations.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Sequence

import numpy as np
import torch

from layerwise.core.types import Document
from layerwise.encoders.base import CONTEXTS, EncoderOptions
from layerwise.encoders.batch_tuning import TunedEncoder
from layerwise.encoders.loading import load_encoder
from layerwise.tasks.corpora import load_corpus


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--encoders", nargs="+", default=["lstm", "gated_cnn", "transformer"])
    parser.add_argument("--data", default="gum" if os.environ.get("LAYERWISE_DATA") else "builtin")
    parser.add_argument("--words", type=int, default=40_000)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    documents = _documents(asked.data, asked.words)
    words = sum(map(len, documents))
    print(f"{words:,} words of {asked.data} in {len(documents)} documents, one thread")
    print("| encoder | context | default, words/s | auto, words/s | over default | chosen | off |")
    print("|---|---|--:|--:|--:|---|--:|")
    for name in asked.encoders:
        for context in CONTEXTS:
            compared(name, context, documents, words, asked.repeats)


def compared(
    name: str, context: str, documents: Sequence[Document], words: int, repeats: int
) -> None:
    """One line of the table."""
    encoder = load_encoder(name, EncoderOptions(context=context))
    list(encoder.encode(documents[:1]))  # what is made on first use
    seconds: dict[str, list[float]] = {"default": [], "auto": []}
    chosen = []
    for turn in range(repeats):
        tuned = TunedEncoder(encoder)
        ways = {"default": encoder, "auto": tuned}
        arrays = {}
        for way in list(ways)[:: -1 if turn % 2 else 1]:
            started = time.process_time()
            arrays[way] = list(ways[way].encode(documents))
            seconds[way].append(time.process_time() - started)
        chosen.append(str(tuned.choice.words))
    pairs = zip(arrays["default"], arrays["auto"], strict=True)
    deviation = np.concatenate(arrays["default"], axis=1).std(axis=(1, 2))
    off = max(float((np.abs(a - b).max(axis=(1, 2)) / deviation).max()) for a, b in pairs)
    default, auto = (statistics.median(seconds[way]) for way in ("default", "auto"))
    print(
        f"| {name} | {context} | {words / default:,.0f} | {words / auto:,.0f} "
        f"| {default / auto:.2f} | {', '.join(chosen)} | {off:.0e} |",
        flush=True,
    )


def _documents(data: str, words: int) -> list[Document]:
    """The first training documents, whole, up to so many words."""
    documents: list[Document] = []
    for annotated in load_corpus(data).splits["train"]:
        if sum(map(len, documents)) < words:
            documents.append(annotated.document)
    return documents


if __name__ == "__main__":
    main()
