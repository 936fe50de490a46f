#!/usr/bin/env python3
"""Proves the duties of 1,000 to 20,000 people: what it takes, a person, and whether that stays flat.

    run.py --program build/ci/bench_duties [--json] [--small]

Each size runs in a process of its own. A person stands for a tenth of an environment, a share of five
groups, and what duties there are about them. All times are processor time, reading included.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import specs
from report import goal_text, held, say

SIZES = (1_000, 2_000, 5_000, 10_000, 20_000)
JUDGED = 10_000
SECONDS = 2
FLAT = 1.3


def measure(program, shape, people):
    with tempfile.TemporaryDirectory(prefix="bailey-bench-") as folder:
        environments, size = specs.write(shape, people, pathlib.Path(folder))
        done = subprocess.run([program, folder], check=True, stdout=subprocess.PIPE, text=True)
    found = json.loads(done.stdout)
    if found["people"] != people or found["environments"] != environments:
        sys.exit(f"{shape}: {found['people']} people and {found['environments']} environments were read")
    whole = found["seconds"]["read"] + found["seconds"]["prove"]
    found.update(shape=shape, spec_bytes=size, whole_seconds=whole)
    found["limit"] = held(whole, SECONDS, 1 if people == JUDGED and shape != "everyone" else None)
    return found


def flatness(runs):
    """What a person costs in the largest run, as a multiple of what they cost among the fewest."""
    each = lambda run, figure: run[figure] / run["people"]
    small, large = runs[0], runs[-1]
    goal = None if small["shape"] == "everyone" else FLAT
    return {figure: held(each(large, figure), each(small, figure), goal) for figure in ("whole_seconds", "peak_bytes")}


def print_table(runs, flat):
    print(f"{'':<10}{'people':>8}{'environments':>14}{'duties':>8}{'read':>9}{'prove':>9}{'whole':>9}{'a person':>11}{'memory':>10}{'a person':>11}{'findings':>10}")
    for run in runs:
        people = run["people"]
        print(f"{run['shape']:<10}{people:>8,}{run['environments']:>14,}{run['duties']:>8,}"
              f"{run['seconds']['read']:>7.2f} s{run['seconds']['prove']:>7.2f} s{run['whole_seconds']:>7.2f} s"
              f"{1e6 * run['whole_seconds'] / people:>8.0f} µs{run['peak_bytes'] / 2**20:>6.0f} MiB"
              f"{run['peak_bytes'] / 1024 / people:>7.1f} KiB{sum(run['findings'].values()):>10,}{goal_text(run['limit'])}")
    print("\na person among the most, as a multiple of one among the fewest")
    for shape, found in flat.items():
        for figure, name in (("whole_seconds", "time"), ("peak_bytes", "memory")):
            print(f"  {shape:<10}{name:<8}{found[figure]['ratio']:>6.2f}{goal_text(found[figure])}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--small", action="store_true", help="up to 10,000 people")
    options = parser.parse_args()

    runs = []
    flat = {}
    for shape in specs.SHAPES:
        of_shape = []
        for people in SIZES:
            if options.small and people > JUDGED:
                continue
            say(f"{shape}: {people:,}")
            of_shape.append(measure(options.program, shape, people))
        flat[shape] = flatness(of_shape)
        runs += of_shape
    if options.json:
        print(json.dumps({"bench": "duties", "runs": runs, "flat": flat}))
        return
    print_table(runs, flat)


main()
