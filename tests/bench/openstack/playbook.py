"""The same environment by Debian's Ansible and its OpenStack collection."""

import json
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
COLLECTIONS = "/usr/lib/python3/dist-packages/ansible_collections/openstack"


def mend(path, before, after):
    with open(path) as file:
        text = file.read()
    if before not in text:
        sys.exit("Ansible's OpenStack collection is another one than this was written for: " + path)
    with open(path, "w") as file:
        file.write(text.replace(before, after))


class Playbook:
    name = "Ansible"
    project_name = "bench-ansible"

    def __init__(self, admin, shape, image, flavor, folder):
        self.admin, self.shape, self.folder = admin, shape, folder
        self.variables = {
            "project": self.project_name,
            "user": admin.session.user,
            "image": image,
            "flavor": flavor,
            "secrets_url": admin.session.endpoints["key-manager"].removesuffix("/v1"),
            "ports": list(shape.PORTS),
            "networks": [dict(zip(("name", "cidr"), shape.network(i))) for i in range(shape.networks)],
            "groups_wanted": [shape.group(i) for i in range(shape.groups)],
            "secrets": [shape.secret(i) for i in range(shape.secrets)],
            "servers": [self.server(i) for i in range(shape.servers)],
        }
        self.write_clouds()
        self.mend_collection()

    def server(self, index):
        name, network, group = self.shape.server(index)
        return {"name": name, "network": self.shape.network(network)[0], "group": self.shape.group(group)}

    def write_clouds(self):
        def cloud(project):
            auth = {
                "auth_url": self.admin.auth_url,
                "username": os.environ["OS_USERNAME"],
                "password": os.environ["OS_PASSWORD"],
                "user_domain_name": os.environ["OS_USER_DOMAIN_NAME"],
                "project_name": project,
                "project_domain_name": os.environ["OS_PROJECT_DOMAIN_NAME"],
            }
            return {"auth": auth, "region_name": "RegionOne", "interface": "internal"}

        clouds = {"administrator": cloud(os.environ["OS_PROJECT_NAME"]), "bench": cloud(self.project_name)}
        path = os.path.join(self.folder, "clouds.yaml")
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump({"clouds": clouds}, file)

    def mend_collection(self):
        """Debian's collection refuses Debian's newer SDK by a version check, and hands one of the SDK's
        objects to a function that writes into it. The copy has both mended; nothing else is changed."""
        copy = os.path.join(self.folder, "collections", "ansible_collections", "openstack")
        shutil.copytree(COLLECTIONS, copy)
        plugins = os.path.join(copy, "cloud", "plugins")
        mend(
            os.path.join(plugins, "module_utils", "openstack.py"),
            "MAXIMUM_SDK_VERSION = '0.98.999'",
            "MAXIMUM_SDK_VERSION = None",
        )
        mend(os.path.join(plugins, "modules", "server.py"), "server=server,", "server=server.to_dict(),")

    def play(self, state):
        env = {
            "PATH": "/usr/bin:/bin",
            "HOME": self.folder,
            "LANG": "C.UTF-8",
            "OS_CLIENT_CONFIG_FILE": os.path.join(self.folder, "clouds.yaml"),
            "ANSIBLE_COLLECTIONS_PATH": os.path.join(self.folder, "collections"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
            "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
        }
        variables = json.dumps({**self.variables, "state": state, "ansible_python_interpreter": "/usr/bin/python3"})
        command = ["ansible-playbook", "-i", "localhost,", "-e", variables, os.path.join(HERE, "playbook.yml")]
        log = os.path.join(self.folder, "ansible.log")
        with open(log, "a") as file:
            done = subprocess.run(command, env=env, stdout=file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            with open(log) as file:
                sys.exit("Ansible failed:\n" + "".join(file.readlines()[-30:]))

    def create(self):
        self.play("present")

    def unchanged(self):
        self.play("present")

    def destroy(self):
        self.project = self.admin.session.call("identity", "GET", "/projects?name=" + self.project_name)["projects"][0]
        self.play("absent")
        groups = self.admin.session.call("network", "GET", "/security-groups?name=default")["security_groups"]
        for group in groups:
            if group["project_id"] == self.project["id"]:
                self.admin.session.call("network", "DELETE", "/security-groups/" + group["id"])
