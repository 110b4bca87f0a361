"""Write docs/reason-codes.md from the tables of controls and watches, each with a sentence that is really said.

Run `uv run python docs/generate_reason_codes.py` after a change of a table; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec

from interlock.core.blotter import EMPTY
from interlock.core.fees import FeePlan
from interlock.core.portfolio import Portfolio, opened
from interlock.core.risk.engine import check_of
from interlock.core.risk.facts import Control, Facts, changed
from interlock.core.risk.headroom import Headroom, make_headroom
from interlock.core.risk.keys import KEYS
from interlock.core.risk.limits import Limits, make_limits
from interlock.core.risk.order_controls import PROOF_NS
from interlock.core.risk.proof_test import violated
from interlock.core.risk.rows import Row, rows_for
from interlock.core.risk.table import CONTROLS
from interlock.core.sessions import Place
from interlock.core.tape import SymbolTape, blank_tape
from interlock.core.watch import WATCHES, Trip, Watch, Watched
from interlock.core.watching import trip_words
from interlock.model.conduct import Conduct, Counters, Standing, Window
from interlock.model.market import Provides, Quote, SymbolReference
from interlock.model.mode import Mode, TradingState
from interlock.model.orders import OrderClass, OrdType, Position, Side, TimeInForce
from interlock.model.risk import Check, ReasonCode
from interlock.model.signals import OrderIntent
from interlock.model.units import MICROS_PER_DOLLAR, SECOND_NS, duration
from interlock.proof.controls import BESIDE, GROUPS, WATCH_GROUP
from interlock.proof.latch_words import OTHER_LATCHES
from interlock.shell.default_words import default_words
from interlock.shell.reasons import explain_block

PAGE = Path(__file__).with_name("reason-codes.md")
DOLLAR = MICROS_PER_DOLLAR
FEES = FeePlan(per_share_micros=5_000, minimum_micros=DOLLAR)
NOW_NS = 1_381_156_200 * SECOND_NS

OPENING = """\
<!-- Written by docs/generate_reason_codes.py from the tables of controls and watches. Change those, not this. -->

# Reason codes and latches

