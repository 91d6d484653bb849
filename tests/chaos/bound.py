"""Rows of docs/claims.md, and what a count of nothing shows.

The rule of three: where a thing was seen 0 times in n tries, its chance lies under 3/n, with a
confidence of 95 % (1 - (1 - 3/n)^n is 95.0 % for all n that matter here).
"""
import typing


class Row(typing.NamedTuple):
    what: str
    seen: str
    bound: str = ""


def bound_of(tries):
    """The 95 % upper bound of what was seen 0 times in so many tries."""
    if tries < 3:
        return "-"
    chance = 3 / tries
    if chance >= 0.0001:
        return f"< {chance * 100:.2g} %"
    return f"< {chance * 1e6:.2g} per million"


def zero(what, bad, tries, unit):
    """Something that must not happen; None tries: nothing can be said."""
    if tries == 0:
        return Row(what, "nothing was tried")
    seen = f"{bad:,} of {tries:,} {unit}"
    return Row(what, seen if bad == 0 else f"**{seen}**", bound_of(tries) if bad == 0 else "-")
