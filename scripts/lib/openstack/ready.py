"""Waits until the daemons behind the interfaces have reported themselves, so that the first
server, volume or stack finds them.

    ready.py AUTH_URL      (the password is in BAILEY_ADMIN_PASSWORD)
"""

import os
import sys
import time

from cloud import Cloud

# The service, where it lists its daemons, under which name, and the ones to wait for.
LISTS = (
    ("compute", "/os-services", "services", {"nova-compute", "nova-conductor", "nova-scheduler"}),
    ("volumev3", "/os-services", "services", {"cinder-scheduler", "cinder-volume"}),
    ("orchestration", "/services", "services", {"heat-engine"}),
)


def missing(cloud):
    for service, path, collection, wanted in LISTS:
        if service not in cloud.endpoints:
            continue
        up = {
            daemon["binary"]
            for daemon in cloud.call(service, "GET", path)[collection]
            if "up" in (daemon.get("state"), daemon.get("status"))
        }
        yield from wanted - up


def main():
    cloud = Cloud(sys.argv[1], os.environ["BAILEY_ADMIN_PASSWORD"])
    for _ in range(600):
        late = sorted(missing(cloud))
        if not late:
            return
        time.sleep(0.2)
    sys.exit("not up after two minutes: " + ", ".join(late))


main()
