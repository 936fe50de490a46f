"""The environments that are tortured: what is declared, and how each resource can change."""

import base64
import json
import struct

ENVIRONMENT = "torture-dev"
GRACE = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAII7OvVXwQ+Zkt9afff/bnTyexxb8TVKo1ph3eHiHYZxe grace"

COUNTS = {
    "network": 6,
    "router": 2,
    "security-group": 6,
    "secret": 6,
    "volume": 6,
    "server": 6,
    "keypair": 2,
    "server-group": 2,
    "container": 2,
    "zone": 1,
    "quota": 1,
}


def public_key(number):
    parts = b"ssh-ed25519", bytes([number]) * 32
    blob = b"".join(struct.pack(">I", len(part)) + part for part in parts)
    return "ssh-ed25519 " + base64.b64encode(blob).decode()


def network(number, version):
    third = number if version < 3 else 100 + number
    return {"cidr": f"10.40.{third}.0/24", "description": f"net {min(version, 2)}"}


def router(number, version):
    return {"networks": ["${resource.network-%d}" % (4 + number)], "description": f"router {version}"}


def security_group(number, version):
    return {"ingress": [{"protocol": "tcp", "port": 1000 + number * 10 + version, "from": "10.0.0.0/8"}]}


def secret(number, version):
    return {"generate": {"length": 20 + number + version}}


def volume(number, version):
    size = {1: 10, 2: 12, 3: 5}[version]
    return {"size": size, "description": f"disk {number}", "metadata": {"version": str(min(version, 2))}}


def server(number, version):
    spec = {
        "flavor": "small",
        "image": "cirros",
        "network": "${resource.network-%d}" % (number % 3),
        "securityGroups": ["${resource.security-group-%d}" % (number % 3)],
        "userData": "#!/bin/sh\necho %d\n" % max(version, 2),
        "metadata": {"version": str(min(version, 2))},
    }
    if number < 2:
        spec["volumes"] = ["${resource.volume-%d}" % number]
    if number == 0:
        spec["keypair"] = "${resource.keypair-0}"
        spec["metadata"]["password"] = "${resource.secret-0.ref}"
    if number == 1:
        spec["serverGroup"] = "${resource.server-group-0}"
    return spec


def keypair(number, version):
    return {"publicKey": public_key(10 * number + version)}


def server_group(number, version):
    return {"policy": ["soft-anti-affinity", "soft-affinity", "anti-affinity"][version - 1]}


def container(number, version):
    return {"metadata": {"version": str(version)}}


def zone(number, version):
    name = "one" if version < 3 else "two"
    return {"name": f"{name}-{number}.example.", "email": "ops@example.org", "ttl": 3600 + min(version, 2)}


def quota(number, version):
    return {"compute": {"instances": 30 + version, "cores": 90}, "network": {"networks": 40}}


MAKERS = {
    "network": network,
    "router": router,
    "security-group": security_group,
    "secret": secret,
    "volume": volume,
    "server": server,
    "keypair": keypair,
    "server-group": server_group,
    "container": container,
    "zone": zone,
    "quota": quota,
}

ALL = [f"{kind}-{number}" for kind, count in COUNTS.items() for number in range(count)]
# What a whole environment is made of where it is made and destroyed again and again.
FEW = ["network-0", "security-group-0", "secret-0", "server-3"]
FEW_NETWORKED = ["network-0", "security-group-0", "secret-0", "volume-2", "server-3"]


def declared(name, version):
    kind, _, number = name.rpartition("-")
    return {"type": kind, **MAKERS[kind](int(number), version)}


def references(spec):
    text = json.dumps(spec)
    return {part.split("}")[0].split(".")[0] for part in text.split("${resource.")[1:]}


def without_broken(resources):
    """Leaves out what refers, however indirectly, to something that is not declared."""
    resources = dict(resources)
    while True:
        broken = [name for name, spec in resources.items() if not references(spec) <= resources.keys()]
        if not broken:
            return resources
        for name in broken:
            del resources[name]


def bundle(versions, account_file):
    """The specs of one organization; `versions` says which version of each resource is declared."""
    resources = without_broken({name: declared(name, version) for name, version in versions.items()})
    documents = [
        ("Directory", "acme", {"people": {"grace": {"email": "grace@acme.example", "keys": [GRACE]}}}),
        ("Organization", "acme", {"administrators": {"members": ["grace"], "approvals": 1}}),
        (
            "Account",
            "cloud",
            {
                "provider": "openstack",
                "classes": ["development"],
                "credential": {"file": account_file},
                "limits": {"concurrency": 16, "requestsPerSecond": 1000},
            },
        ),
        (
            "Template",
            "thing",
            {
                "provider": "openstack",
                "resources": resources,
                "roles": {
                    "developer": {"powers": ["read", "request", "operate"], "grants": ["member"]},
                    "runtime": {"powers": [], "grants": ["reader"]},
                },
            },
        ),
        ("Project", "shop", {"authors": ["grace"], "stages": [ENVIRONMENT]}),
        (
            "Environment",
            ENVIRONMENT,
            {
                "project": "shop",
                "class": "development",
                "account": "cloud",
                "template": "thing",
                "bindings": {"developer": ["grace"]},
                "credentials": {"app": {"role": "runtime", "ttl": "12h"}},
            },
        ),
    ]
    return "\n---\n".join(
        json.dumps({"apiVersion": "bailey/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}, indent=1)
        for kind, name, spec in documents
    )
