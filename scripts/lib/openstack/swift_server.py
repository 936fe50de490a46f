"""Runs one of Swift's servers from a file named account-server.conf, proxy-server.conf, ...

    swift_server.py FILE
"""

import logging
import os
import sys

from swift.common import utils, wsgi

settings = sys.argv[1]
# Messages go to stderr. Without a system logger Swift would send them to the network.
utils.ThreadSafeSysLogHandler = lambda **_: logging.NullHandler()
# Swift looks into /etc/swift otherwise.
utils.set_swift_dir(os.path.dirname(settings))
kind = os.path.basename(settings).removesuffix(".conf")
keywords = {"verbose": True}
if kind == "object-server":
    from swift.obj import server

    keywords["global_conf_callback"] = server.global_conf_callback
sys.exit(wsgi.run_wsgi(settings, kind, **keywords))
