#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Serves what a kubelet and an API server answer on HTTPS, to clients with a certificate.

    https_server.py DIRECTORY PORT NODE [ADDRESS]

DIRECTORY holds ca.crt, server.crt and server.key. The list is the one that the stand-in kubelet was last
started with, or where the file 'lie' there holds "ENTRY LIST" and that list has ENTRY, the LIST. A client
whose name is not 'admin' is forbidden everything. The boot id is this machine's, or what 'boot_id' says.
"""
import http.server
import json
import pathlib
import ssl
import sys

directory = pathlib.Path(sys.argv[1])
NODE = "/api/v1/nodes/" + sys.argv[3]


def started_with():
    last = pathlib.Path("/run/fake-kubelet.starts").read_text().splitlines()[-1]
    entries = [entry for entry in last.partition(" ")[2].split(",") if entry]
    lie = directory / "lie"
    if lie.exists():
        when, _, instead = lie.read_text().strip().partition(" ")
        if when in entries:
            return instead.split(",")
    return entries


def configz():
    # As the kubelet does: the key is absent when the list is empty.
    config = {"enableServer": True, "healthzPort": 10248}
    if started_with():
        config["allowedUnsafeSysctls"] = started_with()
    return {"kubeletconfig": config}


def node():
    other = directory / "boot_id"
    boot_id = other if other.exists() else pathlib.Path("/proc/sys/kernel/random/boot_id")
    return {"kind": "Node", "metadata": {"name": sys.argv[3]},
            "status": {"nodeInfo": {"bootID": boot_id.read_text().strip()}}}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        subject = dict(pair[0] for pair in self.connection.getpeercert()["subject"])
        path = self.path.partition("?")[0]  # kubectl adds its timeout
        answers = {"/configz": configz, NODE: node, NODE + "/proxy/configz": configz}
        if subject["commonName"] != "admin":
            self.say(403, {"kind": "Status", "apiVersion": "v1", "status": "Failure",
                           "reason": "Forbidden", "code": 403,
                           "message": "nodes is forbidden: cannot get resource \"nodes/proxy\""})
        elif path not in answers:
            self.say(404, {"kind": "Status", "apiVersion": "v1", "status": "Failure",
                           "reason": "NotFound", "code": 404, "message": "no " + path})
        else:
            self.say(200, answers[path]())

    def say(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(directory / "server.crt", directory / "server.key")
context.load_verify_locations(directory / "ca.crt")
context.verify_mode = ssl.CERT_REQUIRED
address = sys.argv[4] if len(sys.argv) > 4 else "127.0.0.1"
server = http.server.ThreadingHTTPServer((address, int(sys.argv[2])), Handler)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
