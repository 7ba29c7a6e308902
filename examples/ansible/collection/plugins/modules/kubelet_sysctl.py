#!/usr/bin/python
# SPDX-License-Identifier: Apache-2.0
"""Ansible module: which unsafe sysctls the kubelet of a node allows, by way of kubelet-sysctl."""

DOCUMENTATION = r"""
module: kubelet_sysctl
short_description: Change which unsafe sysctls pods on this node may set
description:
  - Runs C(kubelet-sysctl) on the node, which finds the list that is in force, changes it there, restarts
    the kubelet, watches it, and puts the old files back if it does not hold.
  - Where the list is as desired, nothing is written and nothing restarts.
  - Needs root and Python 3.6 or later on the node.
version_added: "0.1.0"
author: the kubelet-sysctl authors
attributes:
  check_mode:
    support: full
    description: Asks the program what it would do; nothing is written.
  diff_mode:
    support: full
    description: How each file changes. Of a file of arguments only the words that change are shown.
options:
  entries:
    description: Names of sysctls, or prefixes that end in C(*).
    type: list
    elements: str
    required: true
  state:
    description:
      - C(present) adds what the list lacks and keeps what is there.
      - C(exact) makes the list these entries and no other.
      - C(absent) removes entries, each as the list spells it.
    type: str
    choices: [present, exact, absent]
    default: present
  allow_empty:
    description: With I(state=exact), no entries at all empty the list. Otherwise they are taken for a mistake.
    type: bool
    default: false
  reason:
    description: Why; kept in the node's record of the change.
    type: str
  via:
    description: Where to write. C(auto) is where the list in force is.
    type: str
    choices: [auto, config, args]
  unit:
    description: The unit that runs the kubelet; left out, C(kubelet.service) or the one of a distribution.
    type: str
  window:
    description: How long the kubelet must stay the same and healthy, such as C(10s).
    type: str
  timeout:
    description: From the restart to the first healthy answer, such as C(2m).
    type: str
  trial:
    description:
      - After this time the node undoes the change by itself, unless C(kubelet-sysctl keep) runs there before.
    type: str
  restart:
    description: If false, the files are written and the restart is left to the caller.
    type: bool
    default: true
  allow_wide:
    description: Write C(net.*), which allows everything below net.
    type: bool
    default: false
  evict_pods:
    description: Narrow the list although the kubelet then ends pods that run and set what is gone.
    type: bool
    default: false
  node:
    description:
      - What warnings name the node, since Ansible prints them without one. Left out, its host name.
    type: str
  executable:
    description: The program on the node, a path or a name.
    type: str
    default: kubelet-sysctl
"""

EXAMPLES = r"""
- name: Allow two entries beside those that are there
  kubelet_sysctl.node.kubelet_sysctl:
    entries: [net.core.somaxconn, "kernel.msg*"]
    reason: ticket 1412

- name: Allow these and no others
  kubelet_sysctl.node.kubelet_sysctl:
    entries: [net.core.somaxconn]
    state: exact
"""

RETURN = r"""
outcome:
  description: unchanged, planned (check mode), applied, pending, rolled-back or stranded.
  type: str
  returned: unless the program failed before an outcome
before:
  description: The list before.
  type: list
  elements: str
  returned: with an outcome
after:
  description: The list after the run. In check mode the one that it would make, stranded the one that was tried.
  type: list
  elements: str
  returned: with an outcome
transaction:
  description: The id of the change in the node's records; C(kubelet-sysctl undo ID) takes it back.
  type: str
  returned: when something was changed
evidence:
  description: What was seen of the kubelet that runs now.
  type: dict
  returned: when it was watched
findings:
  description: What is worth knowing about the node, each with id, severity, message and hint.
  type: list
  elements: dict
  returned: with an outcome
exit:
  description: The program's exit code. 3 refused, 4 rolled back, 5 stranded.
  type: int
  returned: always
command:
  description: The command that was run, quoted for a shell.
  type: str
  returned: always
kind:
  description: The kind of an error before an outcome, such as refused, usage or locked.
  type: str
  returned: when the program failed before an outcome
detail:
  description: More lines about an error, such as a difference.
  type: list
  elements: str
  returned: when the program failed with more to show
last_words:
  description: The kubelet's own last lines of a start that failed.
  type: list
  elements: str
  returned: after a rollback
commands:
  description: The commands to type next.
  type: list
  elements: str
  returned: when the node is stranded
"""

