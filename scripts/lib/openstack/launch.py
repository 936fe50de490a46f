"""Runs the main function of a program that has no launcher here.

    launch.py MODULE PROGRAM ARGUMENT...
"""

import importlib
import sys

module, *rest = sys.argv[1:]
sys.argv = rest
sys.exit(importlib.import_module(module).main())
