"""The loss curve shows what the log says."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure

from layerwise.core.errors import DataError, UsageError
from layerwise.results import loss_curve as module
from layerwise.results.loss_curve import Curve, draw, read_curve

LINES: list[dict[str, Any]] = [
    {"step": 50, "words_seen": 100_000, "seconds": 30.0, "loss": 7.0},
    {"step": 100, "words_seen": 200_000, "seconds": 60.0, "loss": 6.0, "held_out": {"mean": 500.0}},
    {"step": 150, "words_seen": 300_000, "seconds": 90.0, "loss": 5.5, "held_out": {"mean": 300.0}},
]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.jsonl"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in LINES))
    return path


class TestReading:
    @pytest.mark.parametrize(
        ("by", "places"),
        [("words", [0.1, 0.2, 0.3]), ("steps", [50, 100, 150]), ("minutes", [0.5, 1.0, 1.5])],
    )
    def test_points_go_along_what_is_asked(self, log: Path, by: Any, places: list[float]) -> None:
        curve = read_curve(log, "lstm", by)
        assert [x for x, _ in curve.train] == pytest.approx(places)
        assert [y for _, y in curve.train] == [7.0, 6.0, 5.5]
        assert [x for x, _ in curve.held_out] == pytest.approx(places[1:])
        assert [math.exp(y) for _, y in curve.held_out] == pytest.approx([500, 300])
        assert (curve.name, curve.sampled) == ("lstm", False)

    def test_a_torn_line_is_passed_and_of_a_step_done_twice_the_later_counts(
        self, log: Path
    ) -> None:
        log.write_text(
            log.read_text() + '{"st\n' + json.dumps(LINES[1] | {"loss": 5.9}) + '\n[1]\n{"loss": 1}'
        )
        assert [y for _, y in read_curve(log, "").train] == [7.0, 5.9, 5.5]

    def test_a_sampled_loss_is_told_apart(self, log: Path) -> None:
        log.write_text('{"step": 1, "words_seen": 5, "sampled_loss": 2.0}')
        curve = read_curve(log, "")
        assert curve.sampled and curve.train == [(5e-6, 2.0)]

    def test_logs_of_the_first_version_are_read(self, log: Path) -> None:
        log.write_text(
            '{"step": 950, "loss": 4.9, "seconds": 1251.9}\n'
            '{"step": 1000, "loss": 4.8, "seconds": 1317.4, "forward": 120.0, "backward": 122.0,'
            ' "mean": 121.0, "unknown_share": 0.08, "words": 101437}\n'
        )
        assert read_curve(log, "", "steps").held_out == [(1000, math.log(121.0))]
        with pytest.raises(DataError, match="has no 'words_seen'; take --by steps"):
            read_curve(log, "")

    @pytest.mark.parametrize("content", [None, "", "{}\n", "\n", b"\xff\xfe"])
    def test_what_is_no_log_is_told(self, log: Path, content: Any) -> None:
        if content is None:
            log.unlink()
        else:
            log.write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(DataError, match=r"log\.jsonl: (no log|holds no line)"):
            read_curve(log, "")


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """Every figure that is drawn from now on."""
    drawn: list[Figure] = []
    save = Figure.savefig

    def note(self: Figure, *arguments: Any, **options: Any) -> None:
        drawn.append(self)
        save(self, *arguments, **options)

    monkeypatch.setattr(Figure, "savefig", note)
    return drawn


def curve(name: str, shift: float = 0.0, sampled: bool = False) -> Curve:
    train = [(x / 10, 7.0 - x / 10 + shift) for x in range(1, 20)]
    return Curve(name, train, [(1.0, 6.0 + shift), (2.0, 5.0 + shift)], sampled)


class TestPicture:
    @pytest.mark.parametrize(
        ("by", "label"),
        [
            ("words", "words read (millions)"),
            ("steps", "steps"),
            ("minutes", "training time (minutes)"),
        ],
    )
    def test_axes_have_their_units(
        self, tmp_path: Path, figures: list[Figure], by: Any, label: str
    ) -> None:
        draw([curve("lstm")], [tmp_path / "a.png"], by)
        (axes,) = figures[0].axes
        assert axes.get_xlabel() == label
        assert axes.get_ylabel() == "cross-entropy (nats a word)"
        (right,) = axes.child_axes
        assert right.get_ylabel() == "perplexity"
        # A perplexity stands where its logarithm stands on the left.
        low, high = axes.get_ylim()
        assert right.get_ylim() == pytest.approx((math.exp(low), math.exp(high)))
        assert list(right.get_yticks()) == [200, 500, 1000]

    def test_lines_are_the_points_and_each_has_a_name_and_a_look(
        self, tmp_path: Path, figures: list[Figure]
    ) -> None:
        curves = [curve("lstm"), curve("gated_cnn", 0.5), curve("mine", 0.2, sampled=True)]
        draw(curves, [tmp_path / "a.png"])
        lines = figures[0].axes[0].lines
        assert [line.get_label() for line in lines] == [
            *("lstm, train", "lstm, held-out", "gated_cnn, train", "gated_cnn, held-out"),
            *("mine, train (sampled softmax)", "mine, held-out"),
        ]
        for i, drawn in enumerate(curves):
            for line, points in zip(
                lines[2 * i : 2 * i + 2], (drawn.train, drawn.held_out), strict=True
            ):
                assert np.allclose(line.get_xydata(), points)
        looks = {(line.get_color(), line.get_linestyle()) for line in lines}
        assert len(looks) == 3
        legend = figures[0].axes[0].get_legend()
        assert [text.get_text() for text in legend.get_texts()] == [
            line.get_label() for line in lines
        ]

    def test_a_training_that_was_never_measured_is_drawn(
        self, tmp_path: Path, figures: list[Figure]
    ) -> None:
        draw([Curve("a", [(1.0, 0.7)], [], False)], [tmp_path / "a.png"])
        assert len(figures[0].axes[0].lines) == 1

    def test_every_format_is_a_sound_file_and_the_same_again(self, tmp_path: Path) -> None:
        names = ("a.png", "a.svg", "a.pdf")
        for folder in ("one", "two"):
            draw([curve("lstm")], [tmp_path / folder / name for name in names])
        for name in names:
            one, two = ((tmp_path / folder / name).read_bytes() for folder in ("one", "two"))
            assert one == two
        assert (tmp_path / "one/a.png").read_bytes().startswith(b"\x89PNG")
        assert (tmp_path / "one/a.pdf").read_bytes().startswith(b"%PDF")
        assert ElementTree.parse(tmp_path / "one/a.svg").getroot().tag.endswith("svg")

    def test_another_format_is_told_before_anything_is_written(self, tmp_path: Path) -> None:
        with pytest.raises(
            UsageError, match=r"a\.pgn has no ending of a picture; did you mean \.png"
        ):
            draw([curve("lstm")], [tmp_path / "a.svg", tmp_path / "a.pgn"])
        assert not list(tmp_path.iterdir())

    def test_colours_can_be_told_apart_by_the_colour_blind(self) -> None:
        """The least distance in CIELAB under simulated deuteranopia and protanopia."""
        # Machado et al. 2009, table 1, severity 1.0, on linear RGB.
        kinds = {
            "protanopia": [
                [0.152286, 1.052583, -0.204868],
                [0.114503, 0.786281, 0.099216],
                [-0.003882, -0.048116, 1.051998],
            ],
            "deuteranopia": [
                [0.367322, 0.860646, -0.227968],
                [0.280085, 0.672501, 0.047413],
                [-0.011820, 0.042940, 0.968881],
            ],
        }
        first = module._COLOURS[:4]
        for matrix in kinds.values():
            seen = [_lab(np.clip(np.array(matrix) @ _linear(colour), 0, 1)) for colour in first]
            apart = [np.linalg.norm(a - b) for i, a in enumerate(seen) for b in seen[:i]]
            assert min(apart) > 15  # a difference of 2.3 is just noticeable


def _linear(colour: str) -> Any:
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def _lab(rgb: Any) -> Any:
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    x, y, z = (to_xyz @ rgb) / np.array([0.9505, 1.0, 1.089])
    f = [c ** (1 / 3) if c > 0.008856 else 7.787 * c + 16 / 116 for c in (x, y, z)]
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])
