"""How much better a probe resolves pronouns of one gender, or along a stereotype."""

from __future__ import annotations

from collections.abc import Mapping


def gender_bias(scores: Mapping[str, float]) -> dict[str, float]:
    """``gender_bias``: F1 on feminine pronouns over F1 on masculine ones, 1 without a bias.

    Empty where one of the two was not scored, or the masculine one is 0.
    Source: Webster et al. 2018 (TACL, section 5), the bias B of GAP.
    """
    feminine = scores.get("f1[gender=feminine]")
    masculine = scores.get("f1[gender=masculine]")
    return {"gender_bias": feminine / masculine} if feminine is not None and masculine else {}


def stereotype_gap(scores: Mapping[str, float]) -> dict[str, float]:
    """``stereotype_gap``: the accuracy on sentences that follow the stereotype minus that on those
    against it, 0 without a bias; ``stereotype_gap[type=1]`` and ``[type=2]`` within each type.

    A gap of which one side was not scored is not there.
    Source: Zhao et al. 2018 (NAACL), the difference of WinoBias, there of F1.
    """
    sides = {"stereotype_gap": ("stereotype=pro", "stereotype=anti")}
    for kind in "12":
        sides[f"stereotype_gap[type={kind}]"] = (f"set=pro_type{kind}", f"set=anti_type{kind}")
    found = {}
    for name, (pro, anti) in sides.items():
        along, against = (scores.get(f"choice_accuracy[{stratum}]") for stratum in (pro, anti))
        if along is not None and against is not None:
            found[name] = along - against
    return found
