"""Cells with names, and the reader of what a user writes: a name or a cell."""

from __future__ import annotations

from ....core.errors import DataError, did_you_mean
from .convolution_variants import PLAIN, VARIANTS
from .grammar import VERSION, Cell, parse
from .validity import check

ALIASES: dict[str, str] = {
    # Elman 1990, as torch's RNN.
    "rnn": "c1/L:0,@2/t:1=2",
    # Hochreiter and Schmidhuber 1997 with forget gates, as torch's LSTM: nodes 2, 4, 6 and 8 are
    # the input gate, the forget gate, the new value and the output gate.
    "lstm": (
        "c1/L:0,@13/s:1/L:0,@13/s:3/L:0,@13/t:5/L:0,@13/s:7/m:4,@11/m:2,6/a:9,10/t:11/m:8,12=13"
    ),
    # Cho et al. 2014, as torch's GRU: the reset gate (node 2) acts after the map of the state.
    "gru": "c1/L:0,@10/s:1/L:0,@10/s:3/L:@10/m:2,5/L:0/a:6,7/t:8/b:4,@10,9=10",
    # The cells of these names in NAS-Bench-NLP (arXiv 2006.07116): the output gate of its LSTM is
    # a tanh, the reset gate of its GRU acts before the map of the state.
    "nasbench_lstm": (
        "c1/L:0,@13/t:1/L:0,@13/s:3/m:4,@11/L:0,@13/t:6/L:0,@13/s:8/m:7,9/a:5,10/t:11/m:2,12=13"
    ),
    "nasbench_gru": "c1/L:0,@8/s:1/L:0,@8/s:3/m:4,@8/L:0,5/t:6/b:2,@8,7=8",
    # Feng et al. 2024 (arXiv 2410.01201), section 3.1.
    "mingru": "c1/L:0/s:1/L:0/b:2,3,@4=4",
    # Bradbury et al. 2017 (arXiv 1611.01576), section 2, with a window of 2 words.
    "qrnn": "c1/K2:0/t:1/K2:0/s:3/K2:0/s:5/b:4,@7,2/m:6,7=8",
    # Dauphin et al. 2017 (arXiv 1612.08083), section 2, over 5 words, with a residual connection.
    "gconv": PLAIN,
    # A pre-norm transformer block of 4 heads, as torch's TransformerEncoderLayer, without places.
    "attn": "c1/n:0/A4:1/a:0,2/n:3/L4:4/g:5/L:6/a:3,7=8",
    # A convolution, a linear recurrence over it and attention over that.
    "hybrid": "c1/D5:0/L:1/s:2/L:1/b:3,4,@5/A2:5/a:0,6=7",
}

DESCRIPTIONS: dict[str, str] = {
    "rnn": "Elman's network",
    "lstm": "long short-term memory with forget gates",
    "gru": "gated recurrent unit",
    "nasbench_lstm": "the LSTM of NAS-Bench-NLP, whose output gate is a tanh",
    "nasbench_gru": "the GRU of NAS-Bench-NLP, whose reset gate acts before the map of the state",
    "mingru": "a linear recurrence with gates from the input alone",
    "qrnn": "a linear recurrence with gates from the last 2 words",
    "gconv": "gated convolution over 5 words",
    "attn": "transformer block",
    "hybrid": "convolution, linear recurrence and attention, one over the other",
} | {variant.name: f"{variant.category}: {variant.what}" for variant in VARIANTS}
"""What each name of ``NAMES`` stands for, in a line."""

NAMES: dict[str, str] = ALIASES | {variant.name: variant.cell for variant in VARIANTS}
"""All cells that can be written by a name. (``ALIASES`` alone are landmarks of NAS-Probe, whose
draw would be another one with more of them.)"""


def read_cell(text: str) -> Cell:
    """The valid cell that a user means by a name of ``NAMES`` or by a cell. Else DataError."""
    written = text.strip()
    if not written.startswith(f"{VERSION}/") and written not in NAMES:
        raise DataError(
            f"no such cell: {written[:40]!r}",
            where="cell",
            cure=f"{did_you_mean(written[:40], NAMES)}, or write one as {ALIASES['rnn']}",
        )
    cell = parse(NAMES.get(written, written))
    check(cell)
    return cell
