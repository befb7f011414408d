"""The forward pass: windows of pieces through a Hugging Face model, words out of all its layers."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ..core.errors import ModelError, UsageError
from .alignment import Ints
from .model_folder import LoadedModel, quiet, weights_of
from .packed_linear import pack_linear

# The cost of attention grows with the square of a window, and most encoders were trained on 512
# positions; a word in the middle of such a window sees some 200 words to each side.
LONGEST_WINDOW = 512

# What a batch costs beside its positions, as a number of positions. On a CPU it is the weights' way
# from memory; other devices want full batches more than they mind padding.
_START_ON_CPU, _START_ELSEWHERE = 24, 1024

# transformers stands "no limit" for in a tokenizer as int(1e30).
_SANE_LENGTH = 1_000_000


class Job(NamedTuple):
    """Pieces that go through the model together, and the pieces of the words to be kept.

    ``ids`` (pieces) are without special tokens; word ``i`` is pooled from ``first[i]:last[i]``.
    """

    ids: Ints
    first: Ints
    last: Ints


class Template(NamedTuple):
    """What the tokenizer puts around a text: special tokens, and the types of all tokens.

    ``typed`` tells whether the tokenizer gives types at all. GPT-2 takes them too, but would add
    the embedding of the word 0 to every word if it were given zeros.
    """

    prefix: list[int]
    suffix: list[int]
    typed: bool
    prefix_types: list[int]
    type: int
    suffix_types: list[int]

    @property
    def size(self) -> int:
        """The number of special tokens."""
        return len(self.prefix) + len(self.suffix)


class SubwordModel:
    """A loaded model on its device.

    ``layers`` counts the embeddings (layer 0) and the blocks; ``size`` is the number of pieces
    that fit into a window beside the special tokens; ``parameters`` leaves a pooler out; ``start``
    is the cost of a batch for ``windows.plan_batches``.
    Raises ModelError when the model does not give one state per block and one before them.
    """

    def __init__(self, loaded: LoadedModel, device: str, where: str) -> None:
        self._model = loaded.model
        self._where = where
        self._device = _device(device)
        self._accepts = frozenset(inspect.signature(loaded.model.forward).parameters)
        self.template = _template(loaded.tokenizer, where)
        self._pad = _padding_id(loaded)
        with quiet():
            limit = _limit(loaded)
        self.size = min(limit, LONGEST_WINDOW) - self.template.size
        if self.size < 1:
            raise ModelError(f"its window of {limit} positions holds no piece", where=where)
        parameters = {
            id(p): p.numel()
            for n, p in loaded.model.named_parameters()
            if not n.startswith("pooler.")
        }
        self.parameters = sum(parameters.values())
        self._model.to(self._device)
        self.start = _START_ON_CPU if self._device.type == "cpu" else _START_ELSEWHERE
        pack_linear(self._model)
        self.layers, self.dim, self.final_norm = self._look_inside(loaded)

    def words(self, jobs: Sequence[Job], pooling: str) -> list[NDArray[np.float32]]:
        """One batch: for each job an array of shape (layers, words, dim)."""
        prefix = len(self.template.prefix)
        longest = max(len(job.ids) for job in jobs) + self.template.size
        shift = np.arange(len(jobs)) * longest + prefix  # (jobs,)
        counts = np.array([len(job.first) for job in jobs])
        row = np.repeat(shift, counts)  # (words,)
        first = np.concatenate([job.first for job in jobs]) + row  # (words,)
        last = np.concatenate([job.last for job in jobs]) + row  # (words,)
        with torch.inference_mode():
            states = self._forward([job.ids for job in jobs], longest)
            pool = _Pool(first, last, pooling, self._device)
            pooled = torch.stack([pool(state.flatten(0, 1)) for state in states])
            array = pooled.cpu().numpy()  # (layers, words of all jobs, dim)
        return np.split(array, np.cumsum(counts)[:-1], axis=1)

    def _forward(self, rows: Sequence[Ints], longest: int) -> tuple[Tensor, ...]:
        """All hidden states, each of shape (rows, longest, dim); padded on the right."""
        shape = (len(rows), longest)
        ids = np.full(shape, self._pad, dtype=np.int64)
        mask = np.zeros(shape, dtype=np.int64)
        types = np.zeros(shape, dtype=np.int64)
        t = self.template
        for i, row in enumerate(rows):
            filled = len(row) + t.size
            ids[i, :filled] = [*t.prefix, *row, *t.suffix]
            mask[i, :filled] = 1
            types[i, :filled] = [*t.prefix_types, *[t.type] * len(row), *t.suffix_types]
        inputs = {"input_ids": ids, "attention_mask": mask}
        if t.typed:
            inputs["token_type_ids"] = types
        output = self._model(
            **{
                name: torch.from_numpy(value).to(self._device)
                for name, value in inputs.items()
                if name in self._accepts
            },
            output_hidden_states=True,
            return_dict=True,
        )
        states: tuple[Tensor, ...] = output.hidden_states
        return states

    def _look_inside(self, loaded: LoadedModel) -> tuple[int, int, bool]:
        """Layers, width and final norm, from a pass over one piece."""
        normed: list[Tensor] = []
        hooks = [
            module.register_forward_hook(lambda _m, _i, output: normed.append(output))
            for module in _outer_norms(loaded.model)
        ]
        try:
            with torch.inference_mode():
                row = np.array([self._pad], dtype=np.int64)
                states = self._forward([row], 1 + self.template.size)
        except Exception as error:
            raise ModelError(
                f"fails on one word ({type(error).__name__}: {error})",
                where=self._where,
                cure="the suite needs a text model that takes input_ids",
            ) from error
        finally:
            for hook in hooks:
                hook.remove()
        blocks = getattr(loaded.model.config, "num_hidden_layers", None)
        if not isinstance(states, tuple) or not isinstance(blocks, int):
            raise ModelError("does not give its hidden states", where=self._where)
        if len(states) != blocks + 1:
            raise ModelError(
                f"{len(states)} hidden states for {blocks} blocks, where {blocks + 1} are due",
                where=self._where,
                cure="its layers cannot be counted, so it cannot be probed by layer",
            )
        widths = {state.shape[-1] for state in states}
        if len(widths) > 1 or any(state.dtype != torch.float32 for state in states):
            raise ModelError("its layers differ in width or are not float32", where=self._where)
        final = any(n.shape == states[-1].shape and torch.equal(n, states[-1]) for n in normed)
        return len(states), widths.pop(), final


class _Pool:
    """Pools the pieces ``first:last`` of each word out of a matrix of pieces."""

    def __init__(self, first: Ints, last: Ints, pooling: str, device: torch.device) -> None:
        self._mean = pooling == "mean"
        index = first if pooling == "first" else last - 1
        if self._mean:
            counts = last - first
            starts = np.concatenate(([0], np.cumsum(counts)[:-1]))  # (words,)
            index = np.arange(counts.sum()) + np.repeat(first - starts, counts)  # (pieces,)
            self._starts = torch.from_numpy(starts).to(device)
        self._index = torch.from_numpy(index).to(device)

    def __call__(self, pieces: Tensor) -> Tensor:
        """(pieces, dim) -> (words, dim)."""
        if self._mean:
            return F.embedding_bag(self._index, pieces, self._starts, mode="mean")
        return pieces[self._index]


def _device(name: str) -> torch.device:
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UsageError(
            f"the device {name!r} cannot be used here", where="--device", cure="take cpu"
        ) from error
    return device


def _template(tokenizer: Any, where: str) -> Template:
    """Learn from an example what the tokenizer puts around a text.

    The methods that used to tell this were removed from fast tokenizers in transformers 5.
    """
    for text in ("a", "1", ".", "the"):
        bare = tokenizer(text, add_special_tokens=False)["input_ids"]
        full = tokenizer(text)
        ids = full["input_ids"]
        types = full.get("token_type_ids", [0] * len(ids))
        for begin in range(len(ids) - len(bare) + 1):
            end = begin + len(bare)
            if (
                bare
                and ids[begin:end] == bare
                and len(ids) - len(bare) == tokenizer.num_special_tokens_to_add()
            ):
                return Template(
                    ids[:begin],
                    ids[end:],
                    "token_type_ids" in full,
                    types[:begin],
                    types[begin],
                    types[end:],
                )
    raise ModelError("its tokenizer's special tokens cannot be told from a text", where=where)


def _padding_id(loaded: LoadedModel) -> int:
    """An id for the masked places: any will do, but RoBERTa counts positions by the model's own."""
    vocabulary = loaded.model.get_input_embeddings().weight.shape[0]
    for source in (loaded.model.config, loaded.tokenizer):
        pad = getattr(source, "pad_token_id", None)
        if isinstance(pad, int) and 0 <= pad < vocabulary:
            return pad
    return 0


