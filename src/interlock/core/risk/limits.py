"""The limits in force: what the configuration wrote, what the table gives by default, and what nobody wrote.

Floor 1 (decisions). Pure. A limit without a value is not "no limit": its control blocks.
On the trip: made once at boot and journaled; a person may tighten one while the run goes on; RISK reads them.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from interlock.core.risk.keys import KEYS, NEITHER, LimitKey
from interlock.model.journal import LimitInForce

#: The scope of a limit that holds for the whole account.
ACCOUNT = "account"


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Every limit by key, for the account and for the strategies and symbols that have stricter ones of their own.

    Attributes:
        has_policy: False where the configuration has no `[risk]`.
        symbols: the allow-list.
        restricted: symbols that may not be entered, whatever else is allowed.
        groups: symbol to the name of its group, for the group's own concentration.
        in_force: the account's limits by key.
        own: limits of one scope by (scope, key); a scope is `strategy:<name>` or `symbol:<symbol>`.
        resolved: the strictest of all that hold, by (strategy, symbol), for each pair that has one of its own; ""
            stands for every other strategy or symbol.
    """

    has_policy: bool
    symbols: frozenset[str]
    restricted: frozenset[str]
    groups: Mapping[str, str]
    in_force: Mapping[str, LimitInForce]
    own: Mapping[tuple[str, str], LimitInForce]
    resolved: Mapping[tuple[str, str], Mapping[str, LimitInForce]]

    def value(self, key: str) -> int | None:
        """Return the account's value of a limit, None where nobody wrote one."""
        limit = self.in_force.get(key)
        return None if limit is None else limit.value

    def of(self, *, strategy_id: str, symbol: str) -> Mapping[str, LimitInForce]:
        """Return the strictest limits that hold for one strategy in one symbol, by key."""
        if not self.own:
            return self.in_force
        for pair in ((strategy_id, symbol), (strategy_id, ""), ("", symbol)):
            found = self.resolved.get(pair)
            if found is not None:
                return found
        return self.in_force

    def everywhere(self) -> tuple[LimitInForce, ...]:
        """Return every limit, the account's first, each with its scope."""
        return (*self.in_force.values(), *self.own.values())


def make_limits(  # noqa: PLR0913 - what a policy is made of
    *,
    has_policy: bool,
    symbols: tuple[str, ...],
    written: Mapping[str, int],
    cash_micros: int | None,
    bar_ns: int,
    own: Mapping[tuple[str, str], int] | None = None,
    restricted: tuple[str, ...] = (),
    groups: Mapping[str, str] | None = None,
    profile: Mapping[str, int] | None = None,
    profile_name: str = "",
) -> Limits:
    """Expand what was written to every limit there is, each stamped with its source.

    Args:
        has_policy: False where the configuration has no `[risk]`.
        symbols: the allow-list.
        written: key to value, of the keys that were written.
        cash_micros: the account's cash as written, from which defaults are sized; None where it is not written.
        bar_ns: length of the source's bars or steps, 0 for single quotes; a quote may be one and a half of them old.
        own: (scope, key) to value, of the limits that hold for one strategy or one symbol only.
        restricted: symbols that may not be entered.
        groups: symbol to the name of its group.
        profile: key to value of the named profile; what is written outranks it.
        profile_name: its name.

    Returns:
        The limits. The defaults stand without a policy too, for an exit is judged by them; entries then block,
        for `POLICY_MISSING` reads `has_policy`.
    """
    in_force: dict[str, LimitInForce] = {}
    values: dict[str, int | None] = {}
    value: int | None
    for one in KEYS.values():
        if one.name in written:
            value, source = written[one.name], "config"
        elif profile is not None and one.name in profile:
            value, source = profile[one.name], f"profile {profile_name}"
        else:
            value = one.default(values, cash_micros, bar_ns)
            source = "none" if value is None else "config" if one.name == "cash_micros" else "default"
        values[one.name] = value
        in_force[one.name] = LimitInForce(key=one.name, value=value, unit=one.unit, source=source)
    scoped = {
        (scope, name): LimitInForce(key=name, value=value, unit=KEYS[name].unit, source="config", scope=scope)
        for (scope, name), value in (own or {}).items()
    }
    return Limits(
        has_policy=has_policy,
        symbols=frozenset(symbols),
        restricted=frozenset(restricted),
        groups=dict(groups or {}),
        in_force=in_force,
        own=scoped,
        resolved=_resolved(in_force, scoped),
    )


