"""The encoder contract as tests that run on any encoder, ours or a plugin's: ``probe check``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..core.types import Document, Sentence, Span, text_hash_anew
from .base import Encoder, Randomisable
from .loading import contract_faults

# The largest difference that float32 may make, in standard deviations of the layer. Sound models
# reach 7e-6 (MiniLM) and 1.1e-5 (a BERT of 12 blocks with sharp attention) between a row alone and
# the same row padded; a leak of padding is a thousand times larger.
TOLERANCE = 1e-4
LONG = 2500

Arrays = list[NDArray[np.float32]]


class Clause(NamedTuple):
    """One clause of the contract. An ``informative`` clause reports, and fails only by raising."""

    name: str
    passed: bool
    detail: str
    informative: bool = False


class _Broken(Exception):
    """A clause does not hold; the text says why."""


def check_encoder(encoder: Encoder) -> list[Clause]:
    """Try every clause of the contract on built-in texts.

    An encoder that raises fails the clause at hand with the exception's text. Where a clause
    fails without which the others say nothing (attributes, the first encoding), they are left out.
    """
    clauses = [_try("attributes", lambda: _attributes(encoder))]
    if not clauses[-1].passed:
        return clauses
    documents = _documents()
    before = encoder.fingerprint
    base: Arrays = []
    clauses.append(_try("encodes", lambda: _encodes(encoder, documents, base)))
    if not clauses[-1].passed:
        return clauses
    shapes: list[tuple[str, Callable[[], str]]] = [
        ("arrays", lambda: _arrays(base)),
        ("layers", lambda: _axis(base, 0, [len(encoder.layer_names)] * len(base), "layer_names")),
        ("words", lambda: _axis(base, 1, [len(d) for d in documents], "its words")),
        ("width", lambda: _axis(base, 2, [encoder.dim] * len(base), "dim")),
        ("finite", lambda: _finite(base)),
    ]
    clauses.extend(_try(name, check) for name, check in shapes)
    if not all(clause.passed for clause in clauses):
        return clauses
    behaviour: list[tuple[str, Callable[[], str]]] = [
        ("no state between calls", lambda: _stateless(encoder, documents)),
        ("batch of one", lambda: _alone(encoder, documents, base)),
        ("order of documents", lambda: _order(encoder, documents, base)),
        ("lazy iterators", lambda: _lazy(encoder, documents, base)),
        ("gradients", lambda: _gradients(encoder, documents)),
        ("documents unchanged", lambda: _unchanged(encoder)),
        ("long documents", lambda: _long(encoder)),
    ]
    clauses.extend(_try(name, check) for name, check in behaviour)
    clauses.append(
        _try("layer 0 without context", lambda: _layer_zero(encoder))._replace(informative=True)
    )
    if isinstance(encoder, Randomisable):
        clauses.append(
            _try("random weights", lambda: _random(encoder, encoder, documents[:2], base[:2]))
        )
    clauses.append(_try("fingerprint", lambda: _fingerprint(encoder, before)))
    return clauses


def _try(name: str, check: Callable[[], str]) -> Clause:
    try:
        return Clause(name, True, check())
    except _Broken as broken:
        return Clause(name, False, str(broken))
    except Exception as error:
        return Clause(name, False, f"raises {type(error).__name__}: {error}")


def _documents() -> list[Document]:
    """Short texts of what goes wrong: one word, contractions, marks, emoji, dropped characters."""
    contraction = Sentence(
        ("I", "ca", "n't", "go", "."),
        "I can't go.",
        (Span(0, 1), Span(2, 4), Span(4, 7), Span(8, 10), Span(10, 11)),
    )
    shared = Sentence(("del", "el", "niño"), "del nin\u0303o", (Span(0, 3), Span(0, 3), Span(4, 9)))
    odd = Sentence.from_words(
        ["\u200b", "\U0001f469\u200d\U0001f467", "日本語", "שלום", "1,000", "\u200b"]
    )
    plain = [Sentence.from_words(text.split()) for text in _TEXT]
    return [
        Document("one word", (Sentence.from_words(["Go"]),)),
        Document("odd", (odd, contraction, shared)),
        Document("plain", tuple(plain)),
        Document("one sentence", (plain[1],)),
    ]


_TEXT = (
    "The old captain told the young sailors a story about the sea .",
    "They did not believe him , but they listened .",
    "In the morning the ship was gone and so was he .",
)


def _attributes(encoder: Any) -> str:
    faults = contract_faults(encoder)
    if faults:
        raise _Broken("; ".join(faults))
    return f"{len(encoder.layer_names)} layers of {encoder.dim}, {encoder.parameters} parameters"


def _encodes(encoder: Encoder, documents: Sequence[Document], base: Arrays) -> str:
    base.extend(encoder.encode(documents))
    if len(base) != len(documents):
        raise _Broken(f"{len(base)} arrays for {len(documents)} documents")
    if list(encoder.encode([])):
        raise _Broken("arrays for no documents")
    return f"{len(base)} documents"


def _arrays(base: Arrays) -> str:
    for array in base:
        if not isinstance(array, np.ndarray):
            raise _Broken(f"gives {type(array).__qualname__}, not a numpy array")
        if array.dtype != np.float32 or array.ndim != 3:
            raise _Broken(f"gives {array.dtype} of {array.ndim} axes, not float32 of 3")
    return "numpy, float32, 3 axes"


def _axis(base: Arrays, axis: int, wanted: list[int], of: str) -> str:
    for array, count in zip(base, wanted, strict=True):
        if np.shape(array)[axis : axis + 1] != (count,):
            raise _Broken(f"an array of shape {np.shape(array)} where {of} makes {count}")
    return f"as {of} says"


def _finite(base: Arrays) -> str:
    if not all(np.isfinite(array).all() for array in base):
        raise _Broken("nan or inf among the numbers")
    return "no nan, no inf"


def _stateless(encoder: Encoder, documents: Sequence[Document]) -> str:
    """A, then B, then A again."""
    a, b = [documents[2]], [documents[1]]
    first = list(encoder.encode(a))
    _exhaust(encoder.encode(b))
    return _same(first, list(encoder.encode(a)), "the second time")


def _alone(encoder: Encoder, documents: Sequence[Document], base: Arrays) -> str:
    alone = [array for document in documents for array in encoder.encode([document])]
    return _same(base, alone, "alone")


def _order(encoder: Encoder, documents: Sequence[Document], base: Arrays) -> str:
    """Reversed, and amid longer neighbours, so that padding falls otherwise."""
    backwards = list(encoder.encode(documents[::-1]))
    _same(base, backwards[::-1], "in reversed order")
    crowd = [documents[2], *documents, documents[2]]
    return _same(base, list(encoder.encode(crowd))[1:-1], "among others")


def _lazy(encoder: Encoder, documents: Sequence[Document], base: Arrays) -> str:
    """Two iterators at once, one of them dropped half-way."""
    one = iter(encoder.encode(documents))
    other = iter(encoder.encode(documents[::-1]))
    half = []
    for _ in documents[:2]:
        half.append(next(one))
        next(other)
    del other
    return _same(base, [*half, *one], "when two iterators alternate")


def _gradients(encoder: Encoder, documents: Sequence[Document]) -> str:
    torch = sys.modules.get("torch")
    if torch is None:
        return "torch is not loaded"
    for module in _modules(encoder, torch.nn.Module):
        if module.training:
            raise _Broken(f"{type(module).__qualname__} is in training mode")
    for enabled in (True, False):
        with torch.set_grad_enabled(enabled):
            states = []
            for _ in encoder.encode(documents[:2]):
                states.append((torch.is_grad_enabled(), torch.is_inference_mode_enabled()))
            states.append((torch.is_grad_enabled(), torch.is_inference_mode_enabled()))
            if any(state != (enabled, False) for state in states):
                raise _Broken("changes torch's gradient mode for its caller")
    if any(p.grad is not None for m in _modules(encoder, torch.nn.Module) for p in m.parameters()):
        raise _Broken("leaves gradients on its weights")
    return "none, and the caller's mode is kept"


def _modules(encoder: Any, kind: Any) -> Iterator[Any]:
    """The torch modules that the encoder holds, directly or one object deeper."""
    for value in vars(encoder).values() if hasattr(encoder, "__dict__") else ():
        if isinstance(value, kind):
            yield value
        elif hasattr(value, "__dict__") and not isinstance(value, type):
            yield from (inner for inner in vars(value).values() if isinstance(inner, kind))


def _unchanged(encoder: Encoder) -> str:
    documents = _documents()
    before = text_hash_anew(documents)
    _exhaust(encoder.encode(documents))
    kept = [d.words for d in documents] == [d.words for d in _documents()]
    if text_hash_anew(documents) != before or not kept:
        raise _Broken("changes the documents that it is given")
    return "the documents are as before"


def _long(encoder: Encoder) -> str:
    """Longer than any window: all words come back, and the last ones are not filled in."""
    words = " ".join(_TEXT).split()
    stream = [words[(7 * i + i // 31) % len(words)] for i in range(LONG)]
    sentences = tuple(Sentence.from_words(stream[i : i + 25]) for i in range(0, LONG, 25))
    array = next(iter(encoder.encode([Document("long", sentences)])))
    if array.shape != (len(encoder.layer_names), LONG, encoder.dim):
        raise _Broken(f"an array of shape {array.shape} for {LONG} words")
    if not np.isfinite(array).all():
        raise _Broken("nan or inf among the numbers")
    tail = array[:, -100:]
    if (tail == tail[:, :1]).all():
        raise _Broken("the last 100 words have one vector: they were truncated and filled in")
    return f"{LONG} words"


def _layer_zero(encoder: Encoder) -> str:
    """Not a failure: models with learned positions add them before their first block."""
    texts = ("They saw the bank there .", "My bank , as you know , was closed .")
    documents = [Document(t, (Sentence.from_words(t.split()),)) for t in texts]
    arrays = list(encoder.encode(documents))
    a, b = (x[:1, d.words.index("bank")] for x, d in zip(arrays, documents, strict=True))
    difference = float(np.abs(a - b).max()) / _scale(np.concatenate([x[:1] for x in arrays], 1))[0]
    if difference <= TOLERANCE:
        return "a word has the same vector in two contexts"
    return (
        f"a word differs by {difference:.2g} standard deviations between two contexts: "
        "layer 0 holds positions or context"
    )


def _random(
    encoder: Encoder, source: Randomisable, documents: Sequence[Document], base: Arrays
) -> str:
    again, other, first = source.randomised(1), source.randomised(2), source.randomised(1)
    faults = contract_faults(first)
    if faults:
        raise _Broken("; ".join(faults))
    drawn = list(first.encode(documents))
    if [a.shape for a in drawn] != [a.shape for a in base]:
        raise _Broken("random weights change the shapes")
    _same(drawn, list(again.encode(documents)), "with the same seed drawn twice")
    if first.fingerprint != again.fingerprint:
        raise _Broken("one seed, two fingerprints")
    if len({first.fingerprint, other.fingerprint, encoder.fingerprint}) < 3:
        raise _Broken("the fingerprint does not tell random weights apart")
    for array, with_seed_2, trained in zip(drawn, other.encode(documents), base, strict=True):
        if np.array_equal(array, trained) or np.array_equal(array, with_seed_2):
            raise _Broken("random weights give the same numbers as others")
    _same(base, list(encoder.encode(documents)), "after random weights were drawn")
    return "differ from the trained ones, the same for the same seed"


def _fingerprint(encoder: Encoder, before: str) -> str:
    if encoder.fingerprint != before:
        raise _Broken("changes when the encoder is used")
    return before[:12]


def _same(expected: Arrays, arrays: Arrays, when: str) -> str:
    largest = 0.0
    for a, b in zip_longest(expected, arrays):
        if a is None or b is None or a.shape != b.shape:
            raise _Broken(f"other arrays {when}")
        difference = np.abs(a - b).max(axis=(1, 2)) / _scale(a)  # (layers,)
        largest = max(largest, float(difference.max()))
    if not largest <= TOLERANCE:
        raise _Broken(f"differs by {largest:.2g} standard deviations {when}, over {TOLERANCE:g}")
    return f"the same {when} to {largest:.1g} standard deviations (allowed {TOLERANCE:g})"


def _scale(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each layer's standard deviation, or 1: (layers, words, dim) -> (layers,)."""
    deviation = array.std(axis=(1, 2))
    scale: NDArray[np.float32] = np.where(deviation > 0, deviation, np.float32(1.0))
    return scale


def _exhaust(arrays: Iterator[Any]) -> None:
    for _ in arrays:
        pass
