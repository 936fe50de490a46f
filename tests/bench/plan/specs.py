"""Specs of any size, as people write them: one folder of files, all of it valid.

    files     a project, a template of 1,000 named resources and an environment in each file
    template  one template with all of them by name: 10,000 are what the format's limits allow
    count     one template with few names and large counts, at most 1,000 each
"""

SHAPES = ("files", "template", "count")
MOST_NAMED = 10_000
NAMED_IN_A_FILE = 1_000

HEAD = """\
apiVersion: bailey/v1
kind: Directory
metadata: {name: bench}
spec:
  people: {alice: {email: alice@bench.example}}
  groups: {team: [alice]}
---
apiVersion: bailey/v1
kind: Organization
metadata: {name: bench}
spec: {administrators: {members: [alice], approvals: 1}}
---
apiVersion: bailey/v1
kind: Account
metadata: {name: cloud}
spec:
  provider: openstack
  classes: [development]
  endpoint: http://127.0.0.1:5000/v3
  region: RegionOne
  credential: {env: BENCH_CREDENTIAL}
"""

AROUND = """\
apiVersion: bailey/v1
kind: Project
metadata: {{name: p{n}}}
spec: {{authors: [group:team], stages: [e{n}]}}
---
apiVersion: bailey/v1
kind: Environment
metadata: {{name: e{n}}}
spec:
  project: p{n}
  class: development
  account: cloud
  template: t{n}
  bindings: {{developer: [group:team]}}
---
apiVersion: bailey/v1
kind: Template
metadata: {{name: t{n}}}
spec:
  provider: openstack
  parameters:
    flavor: {{type: string, default: small}}
    image: {{type: string, default: cirros}}
  roles:
    developer: {{powers: [read, request, operate], grants: [member]}}
  resources:
"""

SERVER = """\
    server-{i}:
      type: server
      flavor: ${{parameter.flavor}}
      image: ${{parameter.image}}
      network: ${{resource.net-{base}}}
      securityGroups: ["${{resource.group-{base}}}"]
      metadata: {{app: web, password: "${{resource.secret-{base}.ref}}"}}
"""


def named(first, count):
    """Ten at a time: a network, a group, a secret and seven servers that use them."""
    out = []
    for i in range(first, first + count):
        base = i - i % 10
        if i % 10 == 0:
            out.append(f"    net-{i}: {{type: network, cidr: 10.20.0.0/24}}\n")
        elif i % 10 == 1:
            out.append(f"    group-{base}:\n      type: security-group\n"
                       "      ingress: [{protocol: tcp, port: 443, from: 0.0.0.0/0}]\n")
        elif i % 10 == 2:
            out.append(f"    secret-{base}: {{type: secret, generate: {{length: 32}}}}\n")
        else:
            out.append(SERVER.format(i=i, base=base))
    return "".join(out)


def lean(count):
    """As many as fit into one file: 100,000 values and 1 MiB."""
    out = ["    net: {type: network, cidr: 10.20.0.0/24}\n"]
    for i in range(1, count):
        if i % 2:
            out.append(f"    key-{i}: {{type: secret, generate: {{length: 32}}}}\n")
        else:
            out.append(f'    web-{i}: {{type: server, flavor: a, image: b, network: "${{resource.net}}"}}\n')
    return "".join(out)


def counted(count):
    """Blocks of a thousand: a network, a group, a secret and the servers by their number."""
    out = []
    for block, first in enumerate(range(0, count, 1000)):
        servers = min(1000, count - first) - 3
        base = block * 10
        out.append(named(base, 3))
        text = SERVER.format(i=base, base=base)
        out.append(text.replace("type: server\n", f"type: server\n      count: {servers}\n"))
    return "".join(out)


def write(shape, count, folder):
    """Returns the bytes that were written."""
    texts = {"bench.yaml": HEAD}
    if shape == "files":
        for n, first in enumerate(range(0, count, NAMED_IN_A_FILE)):
            size = min(NAMED_IN_A_FILE, count - first)
            texts[f"e{n}.yaml"] = AROUND.format(n=n) + named(first, size)
    elif shape == "template":
        texts["e0.yaml"] = AROUND.format(n=0) + lean(count)
    else:
        texts["e0.yaml"] = AROUND.format(n=0) + counted(count)
    for name, text in texts.items():
        (folder / name).write_text(text)
    return sum(len(text) for text in texts.values())
