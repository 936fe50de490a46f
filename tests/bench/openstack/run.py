#!/usr/bin/env python3
"""One environment by Bailey and by its peers, one after another on the same cloud.

    run.py --program build/release/bailey --logs FOLDER [--json] [--only NAME,...] [--small]

The OS_* variables name an administrator; OS_AUTH_URL is the internal, plain one. Prints a table, or
with --json one object with every figure and ratio. `scripts/bench openstack` prepares all of it.
"""

import argparse
import json
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import cloud
from bailey import Bailey
from heat import Heat
from plain import Plain
from playbook import Playbook
from report import goal_text, judged, say
from shape import Shape

CONTENDERS = ("plain HTTP", "Bailey", "Heat", "Ansible")
STEPS = ("create", "unchanged", "destroy")
# Bailey's time as a share of the peer's: what is aimed at.
GOALS = {
    ("create", "plain HTTP"): 1.15,
    ("create", "Heat"): 1 / 4,
    ("create", "Ansible"): 1 / 15,
    ("unchanged", "Ansible"): 1 / 50,
}


def measure(contender, shape, traffic):
    figures = {"calls": {}}
    for step in STEPS:
        traffic.since_last()
        began = time.monotonic()
        getattr(contender, step)()
        figures[step] = time.monotonic() - began
        figures["calls"][step] = traffic.since_last()
        say(f"  {step:<10} {figures[step]:8.1f} s   {sum(c for c, _ in figures['calls'][step].values())} calls")
        if step == "create":
            found = cloud.standing(contender.project_name)
            if found != shape.counts():
                sys.exit(f"{contender.name} made {found} instead of {shape.counts()}")
    return figures


def find_image_and_flavor(admin):
    images = admin.session.call("image", "GET", "/images?name=cirros")["images"]
    flavors = admin.session.call("compute", "GET", "/flavors")["flavors"]
    flavor = [each["id"] for each in flavors if each["name"] == "small"]
    if not images or not flavor:
        sys.exit("this cloud has no image cirros or no flavor small")
    return images[0]["id"], flavor[0]


def ratios(results):
    ours = results["Bailey"]
    found = []
    for step in STEPS:
        for peer, figures in results.items():
            if peer == "Bailey":
                continue
            found.append({
                "step": step,
                "peer": peer,
                "bailey_seconds": ours[step],
                "peer_seconds": figures[step],
                **judged(ours[step] / figures[step], GOALS.get((step, peer))),
            })
    return found


def print_table(results, found):
    print(f"{'':<12}" + "".join(f"{step:>14}" for step in STEPS) + f"{'calls':>10}")
    for name, figures in results.items():
        calls = sum(count for count, _ in figures["calls"]["create"].values())
        print(f"{name:<12}" + "".join(f"{figures[step]:>12.1f} s" for step in STEPS) + f"{calls:>10}")
    if found:
        print("\nBailey's time as a share of")
    for each in found:
        print(f"  {each['peer']:<12} {each['step']:<10} {each['ratio']:7.3f}{goal_text(each)}")


def print_calls(results):
    """Where the time of a create goes: what the services say that they spent on each call."""
    ours, plain = results["Bailey"]["calls"]["create"], results["plain HTTP"]["calls"]["create"]
    print("\nCalls of create               " + " " * 44 + "Bailey               plain HTTP")
    for call in sorted(set(ours) | set(plain), key=lambda name: -(ours.get(name, [0, 0])[1] + plain.get(name, [0, 0])[1])):
        (count, took), (peer_count, peer_took) = ours.get(call, [0, 0.0]), plain.get(call, [0, 0.0])
        if took + peer_took >= 0.2:
            print(f"  {call[:66]:<66} {count:>6} {took:>8.2f} s {peer_count:>8} {peer_took:>8.2f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True)
    parser.add_argument("--logs", required=True)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", default=",".join(CONTENDERS), help="some of them, with commas between")
    parser.add_argument("--small", action="store_true", help="a few of everything, to see that it works")
    options = parser.parse_args()
    names = options.only.split(",")
    for name in names:
        if name not in CONTENDERS:
            parser.error(f'--only: there is no "{name}"; there are {", ".join(CONTENDERS)}')

    shape = Shape(2, 2, 2, 2) if options.small else Shape()
    admin = cloud.Administrator()
    image, flavor = find_image_and_flavor(admin)
    traffic = cloud.Traffic(options.logs)
    before = admin.allow_servers(10_000)
    results = {}
    try:
        with tempfile.TemporaryDirectory(prefix="bailey-bench-") as folder:
            for name in names:
                say(name)
                if name == "Bailey":
                    contender = Bailey(admin, shape, image, flavor, folder, options.program)
                elif name == "Ansible":
                    contender = Playbook(admin, shape, image, flavor, folder)
                else:
                    contender = {"plain HTTP": Plain, "Heat": Heat}[name](admin, shape, image, flavor)
                try:
                    results[name] = measure(contender, shape, traffic)
                finally:
                    if name == "Bailey":
                        contender.stop()
    finally:
        admin.restore_servers(before)

    found = ratios(results) if "Bailey" in results else []
    if options.json:
        print(json.dumps({"shape": shape.counts(), "results": results, "ratios": found}))
        return
    print_table(results, found)
    if {"Bailey", "plain HTTP"} <= set(results):
        print_calls(results)


main()
