#!/usr/bin/python3
"""Removes and inverts every condition of the policy, one at a time, and looks which test notices.

    mutate.py [--build FOLDER] [--sample N] [--only TEXT] [--jobs N] [--list]

The conditions are found by clang in the files of POLICY: of if, while, for and ?:, the sides of && and
||, comparisons, what a predicate returns and what a bool is set to. Each becomes always true, always
false, and its opposite. A copy of the sources in which an environment variable chooses among them is
compiled once and linked into the unit tests in place of the original. Every mutant must be noticed,
apart from those in equivalent.txt, each of which has its reason there. Needs the preset `ci` built.
"""

import argparse
import json
import os
import random
import re
import shlex
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from conditions import find_conditions, switched  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(sys.argv[sys.argv.index("--build") + 1] if "--build" in sys.argv else ROOT / "build/ci")
OUT = BUILD / "mutants"
CLANG = "/usr/lib/llvm-14/lib/clang/14.0.6"
EQUIVALENT = Path(__file__).parent / "equivalent.txt"

POLICY = [
    "orchestrator/model/quorum.cpp",
    "orchestrator/model/standing.cpp",
    "orchestrator/model/directory.cpp",
    "orchestrator/model/rights.cpp",
    "orchestrator/promote/evidence/approval_statement.cpp",
    "orchestrator/promote/evidence/dsse.cpp",
    "orchestrator/promote/evidence/receipt_verifier.cpp",
    "orchestrator/promote/evidence/signed_statement.cpp",
    "orchestrator/promote/gate/approvers.cpp",
    "orchestrator/promote/gate/decisions.cpp",
    "orchestrator/promote/gate/gate_evaluator.cpp",
    "orchestrator/promote/gate/standing_decisions.cpp",
    "orchestrator/promote/gate/window.cpp",
    "orchestrator/serve/identity/powers.cpp",
    "orchestrator/serve/engine/decide_change.cpp",
    "orchestrator/serve/engine/judge.cpp",
]
# The quick ones first: most mutants go no further.
TESTS = ["unit_model", "unit_gate", "unit_evidence", "unit_identity", "unit_engine"]
# What says nothing about the policy, or says it slowly.
LEFT_OUT = re.compile(r"^(RealRegistry|Drift|ImportEnvironment|Sandboxes|Progress|HandOut|Interleavings)")
# Asked only about what no quicker one has noticed.
SLOW_SECONDS = 3


def run(command, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    if done.returncode != 0:
        raise SystemExit(f"{command}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def clang_arguments(command):
    words = shlex.split(command)
    keep = [w for w in words if re.match(r"^-(I|D|std|isystem)", w)]
    return [*keep, "-xc++", "-working-directory", str(BUILD), "-resource-dir", CLANG]


def prepare():
    """All conditions; and of each file its layer, and a compiled copy in which they can be switched."""
    commands = {e["file"]: e["command"] for e in json.loads((BUILD / "compile_commands.json").read_text())}
    conditions, objects, jobs = [], [], []
    with ProcessPoolExecutor() as pool:
        read = list(pool.map(find_conditions, POLICY, [str(ROOT / name) for name in POLICY],
                             [clang_arguments(commands[str(ROOT / name)]) for name in POLICY]))
    for name, (source, found) in zip(POLICY, read):
        command = commands[str(ROOT / name)]
        for condition in found:
            condition.number = len(conditions)
            conditions.append(condition)
        copy = OUT / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        text = '#include "tests/mutation/mutant.hpp"\n' + switched(source, found)
        if not copy.exists() or copy.read_text() != text:
            copy.write_text(text)
        words = [w for w in shlex.split(command) if not re.match(r"^-(O\d|g|W|f?sanitize)", w)]
        at = words.index("-o")
        layer = re.match(r"CMakeFiles/(\w+)\.dir/", words[at + 1]).group(1)
        words[at + 1] = f"{copy}.o"
        objects.append((layer, words[at + 1]))
        words[words.index("-c") + 1] = str(copy)
        needs = max(copy.stat().st_mtime, (BUILD / f"lib{layer}.a").stat().st_mtime)
        made = Path(words[at + 1])
        if not made.exists() or made.stat().st_mtime < needs:
            jobs.append(words + ["-O1", "-w"])
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda words: run(words, cwd=BUILD), jobs))
    return conditions, objects


def link(objects):
    """The unit tests, each with the copies of those layers that it links."""
    programs = []
    for test in TESTS:
        command = run(["ninja", "-C", str(BUILD), "-t", "commands", test]).strip().splitlines()[-1]
        program = OUT / test
        mine = [copy for layer, copy in objects if f"lib{layer}.a" in command]
        command = re.sub(r" -o \S+", lambda _: f" {' '.join(mine)} -o {program}", command, 1)
        run(command, shell=True, cwd=BUILD)
        programs.append(program)
    return programs


