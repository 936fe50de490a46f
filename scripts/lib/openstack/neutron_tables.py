"""Makes Neutron's tables from its models.

    neutron_tables.py --config-file FILE
"""

import configparser
import sys

import sqlalchemy
from neutron.db.migration.models import head

settings = configparser.RawConfigParser(strict=False)
settings.read(sys.argv[2])
engine = sqlalchemy.create_engine(settings["database"]["connection"])
head.get_metadata().create_all(engine)
