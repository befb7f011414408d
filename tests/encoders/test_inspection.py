"""What ran: kernels by what torch did, memory by closed form, a GPU's by a stand-in."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from layerwise.encoders.inspection import inspect_pass, kernels
from layerwise.encoders.lstm import LSTM
from layerwise.encoders.packed_linear import pack_linear
from layerwise.encoders.stages import Call
from layerwise.encoders.stopwatch import CudaClock, HostClock

torch.set_num_threads(1)


class Attention(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return F.scaled_dot_product_attention(x, x, x, is_causal=True)


def inspect(module: nn.Module, *given: Tensor) -> Any:
    with torch.inference_mode():
        return inspect_pass([Call(module.eval(), given, {})], HostClock())


class TestKernels:
    def test_attention_tells_which_of_its_kernels_ran(self) -> None:
        x = torch.randn(2, 2, 16, 16)
        assert inspect(Attention(), x).kernels == ("fused attention (flash, for processors)",)
        with sdpa_kernel(SDPBackend.MATH):
            assert "attention in steps (math)" in inspect(Attention(), x).kernels

    def test_an_lstm_that_is_run_by_torch(self) -> None:
        (name, *_) = inspect(nn.LSTM(6, 6), torch.randn(5, 2, 6)).kernels
        assert name in ("torch LSTM", "oneDNN LSTM")

    def test_an_lstm_whose_steps_are_ours(self) -> None:
        stack = LSTM(dim=8, hidden=12, layers=2).stack()
        found = inspect(stack, torch.randn(2, 7, 8)).kernels
        assert found[0] == "step loop" and "matrix products (addmm)" in found

    def test_packed_linear_maps(self) -> None:
        model = nn.Sequential(nn.Linear(16, 16))
        packed = pack_linear(model)
        found = inspect(model, torch.randn(40, 16)).kernels
        assert ("oneDNN packed linear" in found) == bool(packed)

    @pytest.mark.parametrize(
        "operator, name",
        [
            ("aten::_scaled_dot_product_efficient_attention", "fused attention (memory-efficient)"),
            ("aten::_scaled_dot_product_cudnn_attention", "fused attention (cuDNN)"),
            ("aten::cudnn_convolution", "cuDNN convolution"),
        ],
    )
    def test_those_of_a_gpu(self, operator: str, name: str) -> None:
        assert kernels(Counter([operator, "aten::view"]), [Attention()]) == (name,)

    def test_cudnn_runs_an_lstm(self) -> None:
        ran = Counter(["aten::lstm", "aten::_cudnn_rnn"])
        assert kernels(ran, [nn.LSTM(2, 2)]) == ("cuDNN LSTM",)


class TestMemory:
    def test_the_peak_is_what_lives_at_once(self) -> None:
        # Rows of 256 to 1024, a copy through the nonlinearity, back to 256: at most both wide ones.
        model = nn.Sequential(nn.Linear(256, 1024), nn.GELU(), nn.Linear(1024, 256))
        rows, wide, narrow = 500, 1024, 256
        peak = inspect(model, torch.randn(rows, narrow)).peak_bytes
        assert peak == 4 * rows * 2 * wide

    def test_what_calls_return_counts_until_the_end(self) -> None:
        twice = [Call(nn.Identity(), (torch.ones(2),), {})] + [
            Call(nn.ReLU(), (torch.ones(1000),), {}) for _ in range(3)
        ]
        with torch.inference_mode():
            assert inspect_pass(twice, HostClock()).peak_bytes == 3 * 4000

    def test_it_says_how_it_was_measured(self) -> None:
        assert "allocator" in inspect(Attention(), torch.randn(1, 1, 4, 4)).memory

    def test_a_gpu_is_asked_itself(self, cuda: Any) -> None:
        call = Call(Growing(cuda), (), {})
        found = inspect_pass([call], CudaClock(cuda.device, cuda))
        assert found.peak_bytes == 70 and "max_memory_allocated" in found.memory
        assert found.waits == 0


class Growing(nn.Module):
    def __init__(self, cuda: Any) -> None:
        super().__init__()
        self.cuda = cuda

    def forward(self) -> None:
        self.cuda.peak = max(self.cuda.peak, self.cuda.held + 70)