class Suite:
    def __init__(self, program, name):
        self.program, self.name = program, name
        log = OUT / "reached" / f"{program.name}.{name.replace('/', '_')}"
        log.unlink(missing_ok=True)
        began = time.monotonic()
        done = subprocess.run([program, f"--gtest_filter={name}.*"], capture_output=True, text=True,
                              env={**os.environ, "BAILEY_REACHED": str(log)})
        if done.returncode != 0:
            raise SystemExit(f"{program.name} {name} fails without any mutant:\n{done.stdout[-3000:]}")
        self.seconds = time.monotonic() - began
        self.reached = set(map(int, log.read_text().split())) if log.exists() else set()


def suites_of(programs, jobs):
    (OUT / "reached").mkdir(exist_ok=True)
    names = []
    for program in programs:
        for line in run([program, "--gtest_list_tests"]).splitlines():
            if re.match(r"^\w\S*\.", line) and not LEFT_OUT.match(line):
                names.append((program, line.split(".")[0]))
    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(lambda each: Suite(*each), names))


def survives(number, mode, suites):
    """Whether no test notices; a program that hangs or dies has noticed."""
    reaching = sorted((s for s in suites if number in s.reached), key=lambda s: s.seconds)
    for program, slow in [(p, slow) for slow in (False, True) for p in dict.fromkeys(s.program for s in suites)]:
        mine = [s for s in reaching if s.program == program and (s.seconds > SLOW_SECONDS) == slow]
        if not mine:
            continue
        limit = 10 + 5 * sum(s.seconds for s in mine)
        try:
            done = subprocess.run(
                [program, "--gtest_filter=" + ":".join(f"{s.name}.*" for s in mine), "--gtest_fail_fast",
                 "--gtest_brief=1"], capture_output=True, timeout=limit,
                env={**os.environ, "BAILEY_MUTANT": f"{number}:{mode}"})
        except subprocess.TimeoutExpired:
            return False
        if done.returncode != 0:
            return False
    return True


def known_equivalents():
    known = {}
    if not EQUIVALENT.exists():
        return known
    for line in EQUIVALENT.read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        key, _, reason = line.partition(" | ")
        if not reason.strip():
            raise SystemExit(f"{EQUIVALENT}: no reason is given for: {key}")
        known[key.strip()] = reason.strip()
    return known


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", help="the build folder of the preset ci")
    parser.add_argument("--sample", type=int, default=0, help="this many mutants, chosen anew by the day")
    parser.add_argument("--only", default="", help="conditions whose file, function or text has this in it")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--list", action="store_true", help="only tell what would be done")
    chosen = parser.parse_args()
    began = time.monotonic()
    conditions, objects = prepare()
    mutants = [(c, mode) for c in conditions for mode in c.modes if chosen.only in c.key(mode)]
    total = len(mutants)
    if chosen.list:
        for condition, mode in mutants:
            print(condition.key(mode))
        return 0
    if chosen.sample and chosen.sample < total:
        mutants = random.Random(time.strftime("%Y-%m-%d")).sample(mutants, chosen.sample)
    suites = suites_of(link(objects), chosen.jobs)
    print(f"{len(conditions)} conditions in {len(POLICY)} files, {total} mutants, {len(mutants)} of them tried "
          f"by {len(suites)} suites (ready after {time.monotonic() - began:.0f} s)", flush=True)
    equivalent = known_equivalents()
    outcomes = []
    with ThreadPoolExecutor(chosen.jobs) as pool:
        for (condition, mode), survived in zip(
            mutants, pool.map(lambda m: survives(m[0].number, m[1], suites), mutants)
        ):
            outcomes.append(survived)
            if survived and condition.key(mode) not in equivalent:
                print(f"not noticed: {condition.key(mode)}", flush=True)
            if len(outcomes) % 100 == 0:
                print(f"  {len(outcomes)} of {len(mutants)} after {time.monotonic() - began:.0f} s", flush=True)
    alive = [c.key(mode) for (c, mode), survived in zip(mutants, outcomes) if survived]
    unknown = [key for key in alive if key not in equivalent]
    every = {c.key(mode) for c in conditions for mode in c.modes}
    stale = [key for key in equivalent if key not in every]
    stale += [c.key(mode) for (c, mode), survived in zip(mutants, outcomes)
              if not survived and c.key(mode) in equivalent]
    for key in stale:
        print(f"equivalent.txt lists what is noticed, or is not there: {key}")
    print(f"{len(mutants) - len(alive)} mutants noticed, {len(alive) - len(unknown)} equivalent for a reason, "
          f"{len(unknown)} not noticed; {time.monotonic() - began:.0f} s")
    return 1 if unknown or stale else 0


if __name__ == "__main__":
    sys.exit(main())
