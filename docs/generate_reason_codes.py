"""Write docs/reason-codes.md from the table of controls, each with a sentence that the gate really says.

Run `uv run python docs/generate_reason_codes.py` after a change of the table; a test compares the two.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from interlock.config_types import RiskConfig
from interlock.core.fees import FeePlan
from interlock.core.risk.controls import Control, Facts
from interlock.core.risk.headroom import Approval, Headroom, SymbolUse
from interlock.core.risk.limits import DUPLICATE_WINDOW_NS_DEFAULT, Limits, make_limits
from interlock.core.risk.table import CONTROLS
from interlock.model.market import Provides, Quote
from interlock.model.mode import Mode, TradingState
from interlock.model.orders import OrderClass, OrdType, Side, TimeInForce
from interlock.model.risk import Check, Latch, ReasonCode
from interlock.model.signals import OrderIntent
from interlock.model.units import MICROS_PER_DOLLAR, SECOND_NS
from interlock.shell.reasons import explain_block, number
from interlock.tomlfields import keys_of, struct_spec

PAGE = Path(__file__).with_name("reason-codes.md")
DOLLAR = MICROS_PER_DOLLAR

OPENING = """\
<!-- Written by docs/generate_reason_codes.py from the table of controls. Change that, and run it again. -->

# Reason codes

The gate answers every wish with a decision. A decision lists every control that applies to the order's class, in the
order of this page, with what it read, the limit, and where the limit comes from. An order is approved only if every
control that is *required* for its class is there and has passed. All controls are evaluated: one no does not hide the
next.

A code is what a control is called when it says no. Codes do not change once they are out, so they can be searched for
and counted.

## How to read an entry

- **Required for** says which classes of order the control can block. For every other class it is evaluated and
  recorded, and never blocks.
- **Limit** names the key under `[risk]` in the [configuration](configuration.md), and what holds where nobody wrote it.
  A limit without a default that is not written blocks: missing means no. The limit itself is allowed; one unit more is
  not.
- **It says** is a sentence of the program, made for this page by giving the control something to refuse.
- A control that fails with an error of its own has said no too. Its sentence then begins `the check ... itself failed`,
  and its note says `CHECK_RAISED`.
- **Row** is its number in the catalogue of controls that the gate is built from; this build has those that stand here.
  The names follow FIA, *Best Practices For Automated Trading Risk Controls And System Safeguards* (2024); article 15 of
  RTS 6 (Delegated Regulation (EU) 2017/589); and SEC rule 15c3-5. These bind brokers and firms. For a person's own
  account they are the best reference there is. None of them sets a number for a limit: the defaults are ours.

## Which class needs which control

An `ENTRY` adds risk. An `EXIT` provably reduces it, and is judged by a short set of its own, so that no limit on new
risk can keep anyone in a position. A `PROTECTIVE` order is a stop that guards a position; this build takes none, and
`ORDER_FORM` says so.

