"""Figures to files: PNG, PDF or SVG, the same bytes for the same figure."""

from __future__ import annotations

import html
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core import files
from ..core.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# For each ending, what would otherwise hold the date.
_UNDATED: dict[str, dict[str, Any]] = {
    ".png": {},
    ".pdf": {"CreationDate": None},
    ".svg": {"Date": None},
}
_DESCRIBED = {".png": "Description", ".pdf": "Subject"}
_RESOLUTION = 200  # dots an inch, of a PNG

ENDINGS = tuple(_UNDATED)


def check_ending(path: Path) -> None:
    """Raise UsageError where the file's ending is that of no picture."""
    if path.suffix.lower() not in ENDINGS:
        raise UsageError(
            f"{path.name} has no ending of a picture",
            where="--output",
            cure=did_you_mean(path.suffix.lower(), ENDINGS),
        )


def save(figure: Figure, path: Path, description: str = "") -> None:
    """Write the figure in the format that the file's ending tells. UsageError for another.

    The description is for who cannot see the picture: ``desc`` of an SVG, a PNG's text of that
    name, a PDF's subject.
    """
    from matplotlib import rc_context

    check_ending(path)
    ending = path.suffix.lower()
    # Laid out once: the second of two formats must not depend on the resolution of the first.
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    stream = io.BytesIO()  # a figure that fails leaves no file begun
    metadata = dict(_UNDATED[ending])
    if description and ending in _DESCRIBED:
        metadata[_DESCRIBED[ending]] = description
    # Text in an SVG looks the same without the font, and that in a PDF can be searched.
    with rc_context({"svg.hashsalt": "layerwise", "svg.fonttype": "path", "pdf.fonttype": 42}):
        figure.savefig(stream, format=ending[1:], dpi=_RESOLUTION, metadata=metadata or None)
    content = stream.getvalue()
    if description and ending == ".svg":
        # matplotlib has no word for it; screen readers look for it before everything drawn.
        told = f" <desc>{html.escape(description, quote=False)}</desc>\n <metadata>".encode()
        content = content.replace(b" <metadata>", told, 1)
    with files.atomic_writer(path) as out:
        out.write(content)
