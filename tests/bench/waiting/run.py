#!/usr/bin/env python3
"""Runs every variant against a fresh server and prints medians.

Usage: run.py BUILD_DIR [RUNS]         numbers
       run.py BUILD_DIR stacks         what a debugger shows in the middle of a wait
"""

import json
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

CALLS = 256
LOWER_BOUND_MS = 5 * 50 + 2 * 20
VARIANTS = {
    "A coroutines": ["coroutines"],
    "B pool + one I/O thread": ["threads", "--mode", "shared"],
    "B with 8 MiB stacks": ["threads", "--mode", "shared", "--stack-kib", "8192"],
    "C curl_easy per thread": ["threads", "--mode", "plain"],
}


class Server:
    def __init__(self, build, *delays):
        self.process = subprocess.Popen(
            [build / "server", *map(str, delays)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = self.process.stdout.readline().strip()

    def stop(self):
        """Ends the server; returns the number of connections it accepted."""
        output, _ = self.process.communicate(timeout=10)
        return int(output)


def command(build, variant, server, *extra):
    program, *arguments = VARIANTS[variant]
    return [build / program, "--port", server.port, "--calls", str(CALLS), *arguments, *extra]


def run(build, variant, delays, *extra):
    server = Server(build, *delays)
    done = subprocess.run(command(build, variant, server, *extra), check=True, timeout=30,
                          capture_output=True, text=True)
    numbers = json.loads(done.stdout)
    numbers["connections"] = server.stop()
    return numbers


def measure(build, runs):
    print(f"{CALLS} calls, lower bound {LOWER_BOUND_MS} ms, medians of {runs} runs\n")
    print("| variant | wall ms | peak RSS MiB | KiB per call | CPU s | connections "
          "| cancel: returned ms | cancel: torn down ms |")
    print("|---|---|---|---|---|---|---|---|")
    for variant in VARIANTS:
        full = [run(build, variant, (50,)) for _ in range(runs)]
        # Polls are held back for 5 s, so the stop request finds every call in a wait.
        cut = [run(build, variant, (50, 5000), "--cancel-after-ms", "300") for _ in range(runs)]
        assert all((r["succeeded"], r["failed"]) == (240, 16) for r in full), full
        assert all(r["cancelled"] == CALLS for r in cut), cut

        def median(rows, key):
            return statistics.median(row[key] for row in rows)

        per_call = statistics.median((r["peak_kib"] - r["baseline_kib"]) / CALLS for r in full)
        print(f"| {variant} | {median(full, 'wall_ms'):.0f} | {median(full, 'peak_kib') / 1024:.1f} "
              f"| {per_call:.0f} | {median(full, 'cpu_s'):.3f} | {median(full, 'connections'):.0f} "
              f"| {median(cut, 'returned_ms'):.1f} | {median(cut, 'torn_down_ms'):.1f} |",
              flush=True)
    for name in ("threads", "coroutines"):
        text = (Path(__file__).parent / f"{name}.cpp").read_text()
        counts = {}
        for part in ("sequence", "support"):
            body = re.search(rf"// \[{part}\]\n(.*?)// \[/{part}\]", text, re.S).group(1)
            counts[part] = sum(1 for line in body.splitlines() if line.strip())
        print(f"{name}.cpp: {counts['sequence']} lines of sequence, {counts['support']} of support")


def stacks(build):
    for variant in ("A coroutines", "B pool + one I/O thread", "C curl_easy per thread"):
        server = Server(build, 50, 8000)
        client = subprocess.Popen(command(build, variant, server, "--calls", "2"),
                                  stdout=subprocess.DEVNULL)
        time.sleep(1)
        gdb = subprocess.run(["gdb", "-batch", "-p", str(client.pid), "-ex", "thread apply all bt"],
                             capture_output=True, text=True, timeout=30)
        client.kill()
        client.wait()
        server.stop()
        print(f"== {variant}")
        for line in gdb.stdout.splitlines():
            if re.match(r"(#\d|Thread)", line):
                print(line[:160])


if __name__ == "__main__":
    build_dir = Path(sys.argv[1]).resolve()
    if sys.argv[2:] == ["stacks"]:
        stacks(build_dir)
    else:
        measure(build_dir, int(sys.argv[2]) if len(sys.argv) > 2 else 7)
