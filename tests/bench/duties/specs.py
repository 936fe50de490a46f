"""Organizations of any size, as people write them: all of it valid, one file for each 2,000 people.

    teams    forty people a project: authors, release managers, security, operations, a build service
    deep     the same, each group eight groups deep and each service behind three others
    everyone every project is written and approved by groups of its own that hold everybody: as many
             standings as people times projects, which nobody would want, and no goal is set for
"""

import base64

SHAPES = ("teams", "deep", "everyone")
TEAM = 40
STAGES = (("dev", "development"), ("test", "test"), ("staging", "staging"), ("production", "production"))
PEOPLE_IN_A_FILE = 2_000

HEAD = """\
apiVersion: bailey/v1
kind: Organization
metadata: {name: bench}
spec: {administrators: {members: [p0, p1, p2], approvals: 2}}
---
apiVersion: bailey/v1
kind: Account
metadata: {name: cloud}
spec: {provider: openstack, classes: [development, test, staging], endpoint: "http://127.0.0.1:5000/v3", credential: {env: A}}
---
apiVersion: bailey/v1
kind: Account
metadata: {name: cloud-production}
spec: {provider: openstack, classes: [production], endpoint: "http://127.0.0.1:5000/v3", credential: {env: B}}
---
apiVersion: bailey/v1
kind: Template
metadata: {name: web}
spec:
  provider: openstack
  artifacts: [web]
  resources:
    net: {type: network, cidr: 10.20.0.0/24}
  roles:
    developer: {powers: [read, request, operate], grants: [member]}
    approver: {powers: [read, approve], grants: [reader]}
    deployer: {powers: [read, request, deploy], grants: [member]}
    operator: {powers: [read, operate], grants: [member]}
"""


# Ed25519 (RFC 8032, 5.1): the field, the curve's constant and its base point.
FIELD = 2**255 - 19
CURVE = -121665 * pow(121666, -1, FIELD) % FIELD
BASE = (15112221349535400772501151409588531511454012693041857206046113283949847762202,
        46316835694926478169428394003475163141307993866256225615783033603165251855960)


def points():
    """The multiples of the base point: as many different keys as one likes, and all of them good."""
    x, y = BASE
    while True:
        yield x, y
        slope = CURVE * x * BASE[0] * y * BASE[1] % FIELD
        x, y = ((x * BASE[1] + y * BASE[0]) * pow(1 + slope, -1, FIELD) % FIELD,
                (y * BASE[1] + x * BASE[0]) * pow(1 - slope, -1, FIELD) % FIELD)


def keys():
    for x, y in points():
        point = (y | (x & 1) << 255).to_bytes(32, "little")
        blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + point
        yield "ssh-ed25519 " + base64.b64encode(blob).decode()


def directory(n, people, services, groups):
    lines = ["apiVersion: bailey/v1", "kind: Directory", f"metadata: {{name: part-{n}}}", "spec:"]
    for title, entries in (("people", people), ("services", services), ("groups", groups)):
        if entries:
            lines.append(f"  {title}:")
            lines += [f"    {name}: {value}" for name, value in entries]
    return "\n".join(lines) + "\n"


def nested(name, members, depth):
    """A group that holds a group that holds ... `members`."""
    groups = [(name if i == 0 else f"{name}-{i}", f"[group:{name}-{i + 1}]") for i in range(depth)]
    return groups + [(name if depth == 0 else f"{name}-{depth}", f"[{', '.join(members)}]")]


def project(n):
    text = f"""\
apiVersion: bailey/v1
kind: Project
metadata: {{name: t{n}}}
spec:
  artifacts: {{web: {{repository: "127.0.0.1:5001/t{n}/web"}}}}
  authors: [group:t{n}-devs]
  stages: [{', '.join(f't{n}-{stage}' for stage, _ in STAGES)}]
"""
    before = None
    for stage, name in STAGES:
        production = stage == "production"
        text += f"""\
---
apiVersion: bailey/v1
kind: Environment
metadata: {{name: t{n}-{stage}}}
spec:
  project: t{n}
  class: {name}
  account: {'cloud-production' if production else 'cloud'}
  template: web
  bindings:
    deployer: [service:t{n}-ci]
"""
        if stage == "dev":
            text += f"    developer: [group:t{n}-devs]\n"
        if stage in ("staging", "production"):
            text += f"    approver: [group:t{n}-managers, group:t{n}-security]\n"
        if production:
            text += f"  grantable: {{operator: {{to: [group:t{n}-ops], approvals: 1, ttl: 2h}}}}\n"
        if before:
            text += f"  gate:\n    - verified: {{in: t{n}-{before}}}\n"
        if stage == "staging":
            text += f"    - approvals: {{rules: [{{from: group:t{n}-managers}}]}}\n"
        if production:
            text += f"    - approvals: {{rules: [{{from: group:t{n}-managers}}, {{from: group:t{n}-security, count: 2}}]}}\n"
            text += f'    - evidence: {{type: "urn:bailey:authorship:v1", signedBy: [service:t{n}-ci]}}\n'
        before = stage
    text += f"""\
---
apiVersion: bailey/v1
kind: Duties
metadata: {{name: t{n}}}
spec:
  exclusive:
    - {{name: t{n}-author, holds: [author@t{n}, operate@t{n}-production]}}
    - {{name: t{n}-approver, holds: [approve@t{n}-production, deploy@t{n}-production]}}
  flows:
    - {{from: t{n}-staging, to: t{n}-production, what: reference data}}
"""
    return text


def write(shape, people, folder):
    """Writes it, and gives the number of environments and of bytes."""
    teams = people // TEAM
    everyone = [f"p{i}" for i in range(people)]
    depth = 8 if shape == "deep" else 0
    services = []
    groups = []
    fresh = keys()
    if shape == "everyone":
        # A tree, since no list of a spec should hold ten thousand names.
        for n in range(teams):
            groups.append((f"all-{n}", f"[{', '.join(everyone[n * TEAM:(n + 1) * TEAM])}]"))
        groups.append(("all", f"[{', '.join(f'group:all-{n}' for n in range(teams))}]"))
    for n in range(teams):
        mine = everyone[n * TEAM:(n + 1) * TEAM]
        parts = {"devs": mine[:28], "managers": mine[28:32], "security": mine[32:36], "ops": mine[36:38], "platform": mine[38:]}
        if shape == "everyone":
            parts.update(devs=["group:all"], managers=["group:all"], security=["group:all"])
        for part, members in parts.items():
            groups += nested(f"t{n}-{part}", members, depth)
        behind = f"group:t{n}-platform"
        if shape == "deep":
            for i in range(3):
                services.append((f"t{n}-runner-{i}", f"{{controlledBy: [{behind}]}}"))
                behind = f"service:t{n}-runner-{i}"
        services.append((f"t{n}-ci", f"{{controlledBy: [{behind}], keys: [\"{next(fresh)}\"]}}"))
    entries = [(name, f'{{email: {name}@bench.example, keys: ["{next(fresh)}"]}}') for name in everyone]
    texts = {"organization.yaml": HEAD}
    for part, each in (("people", entries), ("services", services), ("groups", groups)):
        for at in range(0, len(each), PEOPLE_IN_A_FILE):
            chosen = {"people": [], "services": [], "groups": []}
            chosen[part] = each[at:at + PEOPLE_IN_A_FILE]
            texts[f"{part}-{at}.yaml"] = directory(f"{part}-{at}", **chosen)
    for n in range(teams):
        texts[f"project-{n}.yaml"] = project(n)
    for name, text in texts.items():
        (folder / name).write_text(text)
    return teams * len(STAGES), sum(len(text) for text in texts.values())
