"""`python -m tests.servers` prints the programs that the tests start. Exits with 1 if one is missing."""

import sys

from tests.servers.finding import find_postgres, find_redis

found = {"PostgreSQL": find_postgres(), "Redis": find_redis()}
for name, path in found.items():
    print(f"{name}: {path or 'missing'}")
sys.exit(None in found.values())
