"""What is done to the servers. Each story is a generator of Outcome, one for each blow."""

import dataclasses
import datetime
import random
import signal
import time

import specs
from world import LEASE_LOST, Broken

STEPS = ["destroy", "create", "change", "change-again"]
VERSION = {"create": 1, "change": 2, "change-again": 3}


@dataclasses.dataclass
class Outcome:
    what: str  # How to name it: `network-0 create 7`.
    findings: list
    blows: int = 1


def verified(world, what, ended, blows=1):
    return Outcome(what, ended.findings() + world.differences(), blows)


def prepare(world, name, step):
    if step == "destroy":
        world.versions.pop(name, None)
    else:
        world.versions[name] = VERSION[step]


def still_needed(left):
    """The steps of the next round: to end it, it must be made; to make it, it must be ended."""
    if left & {"change", "change-again"}:
        return STEPS
    return ["destroy", "create"] if left else []


def resumed(world, flags=()):
    """The next server, once the dead one's lease has run out."""
    world.lease_runs_out()
    return world.run(*flags)


def kill_at_every_point(world, name, limit=None, every=1):
    """Kills at the first point of each step, then at the second, ... until there is none left. With
    `every`, at so many-th a part of the points: others of the next resource."""
    left, point = set(STEPS), 1 + specs.ALL.index(name) % every - every
    while left and (limit is None or point < limit):
        point += every
        for step in still_needed(left):
            prepare(world, name, step)
            if step not in left:
                world.must_run()
                continue
            ended = world.run("--die", point, "--from-first-intent")
            if ended.killed:
                yield verified(world, f"{name} {step} {point}", resumed(world))
                continue
            left.discard(step)
            if ended.findings():
                yield verified(world, f"{name} {step} without a blow", ended, blows=0)
    if left and limit is None:
        raise Broken(f"{name}: there seems to be no end of points")
    world.versions[name] = 1
    world.must_run()


def kill_whole_environment(world, limit=None):
    """Boundary, identities, credentials, claim and end: an environment from nothing and back."""
    left, point = {"make", "end"}, 0
    while left and (limit is None or point < limit):
        point += 1
        for step, flags in (("make", ()), ("end", ("--destroy", specs.ENVIRONMENT))):
            if step not in left:
                world.must_run(*flags)
                continue
            ended = world.run("--die", point, *flags)
            if ended.killed:
                yield verified(world, f"environment {step} {point}", resumed(world, flags))
                continue
            left.discard(step)
            if ended.findings():
                yield verified(world, f"environment {step} without a blow", ended, blows=0)


def cut_every_answer(world, name, limit=None, every=1):
    """The cloud acted and its answer is lost; the same server has to find out. There are so few
    answers that `every` leaves none out."""
    left, point = set(STEPS), 0
    while left and (limit is None or point < limit):
        point += 1
        for step in still_needed(left):
            prepare(world, name, step)
            if step not in left:
                world.must_run()
                continue
            ended = world.run("--cut", point, "--from-first-intent")
            if ended.said and not ended.struck:
                left.discard(step)
            yield verified(world, f"{name} {step} {point}", ended, blows=int(ended.struck))
    world.versions[name] = 1
    world.must_run()


def kill_twice(world, count, seed):
    """The second server dies while it takes up what the first one left."""
    dice = random.Random(seed)
    names = sorted(world.versions)
    done = 0
    while done < count:
        name = dice.choice(names)
        for step in STEPS:
            prepare(world, name, step)
            first, second = dice.randint(1, 12), dice.randint(1, 16)
            if not world.run("--die", first, "--from-first-intent").killed:
                continue
            struck = resumed(world, ("--die", second)).killed
            last = resumed(world) if struck else world.run()
            done += int(struck)
            yield verified(world, f"{name} {step} {first}+{second}", last, blows=int(struck))
            if done >= count:
                break
        world.versions[name] = 1
        world.must_run()


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def is_change(method, path):
    return method not in ("GET", "HEAD") and not path.endswith("/auth/tokens")


def commits(world, name):
    """A server's writes: when each became durable, in seconds, and what it was."""
    file = world.folder / f"points-{name}"
    for line in file.read_text().splitlines() if file.exists() else []:
        _, when, kind, label = line.split(" ", 3)
        if kind == "committed":
            yield int(when) / 1e6, label


