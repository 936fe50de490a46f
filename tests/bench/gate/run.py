#!/usr/bin/env python3
"""What it takes to judge a change by a gate of ten conditions, among 100 to 10,000 people.

    run.py --program build/ci/bench_gate [--json] [--small]

`met` has its approvals; `waiting` has none, and names everybody who could give one. Processor time of
one evaluation, the median of 41.
"""

import argparse
import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from report import goal_text, held, say

SIZES = (100, 1_000, 10_000)
BOUND = 0.005
CASES = ("met", "waiting")


def measure(program, people):
    say(f"{people:,} people")
    done = subprocess.run([program, str(people)], check=True, stdout=subprocess.PIPE, text=True)
    found = json.loads(done.stdout)
    for case in CASES:
        found[case] = held(found.pop(f"{case}_seconds"), BOUND, 1)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--small", action="store_true", help="up to 1,000 people")
    options = parser.parse_args()
    runs = [measure(options.program, people) for people in SIZES if people <= 1_000 or not options.small]
    if options.json:
        print(json.dumps({"bench": "gate", "bound_seconds": BOUND, "runs": runs}))
        return
    print("people     conditions    case       milliseconds   of 5 ms")
    for run in runs:
        for case in CASES:
            print(f"{run['people']:>6,}{run['conditions']:>12}       {case:<9}{1000 * run[case]['bailey']:>14.3f}"
                  f"{run[case]['ratio']:>10.3f}{goal_text(run[case])}")


main()
