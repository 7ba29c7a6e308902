#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Units by chance, and what a booted systemd and `kubelet-sysctl explain` make of each.

  units.py make SEED COUNT TREE             writes the units and all that they name below TREE
  units.py compare TREE SAID STATES RELEASE the words that were run (one file for each unit in SAID) against
                                            those of the program that KUBELET_SYSCTL_BIN names

STATES is the output of `systemctl show -p Id,LoadState,Result` of every unit. Exit code 0 when no answer is
different: the same words, or an error where nothing was run, or a refusal with its reason where something was.
"""
import collections
import concurrent.futures
import json
import os
import pathlib
import random
import subprocess
import sys

SAY = "/usr/bin/say"
DEADLINE = 30  # seconds for one run


class Maker:
    """Writes one unit; what it may hold is what systemd.service(5) and systemd.exec(5) allow, and what
    people write."""

    def __init__(self, rng, number):
        self.rng = rng
        self.name = f"g{number}"
        self.files = {}

    def some(self, *choices):
        return self.rng.choice(choices)

    def chance(self, share):
        return self.rng.random() < share

    def text(self):
        return "".join(self.some("a", "b", "--x", "=", "1", ",", ".", "kernel.sem", "/", ":", "-")
                       for _ in range(self.rng.randint(1, 4)))

    def variable(self):
        return self.some("A", "B", "C", "D_1", "E2", "NONE")

    def escape(self):
        return self.some("\\t", "\\x41", "\\101", "\\s", "\\\\", "\\u0041", "\\\"", "\\'", "\\n", "\\q",
                         "\\x4", "\\;")

    def piece(self):
        return self.some(
            self.text(), self.text(), self.text(), "$" + self.variable(),
            "${" + self.variable() + "}", "$$", "%%", "%n", "%p", "%i", "%N", "%P", "%j", self.escape(), "$",
            "{", "}", "#", ";x", "$" + self.variable() + "x", "${" + self.variable() + "}x", "%t", "%S",
            self.some("ü", "\u2028", "*", "~", "&", "|", "<"))

    def word(self):
        inner = "".join(self.piece() for _ in range(self.rng.randint(1, 3)))
        form = self.rng.random()
        if form < 0.5:
            return inner
        if form < 0.7:
            return '"' + inner + self.some("", " ", " b", "'") + '"'
        if form < 0.85:
            return "'" + inner + self.some("", " ", " b", '"') + "'"
        if form < 0.9:
            return self.text() + '"' + inner + '"' + self.text()
        if form < 0.93:
            return self.some('"', "'") + inner  # nobody closes it
        if form < 0.96:
            return self.some(";", "\\;", '""', "''")
        return "$" + self.variable()

    def separator(self):
        return self.some(" ", " ", " ", "  ", "\t", " \\\n  ", " \\\n# between\n  ", " \\\n; between\n", "\\\n")

    def command(self):
        prefix = "".join(self.some("", "", "", "", "-", "+", "!", "!!", ":", "@", "-@", ":-", "|")
                         for _ in range(1))
        program = SAY if self.chance(0.93) else self.some(
            "bin/say", '"' + SAY + '"', "/usr//bin/say", "/usr/bin/../bin/say", "say", "/nowhere", "/usr/bin/",
            "'" + SAY + "'", "/usr/bin/s\\x61y")
        words = [prefix + program]
        if "@" in prefix:
            words.append(self.some("zero", '"ze ro"', "$A", "%n"))
        words += [self.word() for _ in range(self.rng.randint(0, 6))]
        line = words[0]
        for one in words[1:]:
            line += self.separator() + one
        return line

    def assignment(self):
        value = "".join(self.some(self.text(), " ", self.escape(), "%n", "%%", "$A", "${A}", "'", '"', "")
                        for _ in range(self.rng.randint(0, 3)))
        name = self.variable() if self.chance(0.93) else self.some("1A", "a-b", "", "A B", "%n")
        form = self.rng.random()
        if form < 0.35:
            return f'"{name}={value}"'
        if form < 0.5:
            return f"'{name}={value}'"
        if form < 0.6:
            return f'{name}="{value}"'
        return f"{name}={value}".replace(" ", "")

    def environment_file(self):
        lines = []
        for _ in range(self.rng.randint(0, 6)):
            value = "".join(self.some(self.text(), " ", "$A", "\\", "#", "'", '"', "\\\n", "  ", "%n", "\\x41", "`",
                                      "\r", "\t") for _ in range(self.rng.randint(0, 4)))
            form = self.rng.random()
            name = self.variable()
            if form < 0.35:
                lines.append(f"{name}={value}")
            elif form < 0.5:
                lines.append(f'{name}="{value}"')
            elif form < 0.6:
                lines.append(f"{name}='{value}'")
            elif form < 0.7:
                lines.append(f"  {name} = {value}  ")
            elif form < 0.8:
                lines.append(self.some("# ", ";", "#") + value.replace("\n", "n"))
            elif form < 0.9:
                lines.append(f"export {name}={value}")
            else:
                lines.append(self.some("", value, f"{name}", "=x", f"{name}={value} {value}"))
        return self.some("", "", "\ufeff") + "\n".join(lines) + self.some("\n", "\n", "", "\r\n")

    def setting(self):
        form = self.rng.random()
        if form < 0.4:
            count = self.rng.randint(1, 3)
            return "Environment=" + self.some("", "", " ") + self.separator().replace("\\\n", " ").join(
                self.assignment() for _ in range(count))
        if form < 0.6:
            path = f"/etc/gen/{self.name}-{self.rng.randint(1, 3)}.env"
            if self.chance(0.85):
                self.files.setdefault(path, self.environment_file())
                return "EnvironmentFile=" + self.some("", "-") + path
            return "EnvironmentFile=" + self.some("-/nowhere", "/nowhere", "", "relative", "-" + path,
                                                  f"/etc/gen/{self.name}-*.env", "/etc/gen/%N-1.env",
                                                  '"' + path + '"')
        if form < 0.66:
            return "UnsetEnvironment=" + self.some("A", "B C", "A=b", "", '"A" B', "D_1 NONE")
        if form < 0.7:
            return "PassEnvironment=" + self.some("NONE", "", "NONE2 A")
        if form < 0.76:
            return self.some("ExecStartPre=", "ExecStartPost=", "ExecStop=") + self.some(
                "/bin/true", "-/bin/false %F", "/bin/true %F", "/bin/true \"x", "bin/true", "-bin/true",
                "/bin/sh -c \"date +%F\"", "/bin/true 'a", "", "/bin/true ; bin/true")
        if form < 0.8:
            return self.some("# comment", "; comment", "Nonsense=1", "[X-Other]\nA=b\n[Service]", "no equals",
                             "# comment \\\nEnvironment=A=hidden")
        if form < 0.84:
            return self.some("User=root", "ExecSearchPath=/usr/bin", "WorkingDirectory=/", "ExecSearchPath=bin")
        if form < 0.88:
            return "Type=" + self.some("simple", "exec", "oneshot", "", "unknown")
        return "Environment="  # forgets all of them

    def section(self, commands):
        lines = [self.setting() for _ in range(self.rng.randint(0, 4))]
        for command in commands:
            lines.insert(self.rng.randint(0, len(lines)), command)
        return lines

    def make(self):
        template = self.chance(0.1)
        unit = f"{self.name}@one-two.service" if template else self.some(
            f"{self.name}.service", f"{self.name}-a.service", f"{self.name}-a-b.service")
        file = f"{self.name}@.service" if template else unit
        base = self.some("/etc/systemd/system", "/etc/systemd/system", "/usr/lib/systemd/system",
                         "/run/systemd/system")
        commands = [] if self.chance(0.02) else ["ExecStart=" + self.command()]
        if self.chance(0.04):
            commands.append("ExecStart=" + self.command())
        lines = self.section(commands)
        self.files[f"{base}/{file}"] = "[Unit]\nDescription=x\n[Service]\n" + "\n".join(lines) + "\n"
        for number in range(self.rng.choice([0, 0, 1, 1, 2, 3])):
            commands = []
            if self.chance(0.35):
                commands = ["ExecStart="] * (not self.chance(0.1)) + ["ExecStart=" + self.command()]
            elif self.chance(0.03):
                commands = ["ExecStart="]
            head = self.section([])
            tail = self.section([])
            folder = self.some(unit, file, f"{self.name}-.service" if "-a" in unit else unit)
            place = self.some("/etc/systemd/system", "/usr/lib/systemd/system", "/run/systemd/system")
            name = f"{self.rng.randint(1, 3)}0-x.conf" if self.chance(0.9) else f"{number}.txt"
            self.files[f"{place}/{folder}.d/{name}"] = (
                self.some("[Service]\n", "[Service]\n", "[Service]\r\n", "\ufeff[Service]\n") +
                "\n".join(head + commands + tail) + self.some("\n", ""))
        return unit


def make(seed, count, tree):
    tree = pathlib.Path(tree)
    units = []
    for number in range(count):
        maker = Maker(random.Random(f"{seed}/{number}"), number)
        units.append(maker.make())
        for path, text in maker.files.items():
            file = tree / path.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode())
    (tree / "units").write_text("\n".join(units) + "\n")


def states_of(path):
    """What systemd says of each unit: {name: {property: value}}."""
    states = {}
    for block in pathlib.Path(path).read_text(errors="replace").split("\n\n"):
        found = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if "Id" in found:
            states[found["Id"]] = found
    return states


def said_by(path):
    """Every command that was run: lists of words; none where nothing was."""
    if not path.exists():
        return []
    rest = path.read_bytes()
    commands = []
    while rest:
        number, rest = rest.split(b"\n", 1)
        *words, rest = rest.split(b"\0", int(number))
        commands.append([word.decode("utf-8", "replace") for word in words])
    return commands


def explained(program, tree, unit, release):
    done = subprocess.run([program, "explain", "--root", tree, "--unit", unit, "--systemd-version", release,
                           "-o", "json"], stdin=subprocess.DEVNULL, capture_output=True, timeout=DEADLINE,
                          check=False)
    try:
        return done.returncode, json.loads(done.stdout), done.stderr.decode(errors="replace")
    except ValueError:
        return done.returncode, {}, done.stderr.decode(errors="replace")


def judge(said, code, document, errors):
    """"same", "refused" or what is wrong."""
    words = [word["text"] for word in document.get("words") or []]
    if code not in (0, 1, 2, 3):
        return f"exit code {code}: {errors}"
    if "no word left" in errors:
        return "same"  # 252 does not start it, 257 runs it with words out of uninitialised memory
    if not said:
        return "same" if code != 0 or "would not start" in errors else f"nothing was run; explained: {words}"
    if code == 0:
        return "same" if words in said else f"run: {said}; explained: {words}"
    reason = str((document.get("error") or {}).get("message", errors))
    if "systemd does not load" in reason or "systemd does not start" in reason or "no ExecStart" in reason:
        return f"run: {said}; explained as: {reason}"
    return "refused: " + reason


def show_unit(tree, name):
    tree = pathlib.Path(tree)
    stem = name.split(".")[0].split("@")[0].split("-")[0]
    for path in sorted(tree.rglob("*")):
        below = "/" + str(path.relative_to(tree))
        if path.is_file() and (f"/{stem}." in below or f"/{stem}@" in below or f"/{stem}-" in below):
            print(f"  {below}\n" + "".join(f"    | {line!r}\n" for line in
                                           path.read_bytes().decode("utf-8", "replace").split("\n")), end="")


def compare(tree, said, states, release):
    program = os.environ["KUBELET_SYSCTL_BIN"]
    known = states_of(states)
    units = (pathlib.Path(tree) / "units").read_text().split()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        answers = list(pool.map(lambda unit: explained(program, tree, unit, release), units))
    counts = collections.Counter()
    reasons = collections.Counter()
    for unit, answer in zip(units, answers):
        ran = said_by(pathlib.Path(said) / unit)
        verdict = judge(ran, *answer)
        kind = verdict.split(":")[0] if verdict.startswith(("same", "refused")) else "different"
        counts[kind] += 1
        counts["run" if ran else "not run"] += 1
        if kind == "refused":
            reasons[" ".join(word for word in verdict.split()[1:14] if "'" not in word)] += 1
        if kind == "different":
            print(f"DIFFERENT {unit} ({known.get(unit)}): {verdict}")
            show_unit(tree, unit)
    for reason, count in reasons.most_common(20):
        print(f"refused {count}: {reason}")
    print(f"{len(units)} units, {counts['run']} run, {counts['not run']} not: {counts['same']} the same, "
          f"{counts['refused']} refused, {counts['different']} different")
    return 1 if counts["different"] or not counts["run"] else 0


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(sys.argv[2], int(sys.argv[3]), sys.argv[4])
    else:
        sys.exit(compare(*sys.argv[2:6]))
