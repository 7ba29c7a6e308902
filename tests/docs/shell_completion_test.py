#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The completion scripts in real shells: a user types a line and TAB, and this is the line then.

What the program offers for each command is tested in completion_test.cpp; here bash (with Debian's
bash-completion) and zsh sit on a terminal, and fish is asked with `complete -C`.
"""
import os
import pathlib
import pty
import re
import resource
import select
import shutil
import subprocess
import sys
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("KUBELET_SYSCTL", str(SOURCE / "build/static/kubelet-sysctl"))
SCRIPTS = SOURCE / "docs/completions"
DEADLINE = 20

BASH_SETUP = """
[ ! -e /usr/share/bash-completion/bash_completion ] || . /usr/share/bash-completion/bash_completion
. {scripts}/kubelet-sysctl.bash
show_line() {{ printf 'LINE<%s>\\n' "$READLINE_LINE"; }}
bind -x '"\\C-g": show_line'
bind 'set enable-bracketed-paste off'
PS1='ready$ '
"""
ZSH_SETUP = """
fpath=({scripts} $fpath)
autoload -Uz compinit && compinit -u -d {work}/zcompdump
show_line() {{ print -r -- "LINE<$BUFFER>"; }}
zle -N show_line
bindkey '^G' show_line
unsetopt zle_bracketed_paste 2>/dev/null; zle_bracketed_paste=()
PS1='ready$ '
"""


def skip(why):
    print(f"skipped: {why}", file=sys.stderr)
    sys.exit(77)


class Shell:
    """An interactive shell on a terminal."""

    def __init__(self, words, setup, environment):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execvpe(words[0], words, environment)
        self.seen = ""
        self.type(setup + "\r")
        self.wait_for(r"(?s)ready\$ $")

    def type(self, text):
        os.write(self.terminal, text.encode())

    def wait_for(self, pattern):
        deadline = time.monotonic() + DEADLINE
        while True:
            found = re.search(pattern, self.seen)
            if found:
                self.seen = ""
                return found
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.terminal], [], [], left)[0]:
                sys.exit(f"FAILED no '{pattern}' within {DEADLINE} s; seen:\n{self.seen}")
            self.seen += os.read(self.terminal, 65536).decode(errors="replace")

    def line_after_tab(self, line):
        """The line that is there; then the line is cleared."""
        self.type(line + "\t\x07")
        found = self.wait_for(r"(?s)LINE<(.*?)>\r?\n")
        self.type("\x15\r")
        self.wait_for(r"(?s)ready\$ (.*ready\$ )?$")
        return found.group(1)

    def end(self):
        os.close(self.terminal)
        os.waitpid(self.pid, 0)


def fish_offers(line, environment):
    said = subprocess.run(["fish", "--no-config", "-c",
                           f"source {SCRIPTS}/kubelet-sysctl.fish; complete -C (cat)"],
                          input=line, text=True, capture_output=True, env=environment, check=True,
                          timeout=DEADLINE)
    if said.stderr:
        sys.exit(f"FAILED fish says: {said.stderr}")
    return [row.split("\t")[0] for row in said.stdout.splitlines()]


def lines_to_type(root, change):
    """What is typed, what TAB adds to it, and whether a blank follows."""
    k = "kubelet-sysctl "
    return [
        ("kubelet-sysctl histo", "ry", True),
        (k + "add net.core.somaxc", "onn", True),
        (k + "add 'net.core.somaxc", "onn", True),
        (k + "check kernel.msgma", "x", True),
        (k + "add --dry", "-run", True),
        (k + "add --via c", "onfig", True),
        (k + "add --via=c", "onfig", True),
        (k + "help expl", "ain", True),
        (k + f"remove --root {root} kernel.m", "sg\\*", True),
        (k + f"remove --root={root} net.core.", "somaxconn", True),
        (k + f"undo --root {root} {change[:9]}", change[9:], True),
        # One folder for each interface: the names in it are offered when it was chosen.
        (k + "add net.ipv4.conf.l", "o.", False),
        (k + "add net.ipv4.conf.lo.rp_f", "ilter", True),
        (k + f"check -f {root}/etc/sysconfig/kube", "let", True),
        (k + f"show --root {root}/etc/syscon", "fig/", False),
        # Nothing fits, and nothing is said.
        (k + "add no.such.name.", "", False),
        (k + "no-such-command ", "", False),
    ]


def wanted(typed, added, blank, shell):
    quote = "'" if "'" in typed else ""
    if added == "onn" and quote and shell == "fish":
        return None  # complete -C prints offers and not lines
    return typed + added + (quote if added else "") + (" " if blank else "")


def check_terminal(name, words, setup, environment, table):
    shell = Shell(words, setup, environment)
    bad = 0
    for typed, added, blank in table:
        seen = shell.line_after_tab(typed)
        if seen != wanted(typed, added, blank, name):
            print(f"FAILED {name}: '{typed}' TAB\n  expected: '{wanted(typed, added, blank, name)}'\n"
                  f"  seen:     '{seen}'", file=sys.stderr)
            bad += 1
    shell.end()
    return bad


def check_fish(environment, table):
    bad = 0
    for typed, added, _ in table:
        word = typed.rsplit(" ", 1)[-1].lstrip("'")
        # fish prints the words as they are, and quotes when it puts them into the line.
        expected = [word + added.replace("\\", "")] if added else []
        seen = fish_offers(typed, environment)
        if seen != expected:
            print(f"FAILED fish: '{typed}' TAB\n  expected: {expected}\n  seen:     {seen}",
                  file=sys.stderr)
            bad += 1
    return bad


def check_unprivileged(program):
    """A user who is not root hears no complaint, and waits for nothing."""
    bad = 0
    for words in (["add", "net."], ["remove", ""], ["undo", ""], ["add", "--unit", ""], [""]):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [program, "__complete", *words]
        if os.geteuid() == 0:
            command = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", *command]
        said = subprocess.run(command, text=True, capture_output=True, timeout=DEADLINE, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        if said.returncode != 0 or said.stderr or spent > 0.05:
            print(f"FAILED {words}: exit {said.returncode}, {spent * 1000:.0f} ms of processor, "
                  f"said: {said.stderr}", file=sys.stderr)
            bad += 1
    return bad


def main():
    if not os.access(PROGRAM, os.X_OK):
        skip(f"no program at '{PROGRAM}': build it")
    missing = [name for name in ("bash", "zsh", "fish") if shutil.which(name) is None]
    with tempfile.TemporaryDirectory(prefix="kubelet-sysctl-completion.") as work:
        os.chmod(work, 0o755)
        binaries = pathlib.Path(work, "bin")
        binaries.mkdir()
        # A copy, because another process than root may not see the directory of the build.
        shutil.copy(PROGRAM, binaries / "kubelet-sysctl")
        root = pathlib.Path(work, "root")
        shutil.copytree(SOURCE / "tests/nodes/kops/root", root, symlinks=True)
        environment = {"PATH": f"{binaries}:{os.environ['PATH']}", "HOME": work, "TERM": "dumb",
                       "LANG": "C.UTF-8", "INPUTRC": "/dev/null", "ZDOTDIR": work}
        subprocess.run([PROGRAM, "add", "--root", root, "kernel.msg*", "-q"], check=True)
        change, = os.listdir(root / "var/lib/kubelet-sysctl/transactions")
        table = lines_to_type(root, change)
        # 300 columns: a line that a shell breaks is another line.
        setup = "stty cols 300 rows 50;"
        bad = check_unprivileged(str(binaries / "kubelet-sysctl"))
        for name, words, script in (("bash", ["bash", "--norc", "--noprofile", "-i"], BASH_SETUP),
                                    ("zsh", ["zsh", "-f", "-i"], ZSH_SETUP)):
            if name in missing:
                continue
            path = pathlib.Path(work, name + ".setup")
            path.write_text(script.format(scripts=SCRIPTS, work=work))
            bad += check_terminal(name, words, f"{setup} . {path}", environment, table)
        if "fish" not in missing:
            bad += check_fish(environment, table)
    if bad:
        sys.exit(1)
    if missing:
        skip(f"not installed: {', '.join(missing)}")


if __name__ == "__main__":
    main()
