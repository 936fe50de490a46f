#!/usr/bin/env python3
"""1,000 resources by the real executor, with its journal on a disk, against a provider with a latency.

    run.py --program build/ci/bench_apply --server PROGRAM --disk FOLDER [--json] [--small]

Each makespan stands beside its lower bound, the greater of the critical path and the work divided by
the account's concurrency, and beside the same bound by the times that calls really took (`measured`):
a busy machine wakes late. What durable writes cost is the difference to the same run with a store in
memory, where a sync is free. Medians of three where the bound is under a second.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from report import goal_text, held, say

MEMORY = "/dev/shm"
DEPTH = {"flat": 1, "layered": 2}
GOAL_AT = 50
GOAL = 1.05
DURABLE_GOAL = 0.05


class Server:
    """Answers every call on loopback after the latency."""

    def __init__(self, program, latency):
        self.process = subprocess.Popen([program, str(latency)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = self.process.stdout.readline().strip()

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.process.communicate()


def run(program, graph, count, latency, concurrency, parent, port=""):
    with tempfile.TemporaryDirectory(prefix="bailey-bench-", dir=parent) as folder:
        command = [program, graph, str(count), str(latency), str(concurrency), folder] + ([port] if port else [])
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def median(runs):
    return sorted(runs, key=lambda each: each["makespan"])[len(runs) // 2]


def measure(options, graph, latency, concurrency):
    bound = max(DEPTH[graph] * latency, options.resources * latency / concurrency) / 1000
    times = 3 if bound < 1 else 1
    again = lambda parent, port="": median(
        [run(options.program, graph, options.resources, latency, concurrency, parent, port) for _ in range(times)])
    disk = again(options.disk)
    memory = again(MEMORY)
    if disk["most_in_flight"] > concurrency:
        sys.exit(f"{disk['most_in_flight']} operations were at the provider, and {concurrency} are allowed")
    cell = {
        "graph": graph,
        "latency_ms": latency,
        "concurrency": concurrency,
        "resources": options.resources,
        "makespan": held(disk["makespan"], bound, GOAL if latency == GOAL_AT else None),
        "makespan_in_memory": memory["makespan"],
        "durable_share": max(0.0, (disk["makespan"] - memory["makespan"]) / disk["makespan"]),
        "durable_goal": DURABLE_GOAL if latency == GOAL_AT else None,
        "records_a_transaction": options.resources / disk["recording_transactions"],
        # By the times that calls really took: a busy machine wakes late from a wait.
        "beside_measured_bound": disk["makespan"] / max(disk["reported_bound"], 1e-3),
    }
    if options.server and latency == GOAL_AT:
        with Server(options.server, latency) as server:
            cell["http"] = held(again(options.disk, server.port)["makespan"], bound, None)
    return cell


def print_table(cells):
    print(f"{'graph':<9}{'latency':>8}{'at once':>8}{'bound':>11}{'makespan':>11}{'ratio':>7}"
          f"{'measured':>10}{'durable':>9}{'together':>9}{'over HTTP':>10}")
    for cell in cells:
        found = cell["makespan"]
        http = f"{cell['http']['ratio']:.3f}" if "http" in cell else ""
        print(f"{cell['graph']:<9}{cell['latency_ms']:>5} ms{cell['concurrency']:>8}{found['peer']:>9.3f} s"
              f"{found['bailey']:>9.3f} s{found['ratio']:>7.3f}{cell['beside_measured_bound']:>10.3f}{100 * cell['durable_share']:>7.1f} %"
              f"{cell['records_a_transaction']:>9.1f}{http:>10}{goal_text(found)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--server", help="tests/bench/waiting/server; without it nothing goes over HTTP")
    parser.add_argument("--disk", default=tempfile.gettempdir())
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--small", action="store_true", help="without the latency of half a second")
    options = parser.parse_args()
    options.resources = 1000

    cells = []
    for graph in ("flat", "layered"):
        for latency in (5, 50) if options.small else (5, 50, 500):
            for concurrency in (10, 64, 256):
                say(f"{graph}, {latency} ms, {concurrency} at once")
                cells.append(measure(options, graph, latency, concurrency))
    if options.json:
        print(json.dumps({"bench": "apply", "cells": cells}))
        return
    print_table(cells)


main()
