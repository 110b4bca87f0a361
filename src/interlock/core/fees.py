"""What a trade costs on paper: so much a share, and a minimum an order.

Floor 1 (decisions). Pure. The gate reserves it before a send, the paper gateway charges it at a fill.
"""

from __future__ import annotations

import msgspec


class FeePlan(msgspec.Struct, frozen=True, kw_only=True):
    """A per-share fee with a minimum an order, both in micros."""

    per_share_micros: int
    minimum_micros: int

    def total(self, filled_qty: int) -> int:
        """Return the fee in micros of an order of which `filled_qty` shares have traded.

        Source: the fixed per-share plans that retail brokers publish: max(minimum, rate x shares), nothing
        for an order that never traded.

        Examples:
            >>> FeePlan(per_share_micros=5_000, minimum_micros=1_000_000).total(100)
            1000000
            >>> FeePlan(per_share_micros=5_000, minimum_micros=1_000_000).total(1_000)
            5000000
        """
        if filled_qty == 0:
            return 0
        return max(self.minimum_micros, self.per_share_micros * filled_qty)
