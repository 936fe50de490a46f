"""What stands in the cloud, asked of its own API, against what the store says. No code of Bailey."""

import json
import sqlite3
import urllib.error
import urllib.request

import specs


class CloudApi:
    """The administrator's view; a token for each project."""

    def __init__(self, openrc):
        self.settings = {}
        with open(openrc, encoding="utf-8") as lines:
            for line in lines:
                if line.startswith("export "):
                    name, _, value = line[7:].strip().partition("=")
                    self.settings[name] = value
        self.tokens = {}

    def token(self, project=None):
        if project not in self.tokens:
            scope = {"id": project} if project else {"name": "admin", "domain": {"name": "Default"}}
            user = {
                "name": self.settings["OS_USERNAME"],
                "domain": {"name": "Default"},
                "password": self.settings["OS_PASSWORD"],
            }
            body = {
                "auth": {
                    "identity": {"methods": ["password"], "password": {"user": user}},
                    "scope": {"project": scope},
                }
            }
            request = urllib.request.Request(
                self.settings["OS_AUTH_URL"] + "/auth/tokens",
                json.dumps(body).encode(),
                {"Content-Type": "application/json"},
            )
            with urllib.request.urlopen(request) as answer:
                catalog = json.load(answer)["token"]["catalog"]
                places = {
                    service["type"]: next(e["url"] for e in service["endpoints"] if e["interface"] == "public")
                    for service in catalog
                }
                self.tokens[project] = answer.headers["X-Subject-Token"], places
        return self.tokens[project]

    def get(self, service, path, project=None):
        token, places = self.token(project)
        request = urllib.request.Request(places[service] + path, headers={"X-Auth-Token": token, "Accept": "application/json"})
        with urllib.request.urlopen(request) as answer:
            text = answer.read()
            return json.loads(text) if text else []


def rows(database, table):
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30)
    try:
        found = connection.execute(f'SELECT key, body FROM "{table}"').fetchall()
        return {key: json.loads(body) for key, body in found}
    finally:
        connection.close()


def standing(api, project, uid):
    """Kind of resource to the ids of what stands in the project."""
    network = lambda path, name: api.get("network", f"/v2.0/{path}?project_id={project}")[name]
    found = {
        "network": [each["id"] for each in network("networks", "networks")],
        "router": [each["id"] for each in network("routers", "routers")],
        "security-group": [
            each["id"] for each in network("security-groups", "security_groups") if each["name"] != "default"
        ],
        "server": [each["id"] for each in api.get("compute", "/servers", project)["servers"]],
        "server-group": [each["id"] for each in api.get("compute", "/os-server-groups", project)["server_groups"]],
        "keypair": [
            each["keypair"]["name"]
            for each in api.get("compute", "/os-keypairs", project)["keypairs"]
            if uid in each["keypair"]["name"]
        ],
        "volume": [each["id"] for each in api.get("volumev3", "/volumes", project)["volumes"]],
        "secret": [
            each["secret_ref"].rsplit("/", 1)[1]
            for each in api.get("key-manager", "/v1/secrets?limit=100", project)["secrets"]
        ],
        "container": [each["name"] for each in api.get("object-store", "?format=json", project)],
        "zone": [each["id"] for each in api.get("dns", "/v2/zones", project)["zones"]],
    }
    inner = [("subnet", each["id"], each["network_id"], "network") for each in network("subnets", "subnets")]
    for port in network("ports", "ports"):
        owner = port["device_owner"]
        kind = "server" if owner.startswith("compute:") else "router" if owner.startswith("network:router") else None
        if kind:
            inner.append(("port", port["id"], port["device_id"], kind))
    return found, inner


def differences(api, database):
    """Every way in which cloud and store disagree, in words; an empty list is what is wanted."""
    faults = []
    environment = rows(database, "environment").get(specs.ENVIRONMENT, {})
    resources = rows(database, "resource")
    for key in rows(database, "intent"):
        faults.append(f"open intent: {key}")
    projects = [each for each in api.get("identity", "/projects")["projects"] if each["name"].startswith(specs.ENVIRONMENT)]
    boundary = environment.get("boundary", "")
    if [each["id"] for each in projects] != ([boundary] if boundary else []):
        faults.append(f"boundaries: the cloud has {[each['id'] for each in projects]}, the store {boundary!r}")
    faults += people(api, database)
    if not boundary or boundary not in [each["id"] for each in projects]:
        return faults + [f"recorded without a boundary: {key}" for key in resources]
    found, inner = standing(api, boundary, environment["uid"])
    for kind, ids in found.items():
        recorded = {body["provider_id"]: key for key, body in resources.items() if body["type"] == kind}
        faults += [f"orphan: {kind} {each}" for each in ids if each not in recorded]
        faults += [f"lost: {key} ({each})" for each, key in recorded.items() if each not in ids]
    for what, each, owner, kind in inner:
        if owner not in found[kind]:
            faults.append(f"orphan: {what} {each} of {kind} {owner}")
    declared = any(body["type"] == "quota" for body in resources.values())
    marked = any("quota" in tag for tag in projects[0]["tags"])
    if declared != marked:
        faults.append(f"quota: recorded {declared}, marked in the cloud {marked}")
    return faults


def people(api, database):
    """Identities and their credentials: those of the store and no others."""
    faults = []
    known = {body["id"]: key for key, body in rows(database, "identity").items()}
    users = {each["id"]: each["name"] for each in api.get("identity", "/users")["users"]}
    ours = {each for each, name in users.items() if specs.ENVIRONMENT in name}
    faults += [f"orphan: user {users[each]}" for each in ours if each not in known]
    faults += [f"lost: identity {key}" for each, key in known.items() if each not in users]
    valid = {
        body["provider_id"]
        for body in rows(database, "credential").values()
        if body["status"] in ("active", "issuing", "revoking")
    }
    unfinished = [key for key, body in rows(database, "credential").items() if body["status"] in ("issuing", "revoking")]
    faults += [f"unfinished credential: {key}" for key in unfinished]
    there = set()
    for each in ours:
        listed = api.get("identity", f"/users/{each}/application_credentials")["application_credentials"]
        there |= {one["id"] for one in listed}
    issued = {one for one in there}
    faults += [f"orphan: credential {one}" for one in issued - valid]
    faults += [f"lost: credential {one}" for one in valid - issued if one]
    return faults