| code | ENTRY | EXIT | PROTECTIVE |
|---|---|---|---|
"""

CLASSES = (OrderClass.ENTRY, OrderClass.EXIT, OrderClass.PROTECTIVE)
#: The one limit whose key in the program is not its key in the file with a unit.
RATE = {"max_order_count": "max_order_rate", "cash_micros": "cash"}
#: Where the measure of a rule without a number is written.
WHERE = {
    ReasonCode.POLICY_MISSING: "the section `[risk]` itself; without it there are no defaults either.",
    ReasonCode.TRADING_STATE: (
        "`start` under `[run]` in SIM; in PAPER a human's `interlock resume`. Not written, it is HALTED."
    ),
    ReasonCode.IDENTITY: "`symbols` under `[universe]`.",
    ReasonCode.SYMBOL_NOT_ALLOWED: "`symbols` under `[risk]`. No default: not written, none is allowed.",
    ReasonCode.ORDER_DUPLICATE: (
        f"`duplicate_window` under `[risk]`; not written, it is {number(DUPLICATE_WINDOW_NS_DEFAULT, 'ns')}. "
        "That a strategy has one open entry a symbol and side is a rule without a number."
    ),
}

QUOTE = Quote(
    symbol="IBM",
    present=True,
    halted=False,
    bid_px=181 * DOLLAR,
    ask_px=181_200_000,
    last_px=181 * DOLLAR,
    bid_qty=300,
    ask_qty=300,
    volume=1_000,
    event_ns=1_000 * SECOND_NS,
)
BUY = OrderIntent(
    intent_id="000123-002",
    cause="",
    strategy_id="cross",
    symbol="IBM",
    side=Side.BUY,
    order_qty=100,
    ord_type=OrdType.LIMIT,
    limit_px=181_200_000,
    stop_px=0,
    time_in_force=TimeInForce.DAY,
    order_class=OrderClass.ENTRY,
    because="it is IBM's turn",
)
SELL = msgspec.structs.replace(BUY, side=Side.SELL, order_class=OrderClass.EXIT, limit_px=181 * DOLLAR)
WRITTEN = {
    "max_order_qty": 200,
    "max_order_notional_micros": 20_000 * DOLLAR,
    "max_position_notional_micros": 20_000 * DOLLAR,
    "max_gross_notional_micros": 60_000 * DOLLAR,
    "price_collar_bps": 300,
}


def limits(**changed: int) -> Limits:
    """Return limits as a person may have written them."""
    return make_limits(
        has_policy=True, symbols=("IBM",), written=WRITTEN | changed, cash_micros=100_000 * DOLLAR, bar_ns=SECOND_NS
    )


def headroom(use: SymbolUse | None = None, **changed: object) -> Headroom:
    """Return what is spoken for, with this use of IBM and these changes."""
    given: dict[str, object] = {
        "uses": {"IBM": use or SymbolUse()},
        "own_open_qty": {},
        "own_position_qty": {("cross", "IBM"): 0 if use is None else use.position_qty},
        "free_micros": 100_000 * DOLLAR,
        "recent": (),
    }
    return Headroom(**(given | changed))


def facts(intent: OrderIntent = BUY, **changed: object) -> Facts:
    """Return facts that pass, with these changes."""
    given: dict[str, object] = {
        "intent": intent,
        "mode": Mode.SIM,
        "state": TradingState.ACTIVE,
        "latches": (),
        "known": True,
        "quote": QUOTE,
        "confirmed_px": 181_100_000,
        "as_of_ns": 1_000 * SECOND_NS,
        "provides": frozenset(Provides),
        "limits": limits(),
        "headroom": headroom(),
        "fees": FeePlan(per_share_micros=5_000, minimum_micros=DOLLAR),
        "price_of": lambda _: 181 * DOLLAR,
    }
    return Facts(**(given | changed))


def wish(**changed: object) -> Facts:
    """Return facts about a wish with these changes."""
    return facts(msgspec.structs.replace(BUY, **changed))


def refused_by_the_run() -> dict[ReasonCode, Facts]:
    """Return, for each control that looks at the run or the market, something that it refuses."""
    latch = Latch(
        latch_id="L3",
        scope="account",
        code="HUMAN_HALT",
        level=TradingState.HALTED,
        text="human:ann halted trading by HALT.d: lunch",
        raised_by="human:ann",
        at_ns=0,
    )
    no_policy = make_limits(has_policy=False, symbols=(), written={}, cash_micros=None, bar_ns=0)
    old_ns = 1_121 * SECOND_NS
    quote = msgspec.structs.replace
    return {
        ReasonCode.MODE_FORBIDS: facts(mode=Mode.LIVE),
        ReasonCode.POLICY_MISSING: facts(limits=no_policy),
        ReasonCode.TRADING_STATE: facts(state=TradingState.HALTED),
        ReasonCode.LATCHED: facts(latches=(latch,)),
        ReasonCode.IDENTITY: facts(known=False),
        ReasonCode.QUOTE_MISSING: facts(quote=quote(QUOTE, present=False)),
        ReasonCode.DATA_STALE: facts(as_of_ns=old_ns, limits=limits(max_quote_age_ns=90 * SECOND_NS)),
        ReasonCode.MARKET_CROSSED: facts(quote=quote(QUOTE, bid_px=182 * DOLLAR)),
        ReasonCode.SYMBOL_HALTED: facts(quote=quote(QUOTE, halted=True)),
    }


def refused_by_its_form() -> dict[ReasonCode, Facts]:
    """Return, for each control that looks at the order alone, something that it refuses."""
    odd_lot = msgspec.structs.replace(BUY, order_qty=150)
    return {
        ReasonCode.ORDER_FORM: wish(ord_type=OrdType.STOP, stop_px=170 * DOLLAR),
        ReasonCode.VALUE_NOT_POSITIVE: wish(order_qty=0),
        ReasonCode.SYMBOL_NOT_ALLOWED: wish(symbol="AIG"),
        ReasonCode.TICK_SIZE: wish(limit_px=181_205_000),
        ReasonCode.LOT_SIZE: facts(odd_lot, limits=limits(lot_size_qty=100)),
        ReasonCode.ORDER_QTY_MAX: wish(order_qty=201),
        ReasonCode.ORDER_NOTIONAL_MAX: wish(order_qty=150),
        ReasonCode.PRICE_COLLAR: wish(limit_px=190 * DOLLAR),
        ReasonCode.EXIT_COLLAR: facts(msgspec.structs.replace(SELL, limit_px=150 * DOLLAR)),
    }


def refused_by_what_is_held() -> dict[ReasonCode, Facts]:
    """Return, for each control that looks at what is held or works, something that it refuses."""
    taken = headroom(own_position_qty={("turns", "IBM"): 50})
    working = headroom(
        SymbolUse(open_buy_qty=100, open_px=181 * DOLLAR),
        own_open_qty={("cross", "IBM", Side.BUY, OrderClass.ENTRY): 100},
    )
    busy = headroom(recent=(Approval(1_000 * SECOND_NS, "cross", "SPY", Side.BUY, 10, DOLLAR),) * 10)
    short = msgspec.structs.replace(SELL, order_class=OrderClass.ENTRY)
    return {
        ReasonCode.SYMBOL_TAKEN: facts(headroom=taken),
        ReasonCode.SYMBOL_IN_DOUBT: facts(headroom=headroom(SymbolUse(in_doubt=True))),
        ReasonCode.ORDER_DUPLICATE: facts(headroom=working),
        ReasonCode.ORDER_RATE_MAX: facts(headroom=busy),
        ReasonCode.REDUCE_ONLY: facts(SELL, headroom=headroom(SymbolUse(position_qty=50))),
        ReasonCode.SHORT_SALE: facts(short),
        ReasonCode.POSITION_NOTIONAL_MAX: facts(headroom=headroom(SymbolUse(position_qty=100))),
        ReasonCode.GROSS_NOTIONAL_MAX: facts(limits=limits(max_gross_notional_micros=10_000 * DOLLAR)),
        ReasonCode.CASH_INSUFFICIENT: facts(headroom=headroom(free_micros=5_000 * DOLLAR)),
    }


def blocked_words(control: Control, given: Facts) -> tuple[str, str]:
    """Return the sentence that a control says of these facts, and what would change it.

    Raises:
        ValueError: it does not refuse them.
    """
    passed, observed, limit, note = control.read(given)
    if passed:
        message = f"{control.code} refuses nothing of what the page gives it"
        raise ValueError(message)
    check = Check(
        code=control.code,
        passed=False,
        required=True,
        observed=observed,
        limit=limit,
        unit=control.unit,
        source=given.limits.source(control.key) if control.key else "rule",
        note=note,
    )
    return explain_block((check,))


def limit_words(control: Control) -> str:
    """Return where the limit of a control comes from, and its default."""
    if not control.key:
        return WHERE.get(control.code, "a rule without a number; nothing in the configuration turns it off.")
    if control.key == "cash_micros":
        return "the account's own cash, less what open orders and their fees may still take (`cash` under `[account]`)."
    names = {one.field: one.name for one in keys_of(struct_spec(RiskConfig))} | RATE
    bare = make_limits(has_policy=True, symbols=(), written={}, cash_micros=None, bar_ns=0)
    default = bare.value(control.key)
    written = f"`{names[control.key]}` under `[risk]`"
    if default is None:
        return f"{written}. No default: not written, it blocks."
    words = number(default, control.unit)
    if control.key == "max_order_count":
        words += f" in {number(bare.value('order_window_ns'), 'ns')}"
    if control.key == "max_quote_age_ns":
        words += ", or one and a half bars or steps of the source where that is longer"
    return f"{written}; not written, it is {words}."


def entry(control: Control, given: Facts) -> list[str]:
    """Return the lines of one code."""
    checks = " ".join((control.read.__doc__ or "").split("\n\n")[0].split()).replace("Pass if", "passes if", 1)
    checks = checks.replace("Pass in", "passes in", 1).replace("Pass for", "passes for", 1)
    required = [order_class.value for order_class in CLASSES if order_class in control.required_for]
    recorded = [
        order_class.value for order_class in CLASSES if order_class in control.applies_to - control.required_for
    ]
    beside = f" Recorded for {' and '.join(recorded)}." if recorded else ""
    needs = f" It needs {' and '.join(sorted(control.needs))} from the source." if control.needs else ""
    says, remedy = blocked_words(control, given)
    row = f" Row {control.row}." if control.row != "-" else ""
    return [
        f"## `{control.code}`",
        "",
        f"{control.name}.{row}",
        "",
        f"- **What it checks:** it {checks}{needs}",
        f"- **Required for:** {', '.join(required)}.{beside}",
        f"- **Limit:** {limit_words(control)}",
        f"- **It says:** *{says}*",
        f"- **What to do:** {remedy.removeprefix('To change that: ').removesuffix('.')}.",
        "",
    ]


def rendered() -> str:
    """Return the whole page."""
    words = {True: "required", False: "recorded"}
    rows = []
    for control in CONTROLS:
        cells = [words[one in control.required_for] if one in control.applies_to else "-" for one in CLASSES]
        rows.append(f"| [`{control.code}`](#{control.code.value.lower()}) | {' | '.join(cells)} |")
    lines = [OPENING + "\n".join(rows), ""]
    given = refused_by_the_run() | refused_by_its_form() | refused_by_what_is_held()
    for control in CONTROLS:
        lines += entry(control, given[control.code])
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(rendered(), encoding="utf-8")
