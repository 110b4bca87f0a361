"""Run modes and trading states: how dangerous a process may be, and how dangerous it is now.

Floor 0 (words). A mode is fixed for the life of a process; nothing here can change one.
"""

from __future__ import annotations

from enum import StrEnum

from interlock.model.errors import ConfigError


class Mode(StrEnum):
    """How dangerous this process may be. The default, everywhere, is `SIM`."""

    SIM = "SIM"
    PAPER = "PAPER"
    LIVE = "LIVE"


class TradingState(StrEnum):
    """What strategies may send now. Code may lower it; only a human raises it."""

    HALTED = "HALTED"
    REDUCING = "REDUCING"
    ACTIVE = "ACTIVE"

    @property
    def level(self) -> int:
        """Return 0 for HALTED, 1 for REDUCING, 2 for ACTIVE, so that states can be compared."""
        return _LEVELS[self]


_LEVELS = {TradingState.HALTED: 0, TradingState.REDUCING: 1, TradingState.ACTIVE: 2}

#: What each mode means, in words a child understands; printed at boot.
MODE_WORDS = {
    Mode.SIM: (
        "SIM: Interlock sends nothing out of this process. The market is made up or recorded, the money is play money."
    ),
    Mode.PAPER: (
        "PAPER: Interlock practises on paper. "
        "Orders go to a pretend market only; no broker is connected and no real money moves."
    ),
    Mode.LIVE: "LIVE: real orders, real money.",
}

#: Why LIVE does not start.
LIVE_REFUSAL = (
    "LIVE needs a broker gateway and a permit; this build has neither. "
    'Nothing was started and nothing was sent. Use mode = "SIM" or mode = "PAPER".'
)


def lower(one: TradingState, other: TradingState) -> TradingState:
    """Return the safer of two trading states.

    Examples:
        >>> lower(TradingState.ACTIVE, TradingState.REDUCING).value
        'REDUCING'
    """
    return one if one.level <= other.level else other


def mode_from_config(text: object) -> Mode:
    """Read the `mode` of a configuration: exactly `SIM`, `PAPER` or `LIVE`.

    Args:
        text: the value as written; anything but one of the three words is refused.

    Returns:
        The mode.

    Raises:
        ConfigError: for every other value, `Live `, `paper1`, `1`, `true` and `""` included.

    Examples:
        >>> mode_from_config("PAPER").value
        'PAPER'
    """
    for mode in Mode:
        if isinstance(text, str) and text == mode.value:
            return mode
    message = (
        f"The mode {text!r} is not a mode. A mode is exactly one of SIM, PAPER, LIVE, in capitals and without spaces. "
        "Nothing was started."
    )
    raise ConfigError(message)


def mode_from_command(text: str) -> Mode:
    """Read `--mode` of a command line: exactly `sim`, `paper` or `live`.

    Raises:
        ConfigError: for every other text.
    """
    for mode in Mode:
        if text == mode.value.lower():
            return mode
    message = f"--mode {text!r} is not a mode. Type exactly one of sim, paper, live. Nothing was started."
    raise ConfigError(message)