import json  # noqa: E402
import socket  # noqa: E402
from shlex import quote  # noqa: E402

from ansible.module_utils.basic import AnsibleModule  # noqa: E402

VERBS = {"present": "add", "exact": "set", "absent": "remove"}
VALUES = ("reason", "via", "unit", "window", "timeout", "trial")
# Which verb takes which permission: the program refuses options that mean nothing to it.
PERMISSIONS = {"allow_wide": ("add", "set"), "evict_pods": ("remove", "set")}
# Some sudo gives a PATH without it.
MORE_PATH = ["/usr/local/sbin", "/usr/local/bin"]
API_VERSION = "kubelet-sysctl/v1"


def command_of(params, program, dry_run):
    """The words of the command: no shell, so '*' stays what it is."""
    verb = VERBS[params["state"]]
    words = [program, verb, "--output", "json"]
    for name in VALUES:
        if params[name] is not None:
            words += ["--" + name, params[name]]
    for name, verbs in sorted(PERMISSIONS.items()):
        if params[name] and verb in verbs:
            words.append("--" + name.replace("_", "-"))
    if not params["restart"]:
        words.append("--no-restart")
    if dry_run:
        words.append("--dry-run")
    if verb == "set" and not params["entries"]:
        return words + ["--empty"]
    return words + ["--"] + params["entries"]


def typed(words):
    """The command, quoted for a shell on the node."""
    return " ".join(quote(word) for word in words)


def run(module, words):
    """The exit code and the one document that the program prints; its own words where it is none."""
    code, out, err = module.run_command(words)
    try:
        document = json.loads(out)
    except ValueError:
        module.fail_json(
            msg="%s: exit %d: %s" % (words[0], code, (err or out).strip() or "no output"),
            exit=code, command=typed(words))
    if document.get("apiVersion") != API_VERSION:
        module.fail_json(
            msg="%s speaks '%s', this module '%s'" % (words[0], document.get("apiVersion"), API_VERSION),
            exit=code, command=typed(words))
    return code, document


def sentence(fact):
    """An error or a finding in one line: where, what, and what to do about it."""
    text = fact["message"]
    if fact.get("file"):
        line = ":%d" % fact["line"] if fact.get("line") else ""
        text = "%s%s: %s" % (fact["file"], line, text)
    if fact.get("id"):
        text += " [%s]" % fact["id"]
    if fact.get("hint"):
        text += "; hint: " + fact["hint"]
    return text


def result_of(outcome, code):
    """What a task that registers the result can read."""
    result = {key: outcome[key] for key in
              ("outcome", "before", "after", "restart", "transaction", "evidence", "findings", "recovered", "trial")}
    # A dry run changes nothing; 'planned' says that the run itself would.
    result["changed"] = outcome["changed"] or outcome["outcome"] == "planned"
    result["exit"] = code
    result["msg"] = "%s: %s" % (outcome["outcome"], difference(outcome))
    return result


def difference(outcome):
    """What the run does to the list, in a few words."""
    parts = ["+ " + one for one in outcome["after"] if one not in outcome["before"]]
    parts += ["- " + one for one in outcome["before"] if one not in outcome["after"]]
    if parts:
        return ", ".join(parts)
    if outcome["before"] != outcome["after"]:
        return "the same entries in another order"
    if outcome["restart"] != "none":
        return "the files have the list already, the kubelet's restart brings it into force"
    return "the list is as desired"


