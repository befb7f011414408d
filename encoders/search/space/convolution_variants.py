"""Seven variants of the gated convolution, one for each category of CNN architectures.

The categories are those of Khan et al. 2020 (arXiv 1901.06032). Each variant is one
cell, so that a search can find it and change it, with the depth and the width of the plain one: a
layer of a variant is read beside the same layer of the plain one, with vectors of one size. Its
weights are shared out anew, to within ``TOLERANCE`` of the plain one's from ``LEAST_WIDTH``
channels on.

What a category means for images does not always stand in one causal cell. Depth is two layers with
highway connections within each cell, for skips across layers are not a cell's to make. The paths of
a fractal network are there, the dropping of paths in training is not. Boosted channels are learnt
with the language model, not beforehand by an autoencoder of their own. Attention over places mixes
words, as in a transformer, where CBAM's scales them.
"""

from __future__ import annotations

from typing import NamedTuple

from .grammar import Cell, parse
from .widths import parameters

PLAIN = "c1/K5:0/K5:0/s:2/m:1,3/a:0,4=5"
"""The gated convolution itself: about 10 * width**2 weights."""

TOLERANCE = 0.05
LEAST_WIDTH = 16

OPERATIONS = (
    *("K2", "K3", "K4", "K5", "K5d4", "D3", "D5", "L", "L", "E", "A4w16"),
    *("s", "s", "t", "r", "g", "m", "m", "a", "a", "b", "n"),
)
"""What the cells of the space ``cell:convolution`` are made of: all of the variants are in it."""


class ConvolutionVariant(NamedTuple):
    """A named cell, the category that it stands for, and what it does."""

    name: str
    category: str
    cell: str
    what: str


VARIANTS = (
    # Yu and Koltun 2016 (arXiv 1511.07122): the same weights, further apart. The value stays dense,
    # or layers of one dilation would never see the words between.
    ConvolutionVariant(
        "gconv-dilated",
        "spatial exploitation",
        "c1/K5:0/K5d4:0/s:2/m:1,3/a:0,4=5",
        "gates from 5 words that are 4 apart, over a value from the last 5",
    ),
    # Srivastava et al. 2015 (arXiv 1505.00387): the gate that lets the new in lets the old out.
    ConvolutionVariant(
        "gconv-highway",
        "depth",
        "c1/K2:0/K2:0/s:2/b:3,1,0/K3:4/K3:4/s:6/b:7,5,4=8",
        "two layers of short kernels with highway connections in place of one",
    ),
    # Larsson et al. 2017 (arXiv 1605.07648): a short and a long path over the same words.
    ConvolutionVariant(
        "gconv-fractal",
        "multi-path",
        "c1/K3:0/K3:0/s:2/m:1,3/K2:0/g:5/K2:6/a:0,4,7=8",
        "a gated path of one convolution beside a path of two, over the same 3 words",
    ),
    # Szegedy et al. 2015 (arXiv 1409.4842): two kernels side by side make twice the channels.
    ConvolutionVariant(
        "gconv-inception",
        "width",
        "c1/K2:0/K4:0/r:1/r:2/L:3,4/L:3,4/s:6/m:5,7/a:0,8=9",
        "value and gate from twice as many channels, of kernels over 2 and over 4 words",
    ),
    # Hu et al. 2018 (arXiv 1709.01507), by the mean of the words so far.
    ConvolutionVariant(
        "gconv-squeeze",
        "feature-map exploitation",
        "c1/E:0/K5:1/K4:1/s:3/m:2,4/E:5/a:0,6=7",
        "squeeze and excitation of what is read and of what is given, by a running mean",
    ),
    # Khan et al. 2018 (arXiv 1804.08528).
    ConvolutionVariant(
        "gconv-boosted",
        "channel boosting",
        "c1/L:0/t:1/K5:0/K2:2/a:3,4/L:0,2/s:6/m:5,7/a:0,8=9",
        "value and gate read learnt channels beside those of the input",
    ),
    # Woo et al. 2018 (arXiv 1807.06521): channels first, then places.
    ConvolutionVariant(
        "gconv-attention",
        "attention",
        "c1/K3:0/K2:0/s:2/m:1,3/E:4/A4w16:5/a:0,5,6=7",
        "a gated convolution whose channels, then whose last 16 words are attended to",
    ),
)


def parameter_ratio(cell: Cell, width: int) -> float:
    """The weights of a cell over those of the plain one; of stacks too, if both are as deep."""
    return parameters(cell, width) / parameters(parse(PLAIN), width)
