"""Reads each part's results into rows of docs/claims.md.

What a program's file must hold is what is looked up here: a missing figure ends the making of the
page with its name, it is never left out silently.
"""
from bound import Row, zero


def total(results, name):
    return sum(result[name] for result in results)


def worst(results, name):
    return max(result[name] for result in results)


def of_invariant(results, *names):
    """How many violations bear one of these names; a violation begins with its invariant's."""
    return sum(line.split(":")[0] in names for result in results for line in result["violations"])


def listed(values):
    return ", ".join(str(value) for value in values)


def transcript(results):
    """What every run with an oracle shows of the turns."""
    turns = total(results, "turns")
    return [Row("seeds", listed(result["seed"] for result in results)),
            zero("turns lost (I1)", of_invariant(results, "I1"), turns, "turns"),
            zero("turns doubled (I2)", of_invariant(results, "I2"), turns, "turns"),
            zero("out of order, or another seat's (I3)", of_invariant(results, "I3"), turns,
                 "turns"),
            zero("stitched, cut, or of another history (I4)", of_invariant(results, "I4"), turns,
                 "turns")]


def cases(results):
    tests = [one for result in results for one in result["tests"]]
    return [Row(one["test"], "; ".join([one["result"], *filter(None, [one["why"]]),
                                        *one["figures"]])) for one in tests]


def suites(results):
    units, flows = results
    return [Row(what, f"{one['passed']:,} passed, {one['failed']} failed, {one['skipped']} skipped")
            for what, one in (("unit tests, ASan and UBSan", units),
                              ("flow and chaos tests, ASan and UBSan", flows))]


def known_bad(results):
    return cases(results)


def price(results):
    rows = []
    for result in results:
        rows.append(Row("measured in turns", f"{result['base_version']} and "
                        f"{result['here_version']}, medians of {result['rounds']} rounds"))
        for one in result["added"]:
            rows.append(Row(f"added time a turn, {one['transport']}",
                            f"{one['base_us']} to {one['here_us']} µs ({one['base_to_floor']} to "
                            f"{one['here_to_floor']} times the floor): {change(one['price'])}"))
        for one in result["many"]:
            rows.append(Row(f"turns a second, {one['conversations']:,} conversations",
                            f"{one['base_turns_per_second']:,.0f} to "
                            f"{one['here_turns_per_second']:,.0f}: {change(one['price'])}"))
        rows.append(Row("limit", change(result["limit"])))
    return rows


def change(price_of):
    """How much dearer, of a quotient."""
    return f"{(price_of - 1) * 100:+.0f} %"


def kills(results):
    return transcript(results)


def points(results):
    return transcript(results)


def redis(results):
    return transcript(results)


def tail(results):
    return transcript(results)


def recovery(results):
    return transcript(results)


def torture(results):
    return transcript(results)


def fuzz(results):
    return transcript(results)


def soak(results):
    return transcript(results)
