"""What a new cloud offers before anybody made something in it, under the names that the embedded
cloud has too: the network "public", the image "cirros", the flavors "small" and "large", a volume
type. Run again, it makes what is missing.

    content.py AUTH_URL      (the password is in BAILEY_ADMIN_PASSWORD)
"""

import os
import sys

from cloud import Cloud

# RFC 5737: addresses that documents use.
FLOATING = "203.0.113.0/24"


def make_public_network(cloud):
    if cloud.call("network", "GET", "/v2.0/networks?name=public&router:external=true")["networks"]:
        return
    wanted = {
        "name": "public",
        "router:external": True,
        "is_default": True,
        "provider:network_type": "flat",
        "provider:physical_network": "physnet1",
    }
    network = cloud.call("network", "POST", "/v2.0/networks", {"network": wanted})["network"]["id"]
    wanted = {
        "name": "public",
        "network_id": network,
        "ip_version": 4,
        "cidr": FLOATING,
        "enable_dhcp": False,
    }
    cloud.call("network", "POST", "/v2.0/subnets", {"subnet": wanted})


def make_flavors(cloud):
    have = {flavor["name"] for flavor in cloud.call("compute", "GET", "/flavors")["flavors"]}
    for name, cpus, ram, disk in (("small", 1, 512, 1), ("large", 2, 4096, 10)):
        if name not in have:
            wanted = {"name": name, "vcpus": cpus, "ram": ram, "disk": disk}
            cloud.call("compute", "POST", "/flavors", {"flavor": wanted})


def make_image(cloud):
    if cloud.call("image", "GET", "/v2/images?name=cirros&status=active")["images"]:
        return
    wanted = {
        "name": "cirros",
        "disk_format": "raw",
        "container_format": "bare",
        "visibility": "public",
    }
    image = cloud.call("image", "POST", "/v2/images", wanted)["id"]
    path = f"/v2/images/{image}/file"
    cloud.call("image", "PUT", path, bytes(64 * 1024), "application/octet-stream")


def make_volume_type(cloud):
    have = cloud.call("volumev3", "GET", "/types")["volume_types"]
    if not any(kind["name"] == "fake" for kind in have):
        extra = {"volume_backend_name": "fake"}
        cloud.call(
            "volumev3", "POST", "/types", {"volume_type": {"name": "fake", "extra_specs": extra}}
        )


def main():
    cloud = Cloud(sys.argv[1], os.environ["BAILEY_ADMIN_PASSWORD"])
    make_public_network(cloud)
    if "compute" in cloud.endpoints:
        make_flavors(cloud)
        make_image(cloud)
        make_volume_type(cloud)


main()
