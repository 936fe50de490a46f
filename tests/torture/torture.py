#!/usr/bin/env python3
"""Kills servers at every point of their work, and looks at what is left. See scripts/torture."""

import argparse
import concurrent.futures
import itertools
import os
import pathlib
import sys
import tempfile
import threading
import time
import traceback

import specs
import stories
import world as worlds

# A cloud that takes its time, so that something is under way when a signal comes.
SLOW = {"rules": [], "latency_ms": {"min": 5, "max": 40}}
LATE = {"rules": [], "visibility_delay_ms": 700}


class Tally:
    """What came of all blows, and the line that says how far it is."""

    def __init__(self, quiet):
        self.lock = threading.Lock()
        self.blows, self.faults, self.began, self.shown = {}, [], time.time(), 0.0
        self.quiet = quiet

    def add(self, story, outcome):
        with self.lock:
            self.blows[story] = self.blows.get(story, 0) + outcome.blows
            for finding in outcome.findings:
                self.faults.append((story, outcome.what, finding))
                print(f"\nFAILED {story}: {outcome.what}: {finding}", flush=True)
            if not self.quiet and time.time() - self.shown > 2:
                self.shown = time.time()
                total = sum(self.blows.values())
                print(f"  {self.shown - self.began:5.0f} s  {total:5d} blows  {story}: {outcome.what}", flush=True)

    def table(self):
        print(f"\n{'story':<14}{'blows':>7}{'orphans':>9}{'lost':>6}{'intents':>9}{'other':>7}")
        for story, blows in self.blows.items():
            count = lambda *words: sum(
                1 for of, _, finding in self.faults if of == story and finding.startswith(words)
            )
            all_of = sum(1 for of, _, _ in self.faults if of == story)
            parts = count("orphan"), count("lost", "recorded"), count("open intent")
            print(f"{story:<14}{blows:>7}{parts[0]:>9}{parts[1]:>6}{parts[2]:>9}{all_of - sum(parts):>7}")
        print(f"{sum(self.blows.values())} blows in {time.time() - self.began:.0f} s, {len(self.faults)} failures")


def jobs_of(options):
    """(story, names of the world's resources, how its world is made, what is done there)."""
    jobs = []
    wanted = lambda story: not options.only or story in options.only
    build = dict(faults=None)
    if wanted("kill"):
        for group in chunks(options.resources, options.chunk):
            jobs.append(("kill", specs.ALL, build, each_of(stories.kill_at_every_point, group, options)))
    if wanted("environment"):
        jobs.append(("environment", specs.FEW, build, lambda w: stories.kill_whole_environment(w, options.limit_environment)))
    if wanted("cut"):
        for group in chunks(options.resources, options.chunk):
            jobs.append(("cut", specs.ALL, build, each_of(stories.cut_every_answer, group, options)))
    for part, seed in shares(options.pairs, options.parts, options.seed) if wanted("pair") else ():
        jobs.append(("pair", specs.ALL, build, lambda w, part=part, seed=seed: stories.kill_twice(w, part, seed)))
    for part, seed in shares(options.late, 2, options.seed) if wanted("late") else ():
        late = dict(faults=LATE, grace=2)
        jobs.append(("late", specs.FEW, late, lambda w, part=part, seed=seed: stories.kill_twice(w, part, seed)))
    for part, seed in shares(options.halts, options.halting, options.seed) if wanted("halt") else ():
        slow = dict(faults=SLOW, lease=options.lease)
        jobs.append(("halt", specs.FEW_NETWORKED, slow, lambda w, part=part, seed=seed: stories.halt_holders(w, part, seed)))
    for part, seed in shares(options.terms, 2, options.seed) if wanted("terminate") else ():
        slow = dict(faults=SLOW)
        jobs.append(("terminate", specs.FEW_NETWORKED, slow, lambda w, part=part, seed=seed: stories.terminate(w, part, seed)))
    return jobs


def chunks(items, size):
    return [items[at : at + size] for at in range(0, len(items), size)]


