"""The dense model with as many weights as a pruned one, against counts by hand."""

from __future__ import annotations

import pytest

from layerwise.benchmarks.sparsity import smaller
from layerwise.encoders.bilm import BiLMSettings


@pytest.mark.parametrize("sparsity", [0.3, 0.5, 0.8, 0.9])
def test_a_smaller_model_has_as_many_weights_as_are_left(sparsity: float) -> None:
    stack = {"dim": 128, "layers": 2, "heads": 4, "feed_forward": 512}
    settings = BiLMSettings(architecture="transformer", stack=stack, window=16)  # type: ignore[arg-type]
    found = smaller(settings, sparsity)
    dim, wide = found["dim"], found["feed_forward"]
    assert dim % 4 == 0
    # A block is four maps of dim x dim for attention and two of dim x feed_forward.
    left = (1 - sparsity) * (4 * 128**2 + 2 * 128 * 512)
    assert 4 * dim**2 + 2 * dim * wide == pytest.approx(left, rel=0.1)
