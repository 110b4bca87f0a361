"""What every latch means that no table of limits holds: its scope, its level, and what a human does about it.

Floor 3 (proof), and pure: words for the book and for whoever asks what a latch is. The tables of `core.watch` have the
words of all other latches. It stands beside the trip.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from interlock.core.book import IN_DOUBT_NS_MAX
from interlock.core.risk.order_controls import PROOF_NS
from interlock.core.watching import SYMBOL_LATCHES_MAX
from interlock.loop import CYCLE_NS_MAX
from interlock.model.units import duration
from interlock.shell.host import AWAY_NS_MAX, JUMP_NS_MAX, MEMORY_X100_MAX

#: Latches that no table holds: their scope and level, and what they mean.
OTHER_LATCHES: Mapping[str, str] = MappingProxyType(
    {
        "HUMAN_HALT": "Account, HALTED. A person halted trading, by `interlock halt`, a file in `HALT.d`, or the "
        "control socket. Clear it when the reason is gone.",
        "STRATEGY_FAULT": "That strategy, HALTED for its entries. It raised an error or answered nonsense; the story "
        "says where in its file. Mend the strategy.",
        "GATE_MISSED": f"Account, HALTED. The gate let a synthetic violation through that it must refuse, so its "
        f"checks cannot be trusted. It proves itself at the start, every {duration(PROOF_NS)} of market time, and "
        "before a human's resume arms anything. Nobody clears this latch while the process runs.",
        "MARKET_WIDE": f"Account, REDUCING. More than {SYMBOL_LATCHES_MAX} symbols tripped a watch at once: that is "
        "the market, and one latch holds for all of them. Look at the market before you clear it.",
        "DATE_BACK": "Account, REDUCING. The market told a trading date before the one that is known. A day that was "
        "counted is never counted anew. Find out what the source did.",
        "ORDER_STATE": "Account, HALTED. The gateway said something of an order that contradicts what it said before, "
        "such as an acknowledgement of a rejected order. Compare the two records before you clear it.",
        "ORDER_UNKNOWN": "Account, HALTED. The gateway reported a trade of an order that is not ours. Find out whose "
        "it is.",
        "ORDER_OVERFILL": "Account, HALTED. More shares traded than were ordered, or a rejected order traded. The "
        "shares are booked: they are there.",
        "FILL_DOES_NOT_ADD_UP": "Account, HALTED. A fill does not fit what was filled before, or has no price. It was "
        "not booked.",
        "FILL_WORSE": "Account, REDUCING. A fill was worse than the limit of its order, which no venue may do. Row 39. "
        "The shares are booked. Ask the venue.",
        "LATE_FILL": "That symbol, HALTED for its entries. An order traded after it had ended. The shares are booked.",
        "IN_DOUBT_TOO_LONG": f"Account, REDUCING. An order has been in doubt for more than {duration(IN_DOUBT_NS_MAX)} "
        "of market time. Row 41. Find out at the venue what became of it.",
        "GATEWAY_DOWN": "Account, HALTED. A cancel could not be sent, because the gateway is gone. The order may still "
        "work: look there.",
        "CYCLE_OVERRUN": f"Account, HALTED. A cycle took more than {duration(CYCLE_NS_MAX)}. Look for a slow strategy "
        "or a slow disk.",
        "CYCLE_BROKE": "Account, HALTED. A cycle failed with an error of its own; the run was closed and ended with 6.",
        "DISK_LOW": "Account, HALTED. Less than 1 GiB is free where the record is kept, or less than a tenth of a disk "
        "that is smaller. Row 46. What can no longer be written down is not done, so nothing new is begun while there "
        "is still room to record what works. Make room, then clear it.",
        "MEMORY_HIGH": f"Account, HALTED. The process uses more than {MEMORY_X100_MAX} % of the machine's memory. Row "
        "46. Look for a strategy that keeps all that it sees.",
        "CLOCK_JUMP": f"Account, HALTED. The wall clock moved by {duration(JUMP_NS_MAX)} more or less than time "
        "passed, so market time cannot be trusted. Row 45. See what set the clock.",
        "PROCESS_PAUSED": f"Account, HALTED. The process was away for {duration(AWAY_NS_MAX)} more than it rests, as "
        "after a suspend, so what it knew of the market is old. Row 45.",
    }
)
