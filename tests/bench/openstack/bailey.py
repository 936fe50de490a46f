"""The same environment by Bailey: a server with an empty store, and its command line."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request


class Bailey:
    name = "Bailey"

    def __init__(self, admin, shape, image, flavor, folder, program):
        self.admin, self.shape, self.image, self.flavor = admin, shape, image, flavor
        self.folder, self.program = os.path.join(folder, "bailey"), program
        os.makedirs(os.path.join(self.folder, "specs"))
        self.start()

    @property
    def project_name(self):
        shown = self.run("env", "show", "bench", "--json")
        boundary = json.loads(shown)["boundary"]
        return self.admin.session.call("identity", "GET", "/projects/" + boundary)["project"]["name"]

    def run(self, *words):
        done = subprocess.run([self.program, *words], env=self.env, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"bailey {' '.join(words)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def start(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        data, key = os.path.join(self.folder, "data"), os.path.join(self.folder, "key")
        token = os.path.join(self.folder, "token")
        url = f"http://127.0.0.1:{port}"
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("OS_")},
            "BAILEY_SERVER": url,
            "BAILEY_KEY": key,
            "BAILEY_TOKEN_FILE": token,
        }
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "bench", "-f", key], check=True)
        self.write_specs(key)
        log = open(os.path.join(self.folder, "server.log"), "w")
        command = [self.program, "serve", "--data", data, "--listen", f"127.0.0.1:{port}", "--origin", "bench"]
        self.process = subprocess.Popen(command, env=self.env, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        for _ in range(200):
            try:
                urllib.request.urlopen(url + "/healthz", timeout=2)
                break
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.05)
        specs = os.path.join(self.folder, "specs")
        self.env["BAILEY_TOKEN_FILE"] = os.path.join(data, "bootstrap-token")
        self.run("init", specs)
        self.env["BAILEY_TOKEN_FILE"] = token
        self.run("login", "--as", "bench")

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def write_specs(self, key):
        with open(key + ".pub") as file:
            public = file.read().strip()
        documents = [
            ("Directory", "bench", {"people": {"bench": {"email": "bench@acme.example", "keys": [public]}}}),
            ("Organization", "bench", {"administrators": {"members": ["bench"], "approvals": 1}}),
            ("Account", "cloud", self.account()),
            ("Template", "bench", self.template()),
            ("Project", "bench", {"authors": ["bench"], "stages": ["bench"]}),
            ("Environment", "bench", {
                "project": "bench",
                "class": "development",
                "account": "cloud",
                "template": "bench",
                "bindings": {"developer": ["bench"]},
            }),
        ]
        with open(os.path.join(self.folder, "specs", "bench.yaml"), "w") as file:
            for kind, name, spec in documents:
                document = {"apiVersion": "bailey/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
                file.write("---\n" + json.dumps(document, indent=1) + "\n")

    def account(self):
        path = os.path.join(self.folder, "credential.json")
        credential = {
            "username": os.environ["OS_USERNAME"],
            "password": os.environ["OS_PASSWORD"],
            "user_domain_name": os.environ["OS_USER_DOMAIN_NAME"],
            "project_name": os.environ["OS_PROJECT_NAME"],
            "project_domain_name": os.environ["OS_PROJECT_DOMAIN_NAME"],
        }
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(credential, file)
        return {
            "provider": "openstack",
            "classes": ["development"],
            "endpoint": self.admin.auth_url,
            "region": "RegionOne",
            "credential": {"file": path},
            "limits": {"concurrency": 16},
            **({"interface": "internal"} if os.environ.get("BENCH_INTERFACE", "internal") == "internal" else {}),
        }

    def template(self):
        shape = self.shape
        resources = {}
        for index in range(shape.networks):
            name, cidr = shape.network(index)
            resources[name] = {"type": "network", "cidr": cidr}
            resources[f"router-{index}"] = {"type": "router", "networks": [f"${{resource.{name}}}"]}
        for index in range(shape.groups):
            rules = [{"protocol": "tcp", "port": port, "from": "10.0.0.0/8"} for port in shape.PORTS]
            resources[shape.group(index)] = {"type": "security-group", "ingress": rules}
        for index in range(shape.secrets):
            resources[shape.secret(index)] = {"type": "secret", "generate": {"length": 24}}
        for index in range(shape.servers):
            name, network, group = shape.server(index)
            resources[name] = {
                "type": "server",
                "flavor": self.flavor_name,
                "image": self.image_name,
                "network": f"${{resource.{shape.network(network)[0]}}}",
                "securityGroups": [f"${{resource.{shape.group(group)}}}"],
            }
        roles = {"developer": {"powers": ["read", "request", "operate"], "grants": ["member"]}}
        return {"provider": "openstack", "resources": resources, "roles": roles}

    @property
    def flavor_name(self):
        return os.environ.get("BENCH_FLAVOR", "small")

    @property
    def image_name(self):
        return os.environ.get("BENCH_IMAGE", "cirros")

    def create(self):
        self.run("apply", os.path.join(self.folder, "specs"), "--wait")

    def unchanged(self):
        specs = os.path.join(self.folder, "specs")
        done = subprocess.run([self.program, "plan", specs, "--detailed-exitcode"], env=self.env, capture_output=True)
        if done.returncode != 0:
            sys.exit(f"bailey plan found differences:\n{done.stdout.decode()}")

    def destroy(self):
        self.run("destroy", "bench", "--wait")
