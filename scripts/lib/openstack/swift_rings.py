"""Makes Swift's three rings, each with one device and one replica.

    swift_rings.py FOLDER ADDRESS account=PORT container=PORT object=PORT
"""

import os
import sys

from swift.common.ring import RingBuilder

folder, address, *servers = sys.argv[1:]
for server in servers:
    kind, _, port = server.partition("=")
    builder = RingBuilder(part_power=6, replicas=1, min_part_hours=1)
    place = {"region": 1, "zone": 1, "ip": address, "port": int(port), "device": "disk"}
    same = {"replication_ip": address, "replication_port": int(port)}
    builder.add_dev({**place, **same, "weight": 1, "meta": ""})
    builder.rebalance(seed=1)
    builder.save(os.path.join(folder, f"{kind}.builder"))
    builder.get_ring().save(os.path.join(folder, f"{kind}.ring.gz"))
