#!/usr/bin/env python3
"""Looks for the secrets of a quickstart run where they must not be: the database and what belongs to
it, logs, plans, receipts, audit entries, command lines, and what was printed.

    lib_find_secrets.py RUN_FOLDER [FILE...]
"""

import base64
import json
import pathlib
import sys
import urllib.parse


def collect(run):
    """Everything secret that the run made, by name."""
    secrets = {}
    for token in (run / "tokens").iterdir():
        secrets[f"token of {token.name}"] = token.read_text().strip()
    for key in (run / "keys").iterdir():
        if key.suffix != ".pub":
            lines = key.read_text().splitlines()
            secrets[f"SSH key of {key.name}"] = lines[len(lines) // 2]
    for account in run.glob("cloud-*.json"):
        secrets[account.name] = json.loads(account.read_text())["password"]
    for line in (run / "openrc").read_text().splitlines():
        name, _, value = line.removeprefix("export ").partition("=")
        if name == "OS_PASSWORD":
            secrets["the cloud administrator's password"] = value.strip("'\"")
    for key in (run / "server").glob("*.key"):
        # The last word is the key; its middle is enough to know it by.
        secrets[key.name] = key.read_text().split()[-1][-24:]
    return secrets


def spellings(secret):
    raw = secret.encode()
    yield raw
    yield base64.b64encode(raw).rstrip(b"=")
    for shift in (1, 2):
        # The middle of the secret in base64 at the other two alignments.
        yield base64.b64encode(b"\0" * shift + raw)[4:-4]
    yield raw.hex().encode()
    yield urllib.parse.quote(secret, safe="").encode()
    yield json.dumps(secret)[1:-1].encode()


def places(run, extra):
    server = run / "server"
    for path in sorted(server.rglob("*")):
        if path.is_file() and path.suffix != ".key":
            yield path
    for path in sorted((run / "out").rglob("*")):
        if path.is_file():
            yield path
    yield from sorted(run.glob("*.log"))
    yield from sorted(run.glob("*.command"))
    yield from sorted(run.glob("cloud.db*"))
    yield from (path for path in (run / "specs").rglob("*") if path.is_file())
    yield from map(pathlib.Path, extra)


def main():
    run = pathlib.Path(sys.argv[1])
    secrets = collect(run)
    assert len(secrets) >= 15, f"only {len(secrets)} secrets found to look for: {sorted(secrets)}"
    looked = 0
    found = []
    for path in places(run, sys.argv[2:]):
        if path.name.endswith(".key"):
            continue
        text = path.read_bytes()
        looked += 1
        for name, secret in secrets.items():
            assert len(secret) >= 12, f"{name} is too short to look for"
            if any(spelling in text for spelling in spellings(secret)):
                found.append(f"{name} stands in {path}")
    assert looked >= 10, f"only {looked} files looked at"
    print("\n".join(found) or f"none of {len(secrets)} secrets stands in any of {looked} files")
    return 1 if found else 0


sys.exit(main())