def _resolved(
    in_force: Mapping[str, LimitInForce], own: Mapping[tuple[str, str], LimitInForce]
) -> dict[tuple[str, str], Mapping[str, LimitInForce]]:
    """Return the strictest limits for every pair of a strategy and a symbol of which one has limits of its own."""
    scopes = tuple(dict.fromkeys(scope for scope, _ in own))
    strategies = [scope.removeprefix("strategy:") for scope in scopes if scope.startswith("strategy:")]
    names = [scope.removeprefix("symbol:") for scope in scopes if scope.startswith("symbol:")]
    found: dict[tuple[str, str], Mapping[str, LimitInForce]] = {}
    for strategy_id in (*strategies, ""):
        for symbol in (*names, ""):
            limits = dict(in_force)
            for scope in (f"strategy:{strategy_id}", f"symbol:{symbol}"):
                for name, one in KEYS.items():
                    mine = own.get((scope, name))
                    if mine is not None:
                        limits[name] = stricter_of(limits[name], mine, key=one)
            found[strategy_id, symbol] = limits
    del found["", ""]
    return found


def stricter_of(first: LimitInForce, second: LimitInForce, *, key: LimitKey) -> LimitInForce:
    """Return the limit that lets less through; of two that let the same through, the first."""
    if first.value is None or second.value is None:
        # One that was never written is no limit to compare with: what was written holds.
        return second if first.value is None else first
    # A rule of the instrument is never stricter than another: the one that was written for the symbol holds.
    return second if key.stricter == NEITHER or key.is_stricter(second.value, than=first.value) else first


def limits_of(records: tuple[LimitInForce, ...]) -> Limits:
    """Return the numbers that a record holds as limits; its lists of symbols are not among them."""
    in_force = {limit.key: limit for limit in records if not limit.scope}
    own = {(limit.scope, limit.key): limit for limit in records if limit.scope}
    return Limits(
        has_policy=True,
        symbols=frozenset(),
        restricted=frozenset(),
        groups={},
        in_force=in_force,
        own=own,
        resolved=_resolved(in_force, own),
    )


def tightened(limits: Limits, *, name: str, value: int) -> Limits | None:
    """Return the limits with one of the account's made stricter, or None where this would not make it so."""
    key, before = KEYS[name], limits.in_force[name]
    if before.value is None or not key.is_stricter(value, than=before.value):
        return None
    now = LimitInForce(key=name, value=value, unit=key.unit, source="tightened")
    in_force = {**limits.in_force, name: now}
    return msgspec.structs.replace(limits, in_force=in_force, resolved=_resolved(in_force, limits.own))


def loosened(
    before: tuple[LimitInForce, ...], after: tuple[LimitInForce, ...]
) -> tuple[tuple[LimitInForce, LimitInForce], ...]:
    """Return the limits that let more through now than before, each as it was and as it is.

    A limit of one strategy or symbol that is gone counts as what holds instead: the account's own. One that was not
    written let nothing through, so that writing it lets more through.
    """
    was = {(limit.scope, limit.key): limit for limit in before}
    now = {(limit.scope, limit.key): limit for limit in after}
    found: list[tuple[LimitInForce, LimitInForce]] = []
    for (scope, name), old in was.items():
        key, new = KEYS.get(name), now.get((scope, name), now.get(("", name)))
        if key is None or new is None or new.value is None:
            continue
        # Of a rule of the instrument, a window or the cash nobody can say which way is stricter: each change counts.
        moved = key.stricter == NEITHER and old.value != new.value
        if old.value is None or moved or key.is_stricter(old.value, than=new.value):
            found.append((old, new))
    for (scope, name), new in now.items():
        account = was.get(("", name))
        if (scope, name) in was or account is None or new.value is None:
            continue
        # New of one scope, where the account had none (nothing passed there) or a rule of the instrument changes.
        if account.value is None or (KEYS[name].stricter == NEITHER and account.value != new.value):
            found.append((msgspec.structs.replace(account, scope=scope), new))
    return tuple(found)
