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


def zero(what, found, tries, unit):
    """Something that must not happen: how many findings there were in so many tries."""
    if tries == 0:
        return Row(what, "nothing was tried")
    if found == 0:
        return Row(what, f"0 of {tries:,} {unit}", bound_of(tries))
    return Row(what, f"**{found} findings** in {tries:,} {unit}", "-")
