"""The table of controls, in the fixed order in which they are evaluated and recorded.

Floor 1 (decisions). Pure values. The lines themselves stand beside their functions, one line a control; here they are
put in order. The book's pages are generated from this table and compared with it.
Sources of the rows: FIA (2024), RTS 6 article 15, SEC rule 15c3-5 and FIX, as the book cites them.
"""

from __future__ import annotations

from interlock.core.risk.conduct_controls import LEAVING, RATE, SAME
from interlock.core.risk.exposure_controls import EXPOSURE
from interlock.core.risk.facts import Control
from interlock.core.risk.market_controls import DATA, SESSION, VOLUME
from interlock.core.risk.order_controls import FORM, SIZE

#: Every control there is. A class of order is approved only if all that are required for it have passed.
CONTROLS: tuple[Control, ...] = (*FORM, *SESSION, *DATA, *SIZE, *VOLUME, *SAME, *RATE, *LEAVING, *EXPOSURE)
