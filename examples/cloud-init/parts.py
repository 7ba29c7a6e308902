#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Takes user data out of the objects that carry it, as Karpenter and Cluster API do; for run.sh."""
import email
import json
import sys

import yaml


def user_data(path):
    with open(path, encoding="utf-8") as file:
        return yaml.safe_load(file)["spec"]["userData"]


def part(text, content_type):
    """The first part of that type of a multi-part text."""
    for one in email.message_from_string(text).walk():
        if one.get_content_type() == content_type:
            return one.get_payload()
    sys.exit(f"parts.py: error: no part of type '{content_type}'")


def cloud_config_of(path):
    """What Cluster API makes of files and commands: write_files and runcmd."""
    with open(path, encoding="utf-8") as file:
        spec = yaml.safe_load(file)["spec"]["template"]["spec"]
    return {"write_files": spec["files"], "runcmd": spec["preKubeadmCommands"]}


def nodeadm(text):
    """The configuration that nodeadm makes of a NodeConfig: its 40-nodeadm.conf."""
    config = yaml.safe_load(part(text, "application/node.eks.aws"))["spec"]["kubelet"]["config"]
    config |= {"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration"}
    return json.dumps(config, indent=4)


def main(what, path, other=""):
    if what == "user-data":
        print(user_data(path), end="")
    elif what == "cloud-config":
        print(part(user_data(path), "text/cloud-config"), end="")
    elif what == "nodeadm":
        with open(path, encoding="utf-8") as file:
            print(nodeadm(file.read()), end="")
    elif what == "same":
        with open(other, encoding="utf-8") as file:
            wanted = yaml.safe_load(file)
        if cloud_config_of(path) != wanted:
            sys.exit(f"parts.py: error: '{path}' does not make '{other}'")
    else:
        sys.exit(f"parts.py: error: what is '{what}'?")


main(*sys.argv[1:])