def _limit(loaded: LoadedModel) -> int:
    """The number of positions that the model was made for, special tokens counted in."""
    limits = [loaded.tokenizer.model_max_length]
    limits.append(getattr(loaded.model.config, "max_position_embeddings", None))
    for name, module in loaded.model.named_modules():
        # RoBERTa and its kin count positions from behind the padding's.
        if (
            name.endswith("position_embeddings")
            and getattr(module, "padding_idx", None) is not None
        ):
            limits.append(module.num_embeddings - module.padding_idx - 1)
    sane = [n for n in limits if isinstance(n, int) and 0 < n < _SANE_LENGTH]
    return min(sane, default=LONGEST_WINDOW)


def _outer_norms(model: Any) -> list[Any]:
    """The normalisations that stand outside the stack of blocks."""
    stacks = [n for n, m in model.named_modules() if isinstance(m, torch.nn.ModuleList)]
    return [
        module
        for name, module in model.named_modules()
        if "norm" in type(module).__name__.lower()
        and not any(name.startswith(f"{stack}.") for stack in stacks)
    ]


def unchanged_weights(trained: Any, fresh: Any) -> list[str]:
    """The trainable weights that a fresh draw left as they were trained, constants aside."""
    before = weights_of(trained)
    return [
        name
        for name, parameter in fresh.named_parameters()
        if name in before
        and parameter.numel() > 1
        and bool((before[name] != before[name].flatten()[0]).any())
        and torch.equal(parameter.cpu(), before[name].cpu())
    ]
