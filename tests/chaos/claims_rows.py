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


# What the oracle finds, in the words of the page; of turns, but for those of the whole fleet.
OF_TURNS = (("turns lost (I1)", "I1"), ("turns doubled (I2)", "I2"),
            ("turns out of order or of the wrong seat (I3)", "I3"),
            ("texts cut, stitched or of another history (I4)", "I4"),
            ("events missing, doubled or out of order (I5)", "I5"),
            ("turns a live reader saw otherwise (I7)", "I7"))
OF_FLEET = (("left pending, due or held at the end (I6)", "I6"),
            ("processes that ended by themselves (I8)", "I8"),
            ("calls wasted without a cause or a record (I9)", "I9"),
            ("recovered or idle too late (I10)", "I10"))


def judged(results):
    """What every run with an oracle shows of the turns and of the fleet."""
    turns = total(results, "turns")
    return [*(zero(what, of_invariant(results, name), turns, "turns") for what, name in OF_TURNS),
            *(Row(what, f"{of_invariant(results, name)} findings in {len(results)} runs")
              for what, name in OF_FLEET)]


def load(results):
    return [Row("seeds", listed(result["seed"] for result in results)),
            Row("turns, conversations", f"{total(results, 'turns'):,} of "
                f"{total(results, 'conversations'):,}"),
            Row("turns a second", spread(result["turns_per_s"] for result in results))]


def spread(values):
    """The least and the most, as one where they are the same."""
    values = sorted(value for value in values if value is not None)
    if not values:
        return "none"
    return f"{values[0]:,}" if values[0] == values[-1] else f"{values[0]:,} to {values[-1]:,}"


def waste(results, faults):
    """Calls whose answer was not taken, by what was done."""
    wasted, missing = total(results, "wasted"), total(results, "wasted_not_in_calls")
    return Row("calls wasted", f"{wasted:,} of {total(results, 'calls'):,} "
               f"({wasted / max(1, faults):.2f} a fault), {missing} of them not in K:calls")


def kills(results):
    done = total(results, "kills")
    return [*load(results), Row("processes killed with -9", f"{done:,}"),
            waste(results, done), *judged(results)]


def stops(results):
    done = total(results, "stops")
    return [*load(results), Row("processes stopped for up to three leases", f"{done:,}"),
            waste(results, done), *judged(results)]


def redis(results):
    done = total(results, "redis_kills")
    return [*load(results), Row("redis-server killed with -9", f"{done:,}"),
            waste(results, done),
            zero("kills after which a turn was lost or doubled",
                 of_invariant(results, "I1", "I2", "I3"), done, "kills"), *judged(results)]


def tail(results):
    cuts, noticed = total(results, "rewinds"), total(results, "rewinds_noticed")
    return [*load(results), Row("restarts with 1 to 64 KB of the file's end cut off", f"{cuts:,}"),
            Row("conversations told to have been set back", f"{noticed:,} (history.rewound)"),
            zero("restarts after which a turn was lost or doubled",
                 of_invariant(results, "I1", "I2", "I3"), cuts, "restarts"), *judged(results)]


def recovery(parts):
    """parts: {part: results}; what is not there was not run and has no row."""
    rows = []
    if "kills" in parts:
        runs = parts["kills"]
        rows.append(Row("from a worker's death to its turn's next call, lease of 1 s",
                        f"p50 {ms(runs, 'recovery_p50_ms')}, p99 {ms(runs, 'recovery_p99_ms')}, "
                        f"most {ms(runs, 'recovery_max_ms')}; "
                        f"{total(runs, 'recoveries'):,} turns"))
        rows.append(Row("the same, of turns that wait for a worker of their own (two had died)",
                        f"p50 {ms(runs, 'recovery_alone_p50_ms')}, "
                        f"most {ms(runs, 'recovery_alone_max_ms')}"))
        rows.append(Row("the same, of turns whose lane lost another worker before the next call",
                        f"p50 {ms(runs, 'recovery_hit_again_p50_ms')}, "
                        f"most {ms(runs, 'recovery_hit_again_max_ms')}; "
                        f"{total(runs, 'recoveries_hit_again'):,} turns"))
    for name in ("redis-always", "redis-everysec"):
        if name in parts:
            runs = parts[name]
            rows.append(Row(f"from Redis being back to the first commit ({name})",
                            f"p50 {ms(runs, 'first_commit_p50_ms')}, "
                            f"most {ms(runs, 'first_commit_max_ms')}; "
                            f"{total(runs, 'redis_kills'):,} kills"))
    return rows


def ms(results, name):
    """Of each run; several runs: from the best to the worst."""
    values = [round(one[name]) for one in results if one[name] is not None]
    return spread(values) + " ms" if values else "none"


