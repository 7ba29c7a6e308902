#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Stands in for kubectl: `--kubeconfig FILE --request-timeout=Ns get --raw PATH`, and nothing else.

The kubeconfig is JSON, which is YAML too, so that a real kubectl takes the same file.
"""
import http.client
import json
import ssl
import sys
import urllib.parse

words = sys.argv[1:]
if words[0] != "--kubeconfig" or words[3:5] != ["get", "--raw"] or len(words) != 6:
    sys.exit(f"error: unknown command {words}")
with open(words[1], encoding="utf-8") as file:
    config = json.load(file)
cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
context = ssl.create_default_context(cafile=cluster["certificate-authority"])
context.load_cert_chain(user["client-certificate"], user["client-key"])
address = urllib.parse.urlsplit(cluster["server"])
try:
    connection = http.client.HTTPSConnection(address.hostname, address.port, context=context,
                                             timeout=float(words[2].strip("-request-timeout=s")))
    connection.request("GET", words[5])
    answer = connection.getresponse()
    body = answer.read().decode()
except OSError as fault:
    sys.exit(f"Unable to connect to the server: {fault}")
if answer.status != 200:
    status = json.loads(body)
    sys.exit(f"Error from server ({status['reason']}): {status['message']}")
sys.stdout.write(body)
