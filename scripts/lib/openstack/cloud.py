"""A small client of an OpenStack: one login, plain HTTP, JSON."""

import json
import sys
import urllib.error
import urllib.request


class Cloud:
    """An administrator's session; the catalogue's internal endpoints of one region."""

    def __init__(self, auth_url, password, region="RegionOne"):
        self.auth_url = auth_url
        self.token = None
        user = {"name": "admin", "domain": {"id": "default"}, "password": password}
        body = {
            "auth": {
                "identity": {"methods": ["password"], "password": {"user": user}},
                "scope": {"project": {"name": "admin", "domain": {"id": "default"}}},
            }
        }
        headers, answer = self._send("POST", auth_url + "/auth/tokens", body)
        self.token = headers["X-Subject-Token"]
        self.endpoints = {
            service["type"]: endpoint["url"]
            for service in answer["token"]["catalog"]
            for endpoint in service["endpoints"]
            if endpoint["interface"] == "internal" and endpoint["region_id"] == region
        }

    def _send(self, method, url, body=None, kind="application/json"):
        headers = {"Content-Type": kind, "Accept": "application/json"}
        if self.token:
            headers["X-Auth-Token"] = self.token
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data=data, headers=headers, method=method)
        # No proxy of the caller's environment: everything is on loopback.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=120) as answer:
                return answer.headers, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as problem:
            said = problem.read().decode(errors="replace")
            sys.exit(f"{method} {url} answered {problem.code}: {said}")

    def identity(self, method, path, body=None):
        return self._send(method, self.auth_url + path, body)[1]

    def call(self, service, method, path, body=None, kind="application/json"):
        return self._send(method, self.endpoints[service] + path, body, kind)[1]

    def ensure(self, collection, query, one, body):
        """The id of what the query finds in Keystone; it is made where nothing is found."""
        found = self.identity("GET", f"/{collection}?{query}")[collection]
        if found:
            return found[0]["id"]
        return self.identity("POST", f"/{collection}", {one: body})[one]["id"]
