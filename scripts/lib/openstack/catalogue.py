"""Fills Keystone: roles, regions, services with their endpoints and users. Run again, it makes
what is missing.

    catalogue.py AUTH_URL <LINES      (each: REGION NAME TYPE PUBLIC_URL INTERNAL_URL)

The passwords are in BAILEY_ADMIN_PASSWORD, BAILEY_SERVICE_PASSWORD and BAILEY_HEAT_PASSWORD.
"""

import os
import sys

from cloud import Cloud

ROLES = ("service", "creator", "observer", "audit", "key-manager:service-admin", "ResellerAdmin")
HEAT_ROLES = ("heat_stack_owner", "heat_stack_user")


def make_roles(cloud, names):
    return {name: cloud.ensure("roles", f"name={name}", "role", {"name": name}) for name in names}


def make_endpoints(cloud, region, name, kind, public, internal):
    if all(known["id"] != region for known in cloud.identity("GET", "/regions")["regions"]):
        cloud.identity("POST", "/regions", {"region": {"id": region}})
    service = cloud.ensure("services", f"type={kind}", "service", {"name": name, "type": kind})
    for interface, url in (("public", public), ("internal", internal), ("admin", internal)):
        cloud.ensure(
            "endpoints",
            f"service_id={service}&region_id={region}&interface={interface}",
            "endpoint",
            {"service_id": service, "region_id": region, "interface": interface, "url": url},
        )


def make_user(cloud, name, domain, password):
    wanted = {"name": name, "domain_id": domain, "password": password}
    return cloud.ensure("users", f"name={name}&domain_id={domain}", "user", wanted)


def main():
    cloud = Cloud(sys.argv[1], os.environ["BAILEY_ADMIN_PASSWORD"])
    lines = [line.split() for line in sys.stdin]
    names = list(dict.fromkeys(line[1] for line in lines))
    roles = make_roles(cloud, ("admin",) + ROLES + (HEAT_ROLES if "heat" in names else ()))
    wanted = {"name": "service", "domain_id": "default"}
    project = cloud.ensure("projects", "name=service&domain_id=default", "project", wanted)
    for line in lines:
        make_endpoints(cloud, *line)
    for name in names:
        if name == "keystone":
            continue
        user = make_user(cloud, name, "default", os.environ["BAILEY_SERVICE_PASSWORD"])
        for role in ("admin", "service"):
            cloud.identity("PUT", f"/projects/{project}/users/{user}/roles/{roles[role]}")
    admin = cloud.ensure("users", "name=admin&domain_id=default", "user", {})
    home = cloud.ensure("projects", "name=admin&domain_id=default", "project", {})
    # It may look into the accounts of all projects.
    cloud.identity("PUT", f"/projects/{home}/users/{admin}/roles/{roles['ResellerAdmin']}")
    if "heat" in names:
        domain = cloud.ensure("domains", "name=heat", "domain", {"name": "heat"})
        user = make_user(cloud, "heat_domain_admin", domain, os.environ["BAILEY_HEAT_PASSWORD"])
        cloud.identity("PUT", f"/domains/{domain}/users/{user}/roles/{roles['admin']}")


main()
