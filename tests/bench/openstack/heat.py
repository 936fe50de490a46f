"""The same environment as a Heat stack, asked for over Heat's own API."""

import time

POLL = 0.5


class Heat:
    name = "Heat"
    project_name = "bench-heat"
    roles = ("member", "creator", "heat_stack_owner")

    def __init__(self, admin, shape, image, flavor):
        self.admin, self.shape, self.image, self.flavor = admin, shape, image, flavor

    def template(self):
        shape = self.shape
        resources = {}

        def add(key, kind, after=(), **properties):
            resources[key] = {"type": kind, "properties": properties}
            if after:
                resources[key]["depends_on"] = list(after)

        get = lambda name: {"get_resource": name}
        for index in range(shape.networks):
            name, cidr = shape.network(index)
            subnet, router = f"subnet-{index}", f"router-{index}"
            add(name, "OS::Neutron::Net", name=name)
            add(subnet, "OS::Neutron::Subnet", name=name, network=get(name), cidr=cidr)
            add(router, "OS::Neutron::Router", name=router)
            add(f"interface-{index}", "OS::Neutron::RouterInterface", router=get(router), subnet=get(subnet))
        for index in range(shape.groups):
            rules = [
                {
                    "direction": "ingress",
                    "protocol": "tcp",
                    "port_range_min": port,
                    "port_range_max": port,
                    "remote_ip_prefix": "10.0.0.0/8",
                }
                for port in shape.PORTS
            ]
            add(shape.group(index), "OS::Neutron::SecurityGroup", name=shape.group(index), rules=rules)
        for index in range(shape.secrets):
            add(
                shape.secret(index),
                "OS::Barbican::Secret",
                name=shape.secret(index),
                payload=f"payload of secret {index}",
                payload_content_type="text/plain",
            )
        for index in range(shape.servers):
            name, network, group = shape.server(index)
            add(
                name,
                "OS::Nova::Server",
                after=[f"subnet-{network}"],
                name=name,
                image=self.image,
                flavor=self.flavor,
                networks=[{"network": get(shape.network(network)[0])}],
                security_groups=[get(shape.group(group))],
            )
        return {"heat_template_version": "2018-08-31", "resources": resources}

    def create(self):
        self.project = self.admin.make_project(self.project_name, self.roles)
        self.session = self.admin.inside(self.project)
        body = {"stack_name": "bench", "template": self.template(), "timeout_mins": 30}
        made = self.session.call("orchestration", "POST", "/stacks", body)
        self.path = "/stacks/bench/" + made["stack"]["id"]
        self.wait("CREATE")

    def unchanged(self):
        self.session.call("orchestration", "PUT", self.path, {"template": self.template()})
        self.wait("UPDATE")

    def destroy(self):
        self.session.call("orchestration", "DELETE", self.path)
        self.wait("DELETE")
        self.admin.remove_project(self.project)

    def wait(self, action):
        while True:
            stack = self.session.call("orchestration", "GET", self.path)["stack"]
            status = stack["stack_status"]
            if status == action + "_COMPLETE":
                return
            if status.endswith("_FAILED"):
                raise RuntimeError(f"Heat: {status}: {stack['stack_status_reason']}")
            time.sleep(POLL)
