"""The environment that every contender makes: the same things, with the same relations.

One project, `networks` networks with a subnet and a router each, `groups` security groups with
three rules each, `servers` servers spread over the networks, and `secrets` generated secrets.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    networks: int = 4
    groups: int = 8
    servers: int = 20
    secrets: int = 8

    PORTS = (22, 443, 8443)

    def network(self, index):
        return f"net-{index}", f"10.77.{index}.0/24"

    def group(self, index):
        return f"group-{index}"

    def secret(self, index):
        return f"secret-{index}"

    def server(self, index):
        """Name, index of its network, index of its group."""
        return f"server-{index}", index % self.networks, index % self.groups

    def counts(self):
        return {
            "networks": self.networks,
            "subnets": self.networks,
            "routers": self.networks,
            "groups": self.groups,
            "servers": self.servers,
            "secrets": self.secrets,
        }