def soak(results):
    result, = results
    rows = [Row("seed", result["seed"]),
            Row("turns", f"{result['turns']:,} of {result['conversations']:,} conversations, "
                f"{result['turns_per_second']} a second for {result['minutes']} minutes"),
            Row("faults", f"{result['faults_done']:,}: " + listed(
                f"{count} {name}" for name, count in result["faults"].items())),
            waste(results, result["faults_done"]), *judged(results),
            Row("findings about growth", of_invariant(results, "growth"))]
    for name, one in result["processes"].items():
        rows.append(Row(f"{name}: memory",
                        f"{one['memory_first_kb']:,} to {one['memory_last_kb']:,} KB, "
                        f"{one['memory_mb_per_hour']} MB/h (standard error "
                        f"{one['memory_error_mb_per_hour']})"))
        rows.append(Row(f"{name}: descriptors, threads", f"{steady(one['descriptors'])}; "
                        f"{steady(one['threads'])}"))
    stored = result["stored"]
    rows.append(Row("stored in Redis besides events and calls",
                    f"{steady(stored['memory_bytes'])} bytes, {stored['memory_mb_per_hour']} MB/h "
                    f"(standard error {stored['memory_error_mb_per_hour']})"))
    rows += [Row(f"stored in Redis: {name}", steady(stored[name]))
             for name in ("keys", "consumers", "members")]
    return rows


def steady(values):
    return (f"{values['first']:,} at first, {values['last']:,} at last, {values['least']:,} to "
            f"{values['most']:,}")


def of_test(one):
    """Well or not, why, and what the test itself told."""
    return "; ".join([one["result"], *filter(None, [one["why"]]), *one["figures"]])


def number_of(case):
    return case[0], int(case[1:])


def cases(results):
    """A row for each test, by the first case it shows."""
    tests = [one for result in results for one in result["tests"]]
    tests.sort(key=lambda one: number_of(one["cases"][0]))
    count = {name: total(results, name) for name in ("passed", "failed", "skipped")}
    return [Row("tests", listed(f"{count[name]} {name}" for name in count)),
            *(Row(f"{', '.join(one['cases'])}: {one['name']}", of_test(one)) for one in tests)]


def suites(results):
    units, flows, *memcheck = results
    return [*(Row(what, f"{one['passed']:,} passed, {one['failed']} failed, "
                  f"{one['skipped']} skipped")
              for what, one in (("unit tests, ASan and UBSan", units),
                                ("flow and chaos tests, ASan and UBSan", flows))),
            *(Row("memcheck: processes with an error",
                  f"{one['errors']} of {one['processes']} processes of {one['flows']} flow tests "
                  f"and {one['turns']} turns under {one['kills']} kills; "
                  f"{one['units']} unit tests passed") for one in memcheck)]


def known_bad(results):
    """The tests bear the builds' names, and tell what caught each."""
    return [Row(one["name"], of_test(one)) for result in results for one in result["tests"]]


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


def points(results):
    """The first campaign kills, the second delays, fails and cuts."""
    rows = []
    for one in results[1:]:  # the first step builds
        is_kill = one["what"] == "points"
        done = one["kills"] if is_kill else sum(one["hits"].values())
        rows += [Row(f"{one['what']}: seed, points, at least so often each",
                     f"{one['seed']}, {one['points']}, {one['least']}"),
                 Row(f"{one['what']}: in all", f"{done:,} " + ("kills" if is_kill else "faults")
                     + f", {one['turns']:,} turns of {one['conversations']:,} conversations"),
                 zero(f"{one['what']}: faults after which a turn was lost, doubled or out of order",
                      of_invariant([one], "I1", "I2", "I3"), done, "faults"),
                 Row(f"{one['what']}: calls wasted", f"{one['wasted']:,} of {one['calls']:,}"),
                 Row(f"{one['what']}: findings of any kind", len(one["violations"]))]
    return rows


def torture(results):
    _, result, _, asan = results  # the others build
    tried = result["allocations_failed"] + result["system_calls_failed"]
    return [Row("allocations failed, one at a time", f"{result['allocations_failed']:,}"),
            Row("system calls failed, one at a time", f"{result['system_calls_failed']:,}"),
            # No bound: each place was tried once, none was drawn.
            Row("crashes", f"{result['crashes']} of {tried:,} failures"),
            Row("ended badly in any way", f"{len(result['violations'])} of {tried:,} failures"),
            Row("of these the program carried on after", f"{result['carried_on']:,}"),
            Row("planned, but left out for want of time", f"{result['left_out']:,}"),
            Row("failed under AddressSanitizer", f"{asan['allocations_failed']:,} allocations, "
                f"{asan['system_calls_failed']:,} system calls, {len(asan['violations'])} badly"),
            Row("leaks", f"{asan['leaks']} of {asan['searched_for_leaks']:,} processes searched"),
            *(Row(f"{name}: calls in a run", listed(f"{count:,} {kind}" for kind, count in
                                                    counts.items()))
              for name, counts in result["programs"].items())]


def plain(results):
    """Every figure that is a number or a word, as the program names it."""
    return [Row(name, f"{value:,}" if isinstance(value, int) else value)
            for result in results for name, value in result.items()
            if isinstance(value, (int, float, str))]


def fuzz(results):
    """And a row for each target."""
    return [*plain(results), *(Row(one["target"], listed(f"{name} {value}" for name, value in
                                                         one.items() if name != "target"))
                               for result in results for one in result.get("targets", []))]
