"""Which value a share of all stays below."""

import math
from collections.abc import Sequence


def percentile(ordered: Sequence[float], share: float) -> float:
    """Of sorted values; 0.5 is the median, 1 the greatest. Not a number where there are none."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else math.nan