def lease_writes(world, name):
    return [when for when, label in commits(world, name) if "put setting lease/" in label]


def trespasses(world, holder, taken):
    """What a holder did without its lease: `taken` is when the heir took it, or nothing."""
    renewed = lease_writes(world, holder)
    for when, who, method, path in world.requests():
        moment_sent = when / 1e6
        if who != holder or not is_change(method, path):
            continue
        if not any(each <= moment_sent <= each + world.lease for each in renewed):
            yield f"the old holder sent without a lease: {method} {path}"
        if taken and moment_sent > taken:
            yield f"the old holder sent {moment_sent - taken:.3f} s after it was relieved: {method} {path}"
    for when, label in commits(world, holder):
        if taken and when > taken:
            yield f"the old holder wrote {when - taken:.3f} s after it was relieved: {label}"


def is_stopped(process):
    """Waits until the process is stopped, or has ended by itself."""
    while process.poll() is None:
        with open(f"/proc/{process.pid}/stat", encoding="utf-8") as stat:
            if stat.read().rpartition(")")[2].split()[0] == "T":
                return True
        time.sleep(0.01)
    return False


def halt_holder(world, dice, what, flags):
    """Stops the lease's holder for twice its lease, while another server takes over, and wakes it."""
    at_point = dice.random() < 0.5
    points = lambda: ("--points", world.folder / f"points-server-{world.started + 1}")
    halt = ("--halt", dice.randint(2, 60)) if at_point else ()
    holder, holders_name = world.start(*flags, *halt, *points()), f"server-{world.started}"
    if not at_point:
        time.sleep(dice.uniform(0.2, 1.5))
        holder.send_signal(signal.SIGSTOP)
    lease = world.lease_of() if is_stopped(holder) else None
    if not lease or not lease["holder"]:
        # It had come to its end, or was between two changes.
        holder.send_signal(signal.SIGCONT)
        return Outcome(what, world.wait(holder).findings(), blows=0)
    over, wake = moment(lease["expires_at"]), time.time() + 2 * world.lease
    early = dice.random() < 0.5  # The heir has done its work when the holder wakes, or is at it.
    world.wait_until(over if early else wake - dice.uniform(0.2, 1.0))
    heir = world.start(*flags, *points())
    world.wait_until(wake)
    holder.send_signal(signal.SIGCONT)
    old, new = world.wait(holder), world.wait(heir)
    taken = min(lease_writes(world, f"server-{world.started}"), default=None)
    findings = new.findings() + world.differences() + list(trespasses(world, holders_name, taken))
    if taken and old.code != LEASE_LOST:
        findings.append(f"the old holder ended with {old.code}: {old.errors or old.said}")
    return Outcome(what, findings + ([] if taken else old.findings()))


def back_and_forth(world):
    """An environment is made, destroyed, made, ...: the flags of each server, for ever."""
    while True:
        yield "make", ()
        yield "end", ("--destroy", specs.ENVIRONMENT)


def halt_holders(world, count, seed):
    dice = random.Random(seed)
    done = 0
    for number, (step, flags) in enumerate(back_and_forth(world), 1):
        outcome = halt_holder(world, dice, f"halt {step} {seed}/{number}", flags)
        done += outcome.blows
        yield outcome
        world.must_run(*flags)
        if done >= count:
            return


def terminate(world, count, seed):
    """SIGTERM: what is in flight is finished and written down, the lease is given back."""
    dice = random.Random(seed)
    for number, (step, flags) in enumerate(back_and_forth(world), 1):
        if number > count:
            return
        server = world.start(*flags)
        time.sleep(dice.uniform(0.05, 1.5))
        server.send_signal(signal.SIGTERM)
        ended = world.wait(server)
        what = f"terminate {step} {seed}/{number}"
        findings = [] if ended.code == 0 else [f"ended with {ended.code}: {ended.errors}"]
        lease = world.lease_of() if world.database.exists() else None
        if lease and lease["holder"]:
            findings.append("the lease was not given back")
        if world.database.exists():
            findings += [each for each in world.differences() if each.startswith("open intent")]
        yield Outcome(what, findings + world.run(*flags).findings() + world.differences())
