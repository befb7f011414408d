"""Laid-out weights: the same products as torch's own, and the plain ones wherever that is wiser."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from layerwise.core.types import Document, Sentence
from layerwise.encoders import packed_linear
from layerwise.encoders.base import EncoderOptions
from layerwise.encoders.loading import load_encoder
from layerwise.encoders.packed_linear import pack_linear

usable = pytest.mark.skipif(
    not packed_linear._is_usable(), reason="this processor or torch has no oneDNN for it"
)


def rows(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


@usable
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(
    "given",
    [
        rows(5, 384),
        rows(1, 384),
        rows(384),
        rows(2, 700, 384),
        rows(3, 2, 7, 384),
        rows(0, 384),
        rows(384, 9).T,
        rows(9, 400)[:, :384],
        rows(9, 384).expand(3, 9, 384),
    ],
    ids=lambda given: f"{tuple(given.shape)} by {given.stride()}",
)
def test_products_are_those_of_float64(given: torch.Tensor, bias: bool) -> None:
    layer = torch.nn.Linear(384, 1536, bias=bias).requires_grad_(False)
    wanted = given.double() @ layer.weight.double().T
    if bias:
        wanted = wanted + layer.bias.double()
    assert pack_linear(torch.nn.Sequential(layer)) == 1
    with torch.inference_mode():
        torch.testing.assert_close(layer(given).double(), wanted, rtol=0, atol=1e-5)


@usable
def test_weights_stay_what_they_are() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(8, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    assert pack_linear(model) == 2
    after = model.state_dict()
    assert list(before) == list(after)
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_other_layers_are_left_alone() -> None:
    class Own(torch.nn.Linear):
        """A subclass may do more than a product."""

    model = torch.nn.Sequential(
        Own(4, 4), torch.nn.Linear(4, 4).to(torch.float64), torch.nn.LayerNorm(4)
    )
    assert pack_linear(model) == 0
    assert not any("forward" in vars(module) for module in model.modules())


@pytest.mark.parametrize("without", ["memory", "processor", "oneDNN", "operators", "agreement"])
def test_where_it_cannot_be_had_torch_multiplies(
    without: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if without == "memory":
        monkeypatch.setattr(packed_linear, "_BYTES", 4 * 16 - 1)
    elif without == "processor":
        monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "DEFAULT")
    elif without == "oneDNN":
        monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    elif without == "operators":

        def absent(*_: object) -> None:
            raise AttributeError("'_OpNamespace' 'mkldnn' object has no such attribute")

        monkeypatch.setattr(packed_linear, "_packed", absent)
    else:
        monkeypatch.setattr(packed_linear, "_packed", lambda *_: lambda given: given[:, :2])
    layer = torch.nn.Linear(4, 4)
    assert pack_linear(torch.nn.Sequential(layer)) == 0
    assert "forward" not in vars(layer)


@usable
def test_layers_of_a_real_model_keep_their_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    words = "the cat that we saw yesterday sat on an unbelievably colourful mat .".split()
    documents = [
        Document(f"d{k}", (Sentence.from_words(words[k:]), Sentence.from_words(words[: k + 1])))
        for k in range(len(words))
    ]
    options = EncoderOptions(context="sentence")
    packed = np.concatenate(list(load_encoder("minilm", options).encode(documents)), axis=1)
    monkeypatch.setattr(packed_linear, "_is_usable", lambda: False)
    plain = np.concatenate(list(load_encoder("minilm", options).encode(documents)), axis=1)
    spread = plain.std(axis=(1, 2))  # (layers,)
    error = packed - plain
    assert (np.sqrt((error**2).mean(axis=(1, 2))) < 2e-6 * spread).all()
    assert (np.abs(error).max(axis=(1, 2)) < 3e-5 * spread).all()
