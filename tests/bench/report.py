"""What the benches say alike: progress for people, and what was measured against what it is held to."""

import sys


def say(text):
    print(text, file=sys.stderr, flush=True)


def judged(ratio, goal):
    """A ratio, and whether it is what is aimed at."""
    return {"ratio": ratio, "goal": goal, "met": None if goal is None else ratio <= goal}


def held(ours, peer, goal):
    """A figure beside its peer or bound."""
    return {"bailey": ours, "peer": peer, **judged(ours / peer, goal)}


def goal_text(found):
    if found["goal"] is None:
        return ""
    return f"  goal {found['goal']:.3g}: {'met' if found['met'] else 'missed'}"
