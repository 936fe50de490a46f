"""One cloud, one store, and servers that are started on them and may die."""

import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import time

import inventory
import specs

PROGRAM = os.environ.get("BAILEY_TORTURE", "")
KILLED = -signal.SIGKILL
LEASE_LOST = 75


class Broken(Exception):
    """The story cannot go on: a server failed where it should have gone through."""


class Ended:
    """How a server ended."""

    def __init__(self, process, output, errors, told):
        self.code = process.returncode
        self.killed = self.code == KILLED
        self.said = json.loads(output) if self.code == 0 and output.strip() else {}
        self.struck = self.killed or self.said.get("struck", False)
        self.errors = errors.strip()
        self.failed = [each for each in self.said.get("failed", []) if each[0] not in told]
        told.update(each[0] for each in self.failed)

    def findings(self):
        """What is wrong with a server that should have come to its end."""
        if self.code != 0 or not self.said:
            return [f"ended with {self.code}: {self.errors}"]
        found = [f"unfinished change: {each}" for each in self.said["unfinished"]]
        found += [f"failed change: {each}" for each in self.failed]
        if not self.said["empty"]:
            found.append(f"the next plan is not empty: {json.dumps(self.said.get('operations'))[:600]}")
        return found


class World:
    """A folder of its own; close() ends the cloud, and what servers are left. `grace` and `lease` are those of its servers."""

    def __init__(self, folder, names, faults=None, grace=0, lease=60):
        self.folder = pathlib.Path(folder)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.data = self.folder / "data"
        self.database = self.data / "bailey.db"
        self.grace, self.lease = grace, lease
        self.versions = {name: 1 for name in names}
        self.started = 0
        self.servers = []
        self.told = set()  # Failed changes that were reported already.
        openrc = self.folder / "openrc"
        command = [PROGRAM, "cloud", "--openrc", str(openrc), "--log", str(self.folder / "requests")]
        if faults:
            (self.folder / "faults").write_text(json.dumps(faults))
            command += ["--faults", str(self.folder / "faults")]
        self.cloud = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        if not self.cloud.stdout.readline().startswith("http"):
            raise Broken("the cloud did not start")
        self.api = inventory.CloudApi(openrc)

    def close(self):
        for server in self.servers:
            if server.poll() is None:
                server.kill()
        self.cloud.terminate()
        self.cloud.wait()

    # ---- Servers --------------------------------------------------------------------------------

    def start(self, *flags):
        """A server on what is declared now; its standard streams are pipes."""
        self.started += 1
        self.name = f"server-{self.started}"
        file = self.folder / "specs.yaml"
        file.write_text(specs.bundle(self.versions, str(self.folder / "openrc")))
        command = [PROGRAM, "server", "--data", self.data, "--specs", file, "--name", self.name]
        command += ["--grace", self.grace, "--lease", self.lease, *flags]
        words = [str(word) for word in command]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.servers = [each for each in self.servers if each.poll() is None] + [process]
        return process

    def run(self, *flags):
        process = self.start(*flags)
        return self.wait(process)

    def wait(self, process, timeout=180):
        try:
            output, errors = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            output, errors = process.communicate()
            errors += f"\nended by the driver after {timeout} s"
        return Ended(process, output, errors, self.told)

    def must_run(self, *flags):
        ended = self.run(*flags)
        wrong = ended.findings()
        if wrong:
            raise Broken("; ".join(wrong))
        return ended

    def lease_of(self):
        """The body of the lease's record, or nothing: a server that was stopped while it made the
        tables lets nobody look."""
        try:
            return inventory.rows(self.database, "setting").get("lease/" + specs.ENVIRONMENT)
        except sqlite3.OperationalError:
            return None

    def lease_runs_out(self):
        """What waiting for the end of a dead server's lease would come to."""
        if not self.database.exists():
            return
        connection = sqlite3.connect(self.database, timeout=30, isolation_level=None)
        try:
            connection.execute(
                "UPDATE setting SET body = json_set(body, '$.expires_at', '2020-01-01T00:00:00.000Z')"
                " WHERE key = ?",
                ("lease/" + specs.ENVIRONMENT,),
            )
        except sqlite3.OperationalError as error:
            if "no such table" not in str(error):
                raise
        finally:
            connection.close()

    # ---- What is true ----------------------------------------------------------------------------

    def differences(self):
        return inventory.differences(self.api, self.database)

    def requests(self):
        """Of the cloud's log: (microseconds, who, method, path)."""
        for line in (self.folder / "requests").read_text().splitlines():
            when, who, method, path = line.split(" ", 3)
            yield int(when), who, method, path

    def wait_until(self, moment):
        time.sleep(max(0.0, moment - time.time()))