The gate answers every wish with a decision. A decision lists every control that applies to the order's class, in the
order of this page, with what it read, the limit, and where the limit comes from. An order is approved only if every
control that is *required* for its class is there and has passed. All controls are evaluated: one no does not hide the
next. What happened is [watched](#watched) as well, and may leave a latch.

A code is what a control is called when it says no, and what a latch is called. Codes do not change once they are out,
so they can be searched for and counted. The whole table on one page is under [controls](controls.md).

## How to read an entry

- **Required for** says which classes of order the control can block. For every other class it is evaluated and
  recorded, and never blocks.
- **When it says no** is a *hard block*, a *soft block* or a *throttle*: the
  [same words](controls.md#what-a-control-does) as in the table of controls.
- **Limit** names the key under `[risk]` in the [configuration](configuration.md), and what holds where nobody wrote it.
  A limit without a default that is not written blocks: missing means no. The limit itself is allowed; one unit more is
  not.
- **It says** is a sentence of the program, made for this page by giving the control something to refuse, as the gate
  does when it proves itself.
- A control that fails with an error of its own has said no too. Its sentence then begins `the check ... itself failed`,
  and its note says `CHECK_RAISED`. A control whose number cannot be read says why it is unknown, and that is a no.
- **Needs** names what the source must tell. Where it does not, the control cannot speak; it is NOT COVERED, and the
  first lines of the run say so.
- **Row** is its number in the catalogue of controls that the gate is built from. The names follow FIA, *Best Practices
  For Automated Trading Risk Controls And System Safeguards* (2024); article 15 of RTS 6 (Delegated Regulation (EU)
  2017/589); and SEC rule 15c3-5. These bind brokers and firms. For a person's own account they are the best reference
  there is. None of them sets a number for a limit: the defaults are ours.

## Which class needs which control

An `ENTRY` adds risk. An `EXIT` provably reduces it, and is judged by a short set of its own, so that no limit on new
risk can keep anyone in a position. A `PROTECTIVE` order is a stop that guards a position; this build takes none, and
`ORDER_FORM` says so.

| code | ENTRY | EXIT | PROTECTIVE |
|---|---|---|---|
"""
WATCHING = f"""\
(watched)=

## {WATCH_GROUP}

After the reports of a cycle are booked, and before strategies are asked, what happened is compared with the limits.
Where one is passed, a latch is raised on the account, the strategy or the symbol. Every latch of this part is
`REDUCING`: entries of its scope are blocked with [`LATCHED`](#latched), exits are not, and nothing is ever sold by it.
A latch stands when the number recovers, over a restart and over midnight, until a named human clears exactly that latch
with [`resume`](operating.md#resume); a latch whose cause still holds is not cleared.
"""
OTHERS = """\
## Latches without a limit of the configuration

These are raised where a record contradicts itself, where a bound of the machine is passed, or where a human says so. A
latch on the account lowers the trading state to its level too.
"""
CLASSES = (OrderClass.ENTRY, OrderClass.EXIT, OrderClass.PROTECTIVE)
#: Where the measure of a rule without a number is written.
WHERE: Mapping[ReasonCode, str] = MappingProxyType(
    {
        ReasonCode.POLICY_MISSING: "the section `[risk]` itself.",
        ReasonCode.TRADING_STATE: (
            "`start` under `[run]` in SIM; in PAPER a human's `interlock resume`. Not written, it is HALTED."
        ),
        ReasonCode.GATE_UNPROVED: f"{duration(PROOF_NS)} of market time; nothing in the configuration changes it.",
        ReasonCode.IDENTITY: "`symbols` under `[universe]`.",
        ReasonCode.SYMBOL_NOT_ALLOWED: "`symbols` under `[risk]`. No default: not written, none is allowed.",
        ReasonCode.SYMBOL_RESTRICTED: "`restricted` under `[risk]`. Not written, none is restricted.",
        ReasonCode.MARKET_CLOSED: "`exchange` under `[session]`; not written, it is that of the [source](sessions.md).",
    }
)

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
    event_ns=NOW_NS - 2 * SECOND_NS,
)
BUY = OrderIntent(
    intent_id="000123-002",
    cause="",
    strategy_id="cross",
    symbol="IBM",
    side=Side.BUY,
    order_qty=20,
    ord_type=OrdType.LIMIT,
    limit_px=181_200_000,
    stop_px=0,
    time_in_force=TimeInForce.DAY,
    order_class=OrderClass.ENTRY,
    because="it is IBM's turn",
)
SELL = msgspec.structs.replace(BUY, side=Side.SELL, order_class=OrderClass.EXIT, limit_px=180 * DOLLAR)
OPEN = Place(
    is_open=True,
    since_open_ns=3_600 * SECOND_NS,
    until_close_ns=7_200 * SECOND_NS,
    sessions_left=250,
    date="2013-10-07",
)
WRITTEN = {
    "max_order_qty": 200,
    "max_order_notional_micros": 5_000 * DOLLAR,
    "max_position_notional_micros": 10_000 * DOLLAR,
    "max_gross_notional_micros": 40_000 * DOLLAR,
    "price_collar_bps": 300,
    "soft_order_notional_micros": 4_000 * DOLLAR,
}


def limits() -> Limits:
    """Return limits as a person may have written them."""
    return make_limits(
        has_policy=True, symbols=("IBM",), written=WRITTEN, cash_micros=100_000 * DOLLAR, bar_ns=SECOND_NS
    )


def headroom(held: int) -> Headroom:
    """Return what is spoken for in an account of $100,000 that holds so many shares of IBM."""
    position = Position(strategy_id="cross", symbol="IBM", qty=held, cost_micros=0, realized_micros=0)
    return make_headroom(
        portfolio=Portfolio(account=opened(100_000 * DOLLAR).account, positions={("cross", "IBM"): position}),
        blotter=EMPTY,
        fees=FEES,
        price_of=lambda _: 181_100_000,
        groups={"IBM": "computers"},
        unanswered_before_ns=0,
    )


def facts(intent: OrderIntent) -> Facts:
    """Return facts that every control lets pass: an entry into nothing, or an exit from twenty shares."""
    policy = limits()
    return Facts(
        intent=intent,
        mode=Mode.SIM,
        state=TradingState.ACTIVE,
        latches=(),
        known=True,
        quote=QUOTE,
        reference=SymbolReference(
            close_px=180 * DOLLAR, adv_qty=40_000, band_low_px=172 * DOLLAR, band_high_px=190 * DOLLAR
        ),
        tape=SymbolTape(confirmed_px=181_100_000, is_confirmed=True, quotes=60, volume=2_000),
        feed_ns=NOW_NS - 2 * SECOND_NS,
        feed_faults=4,
        as_of_ns=NOW_NS,
        place=OPEN,
        exchange="XNYS",
        provides=frozenset(Provides),
        limits=policy.of(strategy_id=intent.strategy_id, symbol=intent.symbol),
        policy=policy,
        headroom=headroom(intent.order_qty if intent.order_class is OrderClass.EXIT else 0),
        counters=Counters(sent=((NOW_NS, 3),), attempts_day=(12_000 * DOLLAR, 8), entries_day=6),
        conduct=Conduct(
            sent=((NOW_NS - SECOND_NS, 4),),
            minute=Window(((NOW_NS // SECOND_NS, 7_000 * DOLLAR, 5),), 7_000 * DOLLAR, 5),
            hour=Window(((NOW_NS // SECOND_NS // 60, 9_000 * DOLLAR, 7),), 9_000 * DOLLAR, 7),
        ),
        fees=FEES,
        equity_micros=100_000 * DOLLAR,
        position_age_ns=2 * SECOND_NS,
        proved_ns_ago=0,
        leave=None,
    )


#: Violations that a person can read better than the smallest ones, by which the gate proves itself.
READABLE: Mapping[ReasonCode, Callable[[Facts], Facts]] = MappingProxyType(
    {
        ReasonCode.MARKET_CROSSED: lambda given: changed(
            given, quote=msgspec.structs.replace(given.quote, bid_px=181_300_000)
        ),
        ReasonCode.PRICE_BANDS: lambda given: changed(
            given,
            reference=msgspec.structs.replace(given.reference, band_low_px=170 * DOLLAR, band_high_px=181 * DOLLAR),
        ),
        ReasonCode.VOLATILITY_PAUSE: lambda given: changed(
            given, tape=msgspec.structs.replace(given.tape, paused_until_ns=NOW_NS + 40 * SECOND_NS)
        ),
        ReasonCode.ORDER_DUPLICATE: lambda given: changed(
            given,
            counters=Counters(same=dict.fromkeys(given.counters.same, NOW_NS - 3 * SECOND_NS)),
            limits=limits().in_force,
        ),
    }
)
#: How far beyond the edge a number is shown: by what a person can see of it.
STEPS: Mapping[str, int] = MappingProxyType({"ns": SECOND_NS, "micros": DOLLAR, "px": DOLLAR})


def refusing(row: Row, given: Facts) -> Facts:
    """Return facts that a control refuses, and that read well."""
    control = row.control
    bad = violated(row, given)
    if control.code in READABLE:
        return READABLE[control.code](bad)
    limit, before = bad.limits.get(control.key), given.limits.get(control.key)
    if control.violate is not None or limit is None or limit.value is None or limit == before:
        return bad
    further = (STEPS.get(control.unit, 1) - 1) * (1 if control.is_least else -1)
    return changed(bad, limits={**bad.limits, control.key: msgspec.structs.replace(limit, value=limit.value + further)})


def refused(control: Control) -> Check:
    """Return the check of a control that was given something to refuse.

    Raises:
        ValueError: it does not pass what is sound, or does not refuse the violation: then no page is written.
    """
    given = facts(BUY if OrderClass.ENTRY in control.required_for else SELL)
    row = next(row for row in rows_for(given.intent.order_class, given.provides) if row.control is control)
    sound, check = check_of(row, given), check_of(row, refusing(row, given))
    if check.passed or not sound.passed or check_of(row, violated(row, given)).passed:
        message = f"{control.code}: what the page gives it must pass, and its violation must not ({sound})"
        raise ValueError(message)
    return check


def limit_words(code: str, key: str) -> str:
    """Return where a limit is written and what it is by default, with the others that are read beside it."""
    if not key:
        words = WHERE.get(ReasonCode(code), "a rule without a number; nothing in the configuration turns it off.")
        return words if code not in BESIDE else ""
    default = default_words(KEYS[key])
    known = f"not written, it is {default}" if default else "no default: not written, it blocks"
    return f"{linked(key)}; {known}."


def linked(key: str) -> str:
    """Return a limit as a link to the configuration."""
    written = KEYS[key].written
    return f"[`{written}`](configuration.md#risk-{written})"


def beside_words(code: str) -> str:
    """Return the other limits that are read, with their defaults."""
    named = [f"{linked(key)} ({default_words(KEYS[key])})" for key in BESIDE.get(code, ()) if key != "cash_micros"]
    return f" It reads {' and '.join(named)}." if named else ""


def checks_words(control: Control) -> str:
    """Return what a control looks at: the first sentence of its own function."""
    function = control.measure or control.rule
    words = " ".join((function.__doc__ or "").split("\n\n")[0].split())
    verb, _, rest = words.partition(" ")
    if verb == "Pass":
        return f"it passes {rest}"
    bound = "and passes from the limit on" if control.is_least else "and passes up to the limit"
    return f"it reads {rest.removesuffix('.')}, {bound}."


def entry(control: Control) -> list[str]:
    """Return the lines of one code."""
    required = [one.value for one in CLASSES if one in control.required_for]
    recorded = [one.value for one in CLASSES if one in control.applies_to - control.required_for]
    beside = f" Recorded for {' and '.join(recorded)}." if recorded else ""
    says, remedy = explain_block((refused(control),))
    code = control.code.value
    where = f"{limit_words(code, control.key)}{beside_words(code)}".strip()
    where = where[:1].lower() + where[1:]
    needs = " and ".join(sorted(control.needs)).replace("_", " ")
    return [
        f"### `{code}`",
        "",
        f"{control.name}. {f'Row {control.row}. ' if control.row != '-' else ''}It looks at the {control.scope}.",
        "",
        f"- **What it checks:** {checks_words(control)}",
        f"- **Required for:** {', '.join(required)}.{beside}",
        f"- **When it says no:** {control.action}.",
        f"- **Limit:** {where}",
        *([f"- **Needs:** {needs}."] if needs else []),
        f"- **It says:** *{says}*",
        f"- **What to do:** {remedy.removeprefix('To change that: ').removesuffix('.')}.",
        "",
    ]


def watched() -> Watched:
    """Return what the watches read of a run in which nothing happened."""
    scopes = ("account", "strategy:cross")
    return Watched(
        as_of_ns=NOW_NS,
        limits=limits(),
        counters=Counters(strategies={"cross": Conduct()}),
        standings={scope: Standing(scope=scope, profit_micros=0, opening_micros=0, peak_micros=0) for scope in scopes},
        tape=blank_tape(("IBM",)),
        base_micros=100_000 * DOLLAR,
        gross_micros=0,
    )


def tripped(watch: Watch) -> str:
    """Return the sentence of a latch, at the smallest number that trips its watch."""
    readings = tuple(watch.read(watched()))
    limit = (readings[0].limit if readings else limits().value(watch.key)) or 0
    observed = limit if watch.trips_at else limit + STEPS.get(watch.unit, 1)
    return trip_words(Trip(watch=watch, scope=watch.scope, observed=observed, limit=limit))


def latch_entry(watch: Watch) -> list[str]:
    """Return the lines of one watch."""
    hard = " It trips at 1.25 times that." if watch.code.endswith("_HARD") else ""
    edge = "reached" if watch.trips_at else "passed"
    return [
        f"### `{watch.code}`",
        "",
        f"{watch.name}. Row {watch.row}. It looks at the {watch.scope}.",
        "",
        f"- **Limit:** {limit_words(watch.code, watch.key)}{hard}{beside_words(watch.code)}",
        f"- **It trips:** when the limit is {edge}.",
        f"- **It says:** *{tripped(watch)}*",
        f"- **Who may clear it:** {watch.clears}.",
        "",
    ]


def class_rows() -> str:
    """Return the table of which class needs which control."""
    words = {True: "required", False: "recorded"}
    rows: list[str] = []
    for control in CONTROLS:
        cells = [words[one in control.required_for] if one in control.applies_to else "-" for one in CLASSES]
        rows.append(f"| [`{control.code}`](#{control.code.value.lower()}) | {' | '.join(cells)} |")
    return "\n".join(rows)


def rendered() -> str:
    """Return the whole page."""
    lines = [OPENING + class_rows(), ""]
    for heading, controls in GROUPS:
        lines += [f"## {heading}", ""]
        for control in controls:
            lines += entry(control)
    lines += [WATCHING]
    for watch in WATCHES:
        lines += latch_entry(watch)
    lines += [OTHERS]
    for code, words in OTHER_LATCHES.items():
        lines += [f"### `{code}`", "", words, ""]
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(rendered(), encoding="utf-8")
