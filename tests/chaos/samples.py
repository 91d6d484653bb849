"""What long-lived processes hold over time: memory, descriptors, threads; and how fast it grows.

Memory is Private_Dirty of /proc/PID/smaps_rollup: what only this process has and what no file
backs. (RSS moves with pages of the programs' own files, which the kernel takes and brings back.)
"""
import os
import re
import typing


class Sample(typing.NamedTuple):
    """Of one process at one time."""
    at_s: float
    memory_kb: int
    rss_kb: int
    descriptors: int
    threads: int


class Trend(typing.NamedTuple):
    """Of a straight line through samples, by least squares; the error is one sigma's."""
    per_hour: float
    error: float


def field_kb(text, name):
    return int(re.search(rf"^{name}:\s+(\d+)", text, re.MULTILINE)[1])


def look_at(pid, at_s):
    """None where the process is gone."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            rollup = file.read()
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
            threads = field_kb(file.read(), "Threads")
        descriptors = len(os.listdir(f"/proc/{pid}/fd"))
        return Sample(at_s, field_kb(rollup, "Private_Dirty"), field_kb(rollup, "Rss"),
                      descriptors, threads)
    except (OSError, TypeError):  # TypeError: of a zombie the files are there and empty
        return None


def trend(points):
    """Of (seconds, value) pairs, per hour; None of less than three, which no line fits badly."""
    if len(points) < 3:
        return None
    count = len(points)
    mean_x = sum(x for x, _ in points) / count
    mean_y = sum(y for _, y in points) / count
    square = sum((x - mean_x) ** 2 for x, _ in points)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / square
    rest = sum((y - mean_y - slope * (x - mean_x)) ** 2 for x, y in points)
    return Trend(slope * 3600, (rest / (count - 2) / square) ** 0.5 * 3600)


def summary(samples, warm_s):
    """Of a process' samples; the trend leaves out what came before warm_s."""
    later = [one for one in samples if one.at_s >= warm_s]
    memory = trend([(one.at_s, one.memory_kb / 1024) for one in later])
    return {"samples": len(later),
            "memory_first_kb": later[0].memory_kb if later else None,
            "memory_last_kb": later[-1].memory_kb if later else None,
            "memory_most_kb": max((one.memory_kb for one in later), default=None),
            "memory_mb_per_hour": round(memory.per_hour, 3) if memory else None,
            "memory_error_mb_per_hour": round(memory.error, 3) if memory else None,
            "descriptors": spread([one.descriptors for one in later]),
            "threads": spread([one.threads for one in later])}


def spread(values):
    """First, last, least and most: flat is when the last is not above the first for good."""
    if not values:
        return None
    return {"first": values[0], "last": values[-1], "least": min(values), "most": max(values)}
