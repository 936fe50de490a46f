#!/usr/bin/env python3
"""Plans of 100 to 100,000 resources: what each step takes, a resource, and whether that stays flat.

    run.py --program build/ci/bench_plan [--json] [--small]

Each size runs in a process of its own, which also reads the same bytes with plain yaml-cpp. Where
`tofu` is on the PATH it plans as many of its own `terraform_data`. All times are processor time.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import specs
from report import goal_text, held, say

SIZES = (100, 1_000, 10_000, 100_000)
STEPS = ("read", "expand", "create", "unchanged")
FLAT = 1.3
YAML_GOAL = 3
YAML_AT = 10_000
TOFU_GOALS = {"seconds": 1 / 20, "peak_bytes": 1 / 10}


def measure(program, shape, count):
    with tempfile.TemporaryDirectory(prefix="bailey-bench-") as folder:
        size = specs.write(shape, count, pathlib.Path(folder))
        done = subprocess.run([program, folder], check=True, stdout=subprocess.PIPE, text=True)
    found = json.loads(done.stdout)
    if found["resources"] != count:
        sys.exit(f"{shape}: {found['resources']} resources instead of {count}")
    seconds = found["seconds"]
    found.update(shape=shape, spec_bytes=size)
    # One run plans either what is new or what stands.
    found["whole_seconds"] = seconds["read"] + seconds["expand"] + max(seconds["create"], seconds["unchanged"])
    if shape != "count":  # Whose few lines say nothing of what is planned.
        found["yaml"] = held(found["whole_seconds"], seconds["yaml"], YAML_GOAL if count == YAML_AT else None)
    return found


def flatness(runs):
    """What a resource costs in the largest run, as a multiple of what it costs among a thousand."""
    of_size = {run["resources"]: run for run in runs}
    small, large = of_size[1_000], of_size[max(of_size)]
    each = lambda run, figure: run[figure] / run["resources"]
    return {figure: held(each(large, figure), each(small, figure), FLAT) for figure in ("whole_seconds", "peak_bytes")}


def tofu_plan(count):
    with tempfile.TemporaryDirectory(prefix="bailey-bench-") as folder:
        text = "".join(f'resource "terraform_data" "r{i}" {{ input = "{i}" }}\n' for i in range(count))
        (pathlib.Path(folder) / "main.tf").write_text(text)
        subprocess.run(["tofu", "init"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        process = subprocess.Popen(["tofu", "plan", "-out=plan"], cwd=folder, stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        if status != 0:
            sys.exit("tofu plan failed")
        return {"seconds": used.ru_utime + used.ru_stime, "peak_bytes": used.ru_maxrss * 1024}


def beside_tofu(runs):
    found = []
    for run in runs:
        if run["shape"] != "files" or run["resources"] > YAML_AT:
            continue
        say(f"tofu plan of {run['resources']:,} terraform_data")
        peer = tofu_plan(run["resources"])
        found.append({
            "resources": run["resources"],
            "seconds": held(run["whole_seconds"], peer["seconds"], TOFU_GOALS["seconds"]),
            "peak_bytes": held(run["peak_bytes"], peer["peak_bytes"], TOFU_GOALS["peak_bytes"]),
        })
    return found


def print_table(runs, flat, tofu):
    steps = STEPS + ("digest", "yaml")
    print("microseconds a resource" + " " * 6 + "".join(f"{step:>10}" for step in steps) + f"{'KiB':>8}{'of yaml-cpp':>13}")
    for run in runs:
        each = [1e6 * run["seconds"][step] / run["resources"] for step in steps]
        print(f"{run['shape']:<10}{run['resources']:>10,}" + " " * 9 + "".join(f"{value:>10.1f}" for value in each)
              + f"{run['peak_bytes'] / 1024 / run['resources']:>8.1f}"
              + (f"{run['yaml']['ratio']:>11.2f} x{goal_text(run['yaml'])}" if "yaml" in run else ""))
    print("\na resource among the most, as a multiple of one among 1,000")
    for shape, found in flat.items():
        for figure, name in (("whole_seconds", "time"), ("peak_bytes", "memory")):
            print(f"  {shape:<10}{name:<8}{found[figure]['ratio']:>6.2f}{goal_text(found[figure])}")
    for each in tofu or []:
        for figure, name in (("seconds", "time"), ("peak_bytes", "memory")):
            print(f"  {each['resources']:>10,} beside tofu: {name:<8}{each[figure]['ratio']:>8.3f}{goal_text(each[figure])}")
    if tofu is None:
        print("\ntofu is not installed: left out")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--small", action="store_true", help="up to 10,000 resources")
    options = parser.parse_args()

    runs = []
    flat = {}
    for shape in specs.SHAPES:
        most = specs.MOST_NAMED if shape == "template" or options.small else max(SIZES)
        of_shape = []
        for count in SIZES:
            if count > most:
                continue
            say(f"{shape}: {count:,}")
            of_shape.append(measure(options.program, shape, count))
        flat[shape] = flatness(of_shape)
        runs += of_shape
    tofu = beside_tofu(runs) if shutil.which("tofu") else None
    if options.json:
        print(json.dumps({"bench": "plan", "runs": runs, "flat": flat, "tofu": tofu}))
        return
    print_table(runs, flat, tofu)


main()
