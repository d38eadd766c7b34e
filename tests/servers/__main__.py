"""`python -m tests.servers` tells which programs the tests would start. It ends with 1 where one is missing."""

import sys

from tests.servers.finding import find_postgres, find_redis

found = {"PostgreSQL": find_postgres(), "Redis": find_redis()}
for name, path in found.items():
    print(f"{name}: {path or 'missing'}")
sys.exit(None in found.values())
