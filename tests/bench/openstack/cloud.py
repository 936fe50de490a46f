"""The cloud as the bench sees it: administrator's calls, what stands in a project, who called what."""

import http.client
import json
import os
import re
import subprocess
import threading
import time
import urllib.parse


class Refused(Exception):
    """An answer that is no success."""

    def __init__(self, status, method, url, body):
        super().__init__(f"{method} {url} answered {status}: {body[:300]!r}")
        self.status = status


class Session:
    """A token, and calls on connections that each thread keeps."""

    def __init__(self, auth_url, login, scope):
        self.auth_url = auth_url
        self.local = threading.local()
        identity = {"methods": ["password"], "password": {"user": login}}
        body = {"auth": {"identity": identity, "scope": {"project": scope}}}
        headers, answer = self.raw("POST", auth_url + "/auth/tokens", body, {})
        self.token = headers["X-Subject-Token"]
        self.project = answer["token"]["project"]["id"]
        self.user = answer["token"]["user"]["id"]
        self.endpoints = {}
        for entry in answer["token"]["catalog"]:
            for endpoint in entry["endpoints"]:
                if endpoint["interface"] == "internal" and endpoint["region_id"] == "RegionOne":
                    self.endpoints[entry["type"]] = endpoint["url"].rstrip("/")

    def raw(self, method, url, body, headers):
        parts = urllib.parse.urlsplit(url)
        pool = self.local.__dict__.setdefault("connections", {})
        path = parts.path + ("?" + parts.query if parts.query else "")
        data = json.dumps(body).encode() if body is not None else None
        headers = {"Content-Type": "application/json", "Accept": "application/json", **headers}
        for attempt in (1, 2):
            connection = pool.get(parts.netloc)
            if connection is None:
                connection = pool[parts.netloc] = http.client.HTTPConnection(parts.netloc, timeout=120)
            try:
                connection.request(method, path, body=data, headers=headers)
                answer = connection.getresponse()
                text = answer.read()
                break
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                # The server had closed a kept connection.
                connection.close()
                del pool[parts.netloc]
                if attempt == 2:
                    raise
        if answer.will_close:
            connection.close()
            del pool[parts.netloc]
        if answer.status >= 300:
            raise Refused(answer.status, method, url, text)
        return answer.headers, json.loads(text) if text else None

    def call(self, service, method, path, body=None, version=None):
        headers = {"X-Auth-Token": self.token}
        if version:
            headers["OpenStack-API-Version"] = version
        return self.raw(method, self.base(service) + path, body, headers)[1]

    def base(self, service):
        if service == "identity":
            return self.auth_url
        url = self.endpoints[service]
        suffix = {"network": "/v2.0", "key-manager": "/v1", "image": "/v2"}.get(service, "")
        return url if not suffix or url.endswith(suffix) else url + suffix


class Administrator:
    """Whoever the OS_* variables name, over the internal endpoints."""

    def __init__(self):
        self.auth_url = os.environ["OS_AUTH_URL"].rstrip("/")
        self.session = Session(self.auth_url, self.login(), self.scope())

    def login(self):
        domain = {"name": os.environ["OS_USER_DOMAIN_NAME"]}
        return {"name": os.environ["OS_USERNAME"], "password": os.environ["OS_PASSWORD"], "domain": domain}

    def scope(self):
        domain = {"name": os.environ["OS_PROJECT_DOMAIN_NAME"]}
        return {"name": os.environ["OS_PROJECT_NAME"], "domain": domain}

    def role(self, name):
        return self.session.call("identity", "GET", "/roles?name=" + name)["roles"][0]["id"]

    def make_project(self, name, roles):
        """A project in which the administrator has these roles; its id."""
        made = self.session.call("identity", "POST", "/projects", {"project": {"name": name, "domain_id": "default"}})
        project = made["project"]["id"]
        for role in roles:
            path = f"/projects/{project}/users/{self.session.user}/roles/{self.role(role)}"
            self.session.call("identity", "PUT", path)
        return project

    def inside(self, project):
        return Session(self.auth_url, self.login(), {"id": project})

    def allow_servers(self, count):
        """Nova's default for every project, which is ten; gives back what it was."""
        path = "/os-quota-class-sets/default"
        before = self.session.call("compute", "GET", path)["quota_class_set"]
        self.session.call("compute", "PUT", path, {"quota_class_set": {"instances": count, "cores": count}})
        return {name: before[name] for name in ("instances", "cores")}

    def restore_servers(self, before):
        self.session.call("compute", "PUT", "/os-quota-class-sets/default", {"quota_class_set": before})

    def remove_project(self, project):
        """And what Neutron and Nova keep of a project that is gone."""
        self.session.call("identity", "DELETE", f"/projects/{project}")
        groups = self.session.call("network", "GET", "/security-groups?name=default")["security_groups"]
        for group in groups:
            if group["project_id"] == project:
                self.session.call("network", "DELETE", "/security-groups/" + group["id"])


def standing(project_name):
    """What stands in a project, counted with the stock `openstack` command."""
    env = {**os.environ, "OS_PROJECT_NAME": project_name}

    def count(*words):
        out = subprocess.run(["openstack", *words, "-f", "json"], env=env, check=True, capture_output=True)
        return json.loads(out.stdout)

    project = subprocess.run(
        ["openstack", "project", "show", project_name, "-f", "value", "-c", "id"], check=True, capture_output=True
    ).stdout.decode().strip()
    servers = count("server", "list")
    return {
        "networks": len(count("network", "list", "--project", project)),
        "subnets": len(count("subnet", "list", "--project", project)),
        "routers": len(count("router", "list", "--project", project)),
        "groups": len([g for g in count("security", "group", "list", "--project", project) if g["Name"] != "default"]),
        "servers": len([s for s in servers if s["Status"] == "ACTIVE"]),
        "secrets": len(count("secret", "list", "--limit", "100")),
    }


class Traffic:
    """Which calls the services answered, and how long they took, as they themselves log it."""

    UWSGI = re.compile(r" (GET|POST|PUT|PATCH|DELETE|HEAD) (\S+) => generated \d+ bytes in (\d+) msecs")
    NEUTRON = re.compile(r'"(GET|POST|PUT|PATCH|DELETE|HEAD) (\S+) HTTP/[\d.]+" status: \d+ +len: \d+ time: ([\d.]+)')
    ID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")

    def __init__(self, logs):
        self.files = {}
        for name in ("keystone", "neutron", "nova-api", "barbican", "glance"):
            path = os.path.join(logs, name + ".log")
            if os.path.exists(path):
                self.files[name] = [path, os.path.getsize(path)]

    def since_last(self):
        """{"POST nova-api /servers": [count, seconds]} since the last look."""
        calls = {}
        time.sleep(0.3)
        for service, state in self.files.items():
            with open(state[0], errors="replace") as file:
                file.seek(state[1])
                text = file.read()
                state[1] = file.tell()
            for pattern, unit in ((self.UWSGI, 1000.0), (self.NEUTRON, 1.0)):
                for method, url, took in pattern.findall(text):
                    path = self.ID.sub("ID", url.split("?")[0])
                    entry = calls.setdefault(f"{method} {service} {path}", [0, 0.0])
                    entry[0] += 1
                    entry[1] += float(took) / unit
        return calls
