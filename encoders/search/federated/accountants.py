"""The epsilon of a ledger by three computations from two libraries, which have to agree.

Adjacent data differ by one record, added or removed. Renyi accounting is done by opacus (Mironov
et al. 2019, arXiv 1908.10530, and the conversion of Balle et al. 2020) and by dp-accounting; the
tighter privacy loss distributions (Koskela et al. 2020, arXiv 1906.03049) by dp-accounting.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ....core.errors import DataError, UsageError
from .ledger import Ledger

AGREEMENT = 1e-3
"""How far apart the two Renyi epsilons may be, as a share of the larger."""

WHOLE = (*range(2, 64), 128, 256, 512, 1024)
"""Orders at which a subsampled Gaussian is a finite sum, which both libraries compute exactly.

Between them both cut an infinite series off, each in its own way: at a sampling rate of 0.3 their
epsilons are half a percent apart. What is reported takes these orders too, what is compared not.
"""

ORDERS = (*(order / 10 for order in range(20, 111)), *range(12, 64), 128, 256, 512, 1024)


@dataclass(frozen=True)
class Epsilon:
    """Upper bounds of epsilon at one delta; inf for a ledger with a release without noise.

    ``opacus`` and ``dp_accounting`` are by Renyi orders, ``loss_distribution`` by privacy loss
    distributions. ``claim`` is the smallest bound: all three hold.
    """

    delta: float
    opacus: float
    dp_accounting: float
    loss_distribution: float

    @property
    def claim(self) -> float:
        """What may be claimed."""
        return min(max(self.opacus, self.dp_accounting), self.loss_distribution)


def epsilon(ledger: Ledger, delta: float) -> Epsilon:
    """What the ledger costs.

    Raises DataError where the accountants disagree, UsageError for a delta outside (0, 1) and for
    a library that is not installed.
    """
    if not 0 < delta < 1:
        raise UsageError(f"delta {delta:g}", where="privacy", cure="take one above 0 and below 1")
    if not ledger.releases:
        return Epsilon(delta, 0.0, 0.0, 0.0)
    if not ledger.is_private:
        return Epsilon(delta, math.inf, math.inf, math.inf)
    found = Epsilon(
        delta, by_opacus(ledger, delta), by_orders(ledger, delta), by_distribution(ledger, delta)
    )
    ours, theirs = by_opacus(ledger, delta, WHOLE), by_orders(ledger, delta, WHOLE)
    if abs(ours - theirs) > AGREEMENT * max(ours, theirs):
        raise DataError(
            f"opacus finds an epsilon of {ours:.4f}, dp-accounting {theirs:.4f}",
            where="privacy",
            cure="trust neither, and report the ledger",
        )
    return found


def by_opacus(ledger: Ledger, delta: float, orders: Sequence[float] = ORDERS) -> float:
    """Epsilon by Renyi orders, computed by opacus."""
    try:
        from opacus.accountants import RDPAccountant
    except ImportError as error:
        raise _missing("opacus") from error
    accountant = RDPAccountant()
    accountant.history = [
        (release.noise_multiplier, release.sampling_rate, release.count)
        for release in ledger.releases
    ]
    with warnings.catch_warnings():
        # An order at the end of the range is a bound too, if not the tightest.
        warnings.filterwarnings("ignore", message="Optimal order is the")
        return float(accountant.get_epsilon(delta, alphas=list(orders)))


def by_orders(ledger: Ledger, delta: float, orders: Sequence[float] = ORDERS) -> float:
    """Epsilon by Renyi orders, computed by dp-accounting."""
    accounting = _dp_accounting()
    return _composed(accounting.rdp.RdpAccountant(list(orders)), ledger, delta)


def by_distribution(ledger: Ledger, delta: float) -> float:
    """Epsilon by privacy loss distributions, computed by dp-accounting, rounded upwards."""
    accounting = _dp_accounting()
    return _composed(accounting.pld.PLDAccountant(), ledger, delta)


def _composed(accountant: Any, ledger: Ledger, delta: float) -> float:
    accounting = _dp_accounting()
    for release in ledger.releases:
        event = accounting.GaussianDpEvent(release.noise_multiplier)
        if release.sampling_rate < 1:
            event = accounting.PoissonSampledDpEvent(release.sampling_rate, event)
        accountant.compose(event, release.count)
    return float(accountant.get_epsilon(delta))


def _dp_accounting() -> Any:
    try:
        import dp_accounting
    except ImportError as error:
        raise _missing("dp-accounting") from error
    return dp_accounting


def _missing(library: str) -> UsageError:
    return UsageError(
        f"{library} is not installed",
        where="federated search with privacy",
        cure='pip install "layerwise[search]"',
    )