def shares(total, parts, seed):
    """`total` blows over some worlds, each with a seed of its own."""
    parts = max(1, min(parts, total)) if total else 0
    return [(total // parts + (number < total % parts), seed * 1000 + number) for number in range(parts)]


def each_of(story, names, options):
    return lambda world: itertools.chain.from_iterable(
        story(world, name, options.limit, options.every) for name in names
    )


def play(job, number, folder, tally, keep):
    story, names, making, blows = job
    world = worlds.World(folder / f"{story}-{number}", names, **making)
    try:
        if story in ("kill", "cut", "pair", "late"):
            world.must_run()
        for outcome in blows(world):
            tally.add(story, outcome)
    except Exception as error:  # One broken world must not hide what the others find.
        words = str(error) if isinstance(error, worlds.Broken) else traceback.format_exc()
        tally.add(story, stories.Outcome(f"world {number}", [words], blows=0))
    finally:
        world.close()


def parse(arguments):
    parser = argparse.ArgumentParser(prog="scripts/torture", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a little of everything, for every commit")
    parser.add_argument("--only", action="append", help="kill, environment, cut, pair, late, halt or terminate; may repeat")
    parser.add_argument("--resource", action="append", help="kill and cut these alone: network-0")
    parser.add_argument("--pairs", type=int, metavar="N", help="kills in a row (2000)")
    parser.add_argument("--late", type=int, metavar="N", help="the same in a cloud that shows late what was made (100)")
    parser.add_argument("--halts", type=int, metavar="N", help="holders stopped beyond their lease (200)")
    parser.add_argument("--terms", type=int, metavar="N", help="servers asked to end (50)")
    parser.add_argument("--limit", type=int, metavar="N", help="points of each step (all)")
    parser.add_argument("--every", type=int, metavar="N", help="kill at every N-th point of a resource, others at the next (2)")
    parser.add_argument("--lease", type=int, default=6, metavar="SECONDS", help="of the holders that are stopped (6)")
    parser.add_argument("--seed", type=int, default=1, help="of everything random (1)")
    parser.add_argument("--jobs", type=int, default=2, help="worlds at once (2)")
    parser.add_argument("--halting", type=int, default=8, metavar="N", help="worlds at once where holders are stopped (8)")
    parser.add_argument("--keep", action="store_true", help="leave the worlds' folders")
    options = parser.parse_args(arguments)
    short = {"pairs": 24, "late": 4, "halts": 4, "terms": 4, "limit": 8, "every": 1}
    long = {"pairs": 2000, "late": 100, "halts": 200, "terms": 50, "limit": None, "every": 2}
    for name, value in (short if options.short else long).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    options.resources = options.resource or (["network-0", "secret-1"] if options.short else specs.ALL)
    options.limit_environment = 20 if options.short else None
    options.chunk = 1 if options.short else 5
    options.parts = 2 if options.short else 8
    return options


def main(arguments):
    options = parse(arguments)
    if not worlds.PROGRAM:
        sys.exit("BAILEY_TORTURE names no program; scripts/torture builds it.")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bailey-torture-"))
    tally = Tally(quiet=options.short)
    jobs = jobs_of(options)
    halting = [job for job in jobs if job[0] == "halt"]
    working = [job for job in jobs if job[0] != "halt"]
    # Stopped holders cost time and hardly any work: they run beside the others.
    with concurrent.futures.ThreadPoolExecutor(options.halting) as idle, concurrent.futures.ThreadPoolExecutor(
        options.jobs
    ) as busy:
        waiting = [idle.submit(play, job, number, folder, tally, options.keep) for number, job in enumerate(halting)]
        waiting += [busy.submit(play, job, number, folder, tally, options.keep) for number, job in enumerate(working)]
        for each in waiting:
            each.result()
    tally.table()
    if options.keep or tally.faults:
        print(f"The worlds are in {folder}")
    else:
        os.system(f"rm -rf {folder}")
    return 1 if tally.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
