"""What a unit reads its layer from: stored activations, or words that stand for themselves."""

from __future__ import annotations

from typing import Any, Protocol


class Layers(Protocol):
    """The layers of one split's text.

    ``manifest`` tells ``shape`` (layers, words, dim), ``dtype`` and ``input``, what became of the
    words; ``seconds`` is how long they took to encode.
    """

    @property
    def manifest(self) -> dict[str, Any]: ...

    @property
    def seconds(self) -> float: ...

    def layer(self, index: int) -> Any:
        """A layer, of shape (words, dim): an array, or a sparse matrix of one-hot words."""
        ...
