"""The ledger of a client: everything that has left it and depends on its data."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ....core.errors import UsageError


@dataclass(frozen=True)
class Release:
    """``count`` releases of one Gaussian mechanism.

    ``noise_multiplier`` is the noise's standard deviation over the sensitivity, ``sampling_rate``
    the chance that a record takes part (Poisson sampling; 1: all do). 0 noise is no privacy.
    Raises UsageError for what is no mechanism.
    """

    what: str
    noise_multiplier: float
    sampling_rate: float = 1.0
    count: int = 1

    def __post_init__(self) -> None:
        if not (
            math.isfinite(self.noise_multiplier)
            and self.noise_multiplier >= 0
            and 0 < self.sampling_rate <= 1
            and self.count >= 1
        ):
            raise UsageError(
                f"noise {self.noise_multiplier:g}, rate {self.sampling_rate:g}, {self.count} times",
                where=f"ledger, {self.what}",
                cure="take noise of 0 or more, a rate above 0 and up to 1, and once or more",
            )


class Ledger:
    """Releases, equal ones counted together: the order does not matter to their composition."""

    def __init__(self, releases: Iterable[Release] = ()) -> None:
        self._counts: dict[Release, int] = {}
        for release in releases:
            self.add(release)

    def add(self, release: Release) -> None:
        """Enter a release."""
        key = replace(release, count=1)
        self._counts[key] = self._counts.get(key, 0) + release.count

    @property
    def releases(self) -> tuple[Release, ...]:
        """What was released, in the order in which each mechanism was first used."""
        return tuple(replace(key, count=count) for key, count in self._counts.items())

    @property
    def is_private(self) -> bool:
        """Whether every release carries noise; without one, nothing has left."""
        return all(release.noise_multiplier > 0 for release in self._counts)
