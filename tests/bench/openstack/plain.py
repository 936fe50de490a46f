"""The lower bound in practice: the calls that the environment needs and no others, as many at once
as dependencies allow, by a program that knows nothing of plans, state or crashes."""

import concurrent.futures
import time

CONCURRENCY = 16
FINISHED = ("ACTIVE", "ERROR")


class Plain:
    name = "plain HTTP"
    project_name = "bench-plain"

    def __init__(self, admin, shape, image, flavor):
        self.admin, self.shape, self.image, self.flavor = admin, shape, image, flavor

    def create(self):
        self.project = self.admin.make_project(self.project_name, ("member", "creator"))
        self.session = self.admin.inside(self.project)
        with concurrent.futures.ThreadPoolExecutor(CONCURRENCY) as pool:
            networks = [pool.submit(self.make_network, i) for i in range(self.shape.networks)]
            groups = [pool.submit(self.make_group, i) for i in range(self.shape.groups)]
            secrets = [pool.submit(self.make_secret, i) for i in range(self.shape.secrets)]
            subnets = [network.result() for network in networks]
            routers = [pool.submit(self.make_router, i, subnet) for i, (_, subnet) in enumerate(subnets)]
            ids = [group.result() for group in groups]
            servers = []
            for index in range(self.shape.servers):
                _, network, group = self.shape.server(index)
                servers.append(pool.submit(self.make_server, index, subnets[network][0], ids[group]))
            for job in secrets + routers + servers:
                job.result()
        self.wait_for_servers()

    def make_network(self, index):
        name, cidr = self.shape.network(index)
        made = self.session.call("network", "POST", "/networks", {"network": {"name": name}})
        network = made["network"]["id"]
        subnet = {"network_id": network, "name": name, "cidr": cidr, "ip_version": 4}
        made = self.session.call("network", "POST", "/subnets", {"subnet": subnet})
        return network, made["subnet"]["id"]

    def make_router(self, index, subnet):
        made = self.session.call("network", "POST", "/routers", {"router": {"name": f"router-{index}"}})
        router = made["router"]["id"]
        self.session.call("network", "PUT", f"/routers/{router}/add_router_interface", {"subnet_id": subnet})

    def make_group(self, index):
        body = {"security_group": {"name": self.shape.group(index)}}
        group = self.session.call("network", "POST", "/security-groups", body)["security_group"]["id"]
        rules = [
            {
                "security_group_id": group,
                "direction": "ingress",
                "protocol": "tcp",
                "port_range_min": port,
                "port_range_max": port,
                "remote_ip_prefix": "10.0.0.0/8",
            }
            for port in self.shape.PORTS
        ]
        self.session.call("network", "POST", "/security-group-rules", {"security_group_rules": rules})
        return group

    def make_secret(self, index):
        body = {
            "name": self.shape.secret(index),
            "payload": f"payload of secret {index}",
            "payload_content_type": "text/plain",
        }
        self.session.call("key-manager", "POST", "/secrets", body)

    def make_server(self, index, network, group):
        body = {
            "server": {
                "name": self.shape.server(index)[0],
                "imageRef": self.image,
                "flavorRef": self.flavor,
                "networks": [{"uuid": network}],
                "security_groups": [{"name": group}],
            }
        }
        self.session.call("compute", "POST", "/servers", body, "compute 2.60")

    def servers(self):
        return self.session.call("compute", "GET", "/servers/detail")["servers"]

    def wait_for_servers(self):
        while True:
            states = [server["status"] for server in self.servers()]
            if len(states) == self.shape.servers and all(state in FINISHED for state in states):
                if "ERROR" in states:
                    raise RuntimeError("a server ended in ERROR")
                return
            time.sleep(1)

    def unchanged(self):
        """One listing of each type: what anybody must at least ask to know that nothing changed."""
        wanted = [
            ("network", "/networks"),
            ("network", "/subnets"),
            ("network", "/routers"),
            ("network", "/ports"),
            ("network", "/security-groups"),
            ("compute", "/servers/detail"),
            ("key-manager", "/secrets?limit=100"),
        ]
        session = self.admin.inside(self.project)
        with concurrent.futures.ThreadPoolExecutor(CONCURRENCY) as pool:
            for job in [pool.submit(session.call, service, "GET", path) for service, path in wanted]:
                job.result()

    def destroy(self):
        session = self.session = self.admin.inside(self.project)
        secrets = session.call("key-manager", "GET", "/secrets?limit=100")["secrets"]
        with concurrent.futures.ThreadPoolExecutor(CONCURRENCY) as pool:
            delete = lambda service, path: pool.submit(session.call, service, "DELETE", path)
            jobs = [delete("compute", "/servers/" + server["id"]) for server in self.servers()]
            jobs += [delete("key-manager", "/secrets/" + each["secret_ref"].rsplit("/", 1)[1]) for each in secrets]
            for job in jobs:
                job.result()
            while self.servers():
                time.sleep(0.5)
            owned = f"?project_id={self.project}"
            subnets = session.call("network", "GET", "/subnets" + owned)["subnets"]
            ports = session.call("network", "GET", "/ports?device_owner=network:router_interface&fields=device_id&fields=fixed_ips")
            router_of = {ip["subnet_id"]: port["device_id"] for port in ports["ports"] for ip in port["fixed_ips"]}
            for job in [pool.submit(self.remove_network, subnet, router_of[subnet["id"]]) for subnet in subnets]:
                job.result()
            groups = session.call("network", "GET", "/security-groups" + owned)["security_groups"]
            for job in [
                delete("network", "/security-groups/" + group["id"]) for group in groups if group["name"] != "default"
            ]:
                job.result()
        self.admin.remove_project(self.project)

    def remove_network(self, subnet, router):
        body = {"subnet_id": subnet["id"]}
        self.session.call("network", "PUT", f"/routers/{router}/remove_router_interface", body)
        self.session.call("network", "DELETE", f"/routers/{router}")
        self.session.call("network", "DELETE", "/networks/" + subnet["network_id"])