def fail(module, code, document, words):
    """Ends the task with what the program said: an error before an outcome, or an outcome that is bad."""
    if document["kind"] == "Error":
        error = document["error"]
        more = {"detail": error["detail"].splitlines()} if error.get("detail") else {}
        module.fail_json(msg=sentence(error), kind=error["kind"], exit=code, command=typed(words), **more)
    result = result_of(document, code)
    del result["msg"]
    evidence = document["evidence"] or {}
    if document["outcome"] == "stranded":
        parts = ["STRANDED, neither the new state nor the old one could be confirmed, manual action required"]
    elif evidence.get("pid"):
        parts = ["rolled back, the files are as before and the kubelet runs with them (pid %d, health: %s)"
                 % (evidence["pid"], evidence["health"] or "unknown")]
    else:
        parts = ["rolled back, the files are as before"]
    if document.get("cause"):
        parts.append(sentence(document["cause"]))
    if document.get("lastWords"):
        result["last_words"] = document["lastWords"]
        parts.append("the kubelet's last words: " + document["lastWords"][-1])
    if document.get("recognised"):
        parts.append("the reason: " + document["recognised"])
    if document.get("commands"):
        result["commands"] = document["commands"]
        parts.append("next: " + " && ".join(document["commands"]))
    module.fail_json(msg="; ".join(parts), command=typed(words), **result)


def warn(module, text):
    """Ansible prints the warnings of many nodes in one place, and equal ones once."""
    module.warn("%s: %s" % (module.params["node"] or socket.gethostname(), text))


def warn_of_recovery(module, program):
    """In check mode: the next run first brings a change to its end that was cut short."""
    code, document = run(module, [program, "recover", "--dry-run", "--output", "json"])
    if code == 0 and document["recovered"]:
        warn(module, "a change was not finished here (%s): the run brings it to its end first, and what is "
             "then to be done may be something else" % ", ".join(document["recovered"]))


def main():
    module = AnsibleModule(
        argument_spec={
            "entries": {"type": "list", "elements": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "exact", "absent"], "default": "present"},
            "allow_empty": {"type": "bool", "default": False},
            "reason": {"type": "str"},
            "via": {"type": "str", "choices": ["auto", "config", "args"]},
            "unit": {"type": "str"},
            "window": {"type": "str"},
            "timeout": {"type": "str"},
            "trial": {"type": "str"},
            "restart": {"type": "bool", "default": True},
            "allow_wide": {"type": "bool", "default": False},
            "evict_pods": {"type": "bool", "default": False},
            "node": {"type": "str"},
            "executable": {"type": "str", "default": "kubelet-sysctl"},
        },
        supports_check_mode=True)
    params = module.params
    if not params["entries"] and params["state"] != "exact":
        module.exit_json(changed=False, msg="no entries are given")
    if not params["entries"] and not params["allow_empty"]:
        module.fail_json(msg="no entries are given: 'state: exact' would empty the list; "
                             "if that is meant, say 'allow_empty: true'")
    program = module.get_bin_path(params["executable"], opt_dirs=MORE_PATH)
    if program is None:
        module.fail_json(msg="there is no program '%s' on this node: install the package, or let the "
                             "role put it there with 'kubelet_sysctl_binary'" % params["executable"])
    words = command_of(params, program, module.check_mode)
    code, document = run(module, words)
    for finding in document.get("findings", []):
        if finding["severity"] != "note":
            warn(module, sentence(finding))
    if code != 0:
        fail(module, code, document, words)
    if module.check_mode:
        warn_of_recovery(module, program)
    result = result_of(document, code)
    if module._diff:
        result["diff"] = [{"prepared": edit["diff"]} for edit in document["edits"]]
    module.exit_json(command=typed(words), **result)


if __name__ == "__main__":
    main()
