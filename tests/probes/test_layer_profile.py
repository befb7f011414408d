"""Expected layer and centre of gravity: published figures and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerwise.core.errors import DataError
from layerwise.probes.layer_profile import centre_of_gravity, expected_layer

# Test F1 of mixes over 0..k (jiant-v1-legacy, probing/analysis_bertlayer_ACL_camera_ready.ipynb,
# cell 9), and the expected layers that the authors tell (cell 23) for BERT-large; those for
# BERT-base are the formula's, worked out apart from this code.
PUBLISHED = {
    "pos base": (
        1.76,
        "88.3952 93.4826 94.9644 95.4243 95.9719 96.4355 96.3890 96.4161 96.5560 96.4781 96.5859 "
        "96.4020 96.4782",
    ),
    "pos large": (
        3.39,
        "88.5125 91.6603 93.1812 93.7355 94.7419 95.1395 95.3522 95.6536 95.8179 95.8860 96.0748 "
        "96.3911 96.6274 96.8306 96.8053 96.6902 96.7856 96.6949 96.7164 96.7759 96.7220 96.7209 "
        "96.7089 96.7005 96.6928",
    ),
    "constituents base": (
        2.38,
        "75.1997 80.5569 83.0987 84.8947 86.0373 86.4235 86.7595 86.7625 87.2055 87.0436 86.9797 "
        "87.2785 87.2441",
    ),
    "constituents large": (
        3.79,
        "73.5588 79.5000 80.6049 81.0727 83.7707 84.3295 84.3980 84.1754 84.5357 84.9038 85.6799 "
        "86.3901 86.9543 86.8418 86.7555 86.8608 87.1781 86.6804 87.2505 87.1349 87.2282 86.8403 "
        "86.6614 86.8610 86.9579",
    ),
    "dependencies base": (
        2.52,
        "85.1990 90.2369 91.2977 92.5571 93.6569 94.0952 94.6465 94.8954 95.1667 95.2115 95.0951 "
        "95.3245 95.2172",
    ),
    "dependencies large": (
        5.69,
        "85.6382 88.1905 89.0475 89.7530 91.5321 91.8202 91.7361 92.0803 92.2286 92.4294 93.1269 "
        "94.0032 94.6229 94.9609 95.3445 95.2970 95.5448 95.4705 95.4612 95.6357 95.5997 95.6314 "
        "95.5466 95.4966 95.5181",
    ),
    "entities base": (
        2.42,
        "89.8686 93.3274 94.2983 94.4166 95.1909 95.4043 95.5909 95.6814 95.8536 95.9136 95.9984 "
        "95.9326 96.0298",
    ),
    "entities large": (
        4.64,
        "90.5993 93.3469 93.2902 93.4857 93.9168 94.5017 94.4693 94.6938 94.7908 94.8924 95.0241 "
        "95.4655 95.5142 95.7043 95.8289 96.0386 96.2432 96.1739 96.2881 96.3331 96.3062 96.2056 "
        "96.3069 96.2913 96.1444",
    ),
    "roles base": (
        2.59,
        "79.4559 85.2654 86.5578 87.7683 89.1407 90.3564 90.3386 91.0484 90.9998 90.7155 90.4659 "
        "90.8396 91.0886",
    ),
    "roles large": (
        6.54,
        "81.3187 81.7771 85.0329 83.2774 86.1553 86.3155 86.3920 87.2223 88.4029 87.9567 88.7891 "
        "89.9801 90.1257 90.9251 91.3365 91.3003 91.6079 91.4618 91.2471 91.4497 91.6721 91.6716 "
        "91.4589 91.6397 91.4466",
    ),
    "coreference base": (
        3.62,
        "80.0073 82.5248 84.2960 85.1926 86.9400 87.5822 88.2827 88.8928 90.2742 90.3805 90.5657 "
        "90.2825 90.1648",
    ),
    "coreference large": (
        9.47,
        "80.4676 81.8555 82.3207 82.5202 83.8175 84.1711 84.1341 84.5196 85.2824 85.6027 86.2860 "
        "87.3380 87.4892 88.5364 89.2062 90.3020 90.7447 91.3851 91.9886 91.9993 91.7607 91.9689 "
        "92.1066 92.0903 91.9394",
    ),
    "proto-roles base": (
        4.29,
        "77.8073 78.7641 79.6591 80.3152 80.9008 81.7424 82.0834 82.8600 83.0438 83.5019 83.4576 "
        "83.6118 83.5242",
    ),
    "proto-roles large": (
        9.93,
        "77.6625 78.1162 78.4673 78.7330 79.3514 79.5378 79.8145 80.0137 80.2963 80.6650 81.0081 "
        "81.1382 81.6835 81.6551 81.9255 82.1486 82.7199 82.9169 83.1592 83.2402 83.4339 83.7572 "
        "83.7758 83.9228 83.7205",
    ),
    "relations base": (
        4.16,
        "58.9330 66.0471 68.6298 70.8558 73.9742 74.6635 77.2542 78.2458 80.2260 81.1677 81.6441 "
        "83.2685 82.8699",
    ),
    "relations large": (
        9.40,
        "60.7297 64.5320 65.4454 65.2985 68.1107 68.9065 70.8283 72.1992 72.9841 73.8676 74.2857 "
        "75.1748 76.5489 76.6082 77.1363 78.3362 79.9314 81.1825 81.4019 82.2346 83.0461 83.2044 "
        "84.1173 83.6120 84.1695",
    ),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_expected_layers(name: str) -> None:
    expected, scores = PUBLISHED[name]
    found = expected_layer([float(score) for score in scores.split()])
    assert found is not None and round(found, 2) == expected


def test_the_published_order() -> None:
    """Part of speech, then constituents, entities, dependencies, roles, relations, coreference."""
    order = "pos constituents entities dependencies roles relations coreference proto-roles"
    found = [
        expected_layer([float(score) for score in PUBLISHED[f"{task} large"][1].split()])
        for task in order.split()
    ]
    assert found == sorted(found, key=lambda value: value or 0)


@given(st.integers(1, 30), st.integers(1, 30))
def test_a_single_step_is_expected_where_it_is(layers: int, step: int) -> None:
    step = min(step, layers)
    scores = np.where(np.arange(layers + 1) >= step, 0.9, 0.4)
    assert expected_layer(scores) == pytest.approx(step)


@given(
    st.lists(st.floats(0.1, 1), min_size=1, max_size=20),
    st.floats(-5, 5),
    st.floats(0.1, 100),
)
def test_neither_origin_nor_unit_of_the_score_matters(
    gains: list[float], origin: float, unit: float
) -> None:
    scores = np.cumsum([0.0, *gains])
    brute = sum(place * gain for place, gain in enumerate(gains, start=1)) / sum(gains)
    assert expected_layer(scores) == pytest.approx(brute)
    assert expected_layer(origin + unit * scores) == pytest.approx(brute)


@pytest.mark.parametrize("scores", [[0.5], [0.5, 0.5, 0.5], [0.5, 0.7, 0.4]])
def test_without_a_gain_there_is_no_expected_layer(scores: list[float]) -> None:
    assert expected_layer(scores) is None


def test_centre_of_gravity() -> None:
    # Equal weights over 0..24 balance in the middle.
    assert centre_of_gravity(np.full(25, 1 / 25)) == pytest.approx(12)
    assert centre_of_gravity([0, 0, 1]) == 2
    assert centre_of_gravity([0.5, 0.125, 0.375]) == 0.875


@pytest.mark.parametrize("weights", [[], [0.5, 0.6], [1.5, -0.5], [[1.0]], [np.nan, 1.0]])
def test_what_are_no_weights_is_refused(weights: list[float]) -> None:
    with pytest.raises(DataError):
        centre_of_gravity(weights)


@pytest.mark.parametrize("scores", [[], [[0.1, 0.2]], [0.1, np.inf]])
def test_what_are_no_scores_is_refused(scores: list[float]) -> None:
    with pytest.raises(DataError):
        expected_layer(scores)
