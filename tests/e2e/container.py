#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# A container as a runtime makes one from an image that holds one static program: namespaces of its own,
# a read-only root with that program and /proc, a control group, capabilities; then the program runs.
#
#   container.py [OPTION...] PROGRAM [ARGUMENT...]     runs in a node, as root
#
#   --own-pid          without hostPID: a PID namespace too, and the program is process 1 of it
#   --own-user         in a user namespace (hostUsers: false, a rootless engine)
#   --keep CAP,CAP     with these capabilities and no others, by number (default: those of the manifests in
#                      examples/kubernetes); "all" as with privileged: true
#   --drop CAP,CAP     without these of them; "all" for none at all
#   --seccomp          with a filter that refuses setns(2), as runtimes have one
#   --uid N            not as root
#   --mount FROM:TO    a directory of the node below TO, read-only, as a ConfigMap comes
#   --pid-file FILE    a file of the node that gets the process id
import argparse
import ctypes
import os
import shutil
import signal
import struct
import sys

libc = ctypes.CDLL(None, use_errno=True)
NEWNS, NEWCGROUP, NEWUTS, NEWIPC = 0x20000, 0x2000000, 0x4000000, 0x8000000
NEWUSER, NEWPID, NEWNET = 0x10000000, 0x20000000, 0x40000000
RDONLY, NOSUID, NODEV, NOEXEC, REMOUNT, BIND, REC, PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
MNT_DETACH = 2
SYS_CHROOT, SYS_PTRACE, SYS_ADMIN = 18, 19, 21
PR_SET_SECCOMP, SECCOMP_FILTER, PR_CAPBSET_DROP, LAST_CAP = 22, 2, 24, 40
SYS = {"x86_64": {"pivot_root": 155, "setns": 308}, "aarch64": {"pivot_root": 41, "setns": 268}}
NUMBER = SYS[os.uname().machine]


def call(name, *arguments):
    if getattr(libc, name)(*arguments) < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"container.py: {name}: {os.strerror(number)}")


def mount(source, target, kind=None, flags=0, data=None):
    words = [None if word is None else word.encode() for word in (source, target, kind, data)]
    call("mount", words[0], words[1], words[2], ctypes.c_ulong(flags), words[3])


def join_cgroup(name):
    """As the kubelet does, in every hierarchy that systemd keeps: v2 alone, or v1 with or without v2."""
    for tree in ("/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified", "/sys/fs/cgroup"):
        if not os.path.exists(tree + "/cgroup.procs"):
            continue
        group = f"{tree}/kubepods.slice/{name}"
        os.makedirs(group, exist_ok=True)
        with open(group + "/cgroup.procs", "w") as procs:
            procs.write(str(os.getpid()))


def enter_user_namespace():
    call("unshare", NEWUSER)
    for file, text in (("setgroups", "deny"), ("uid_map", "0 0 1"), ("gid_map", "0 0 1")):
        with open("/proc/self/" + file, "w") as target:
            target.write(text)


def make_root(options):
    mount("none", "/", flags=REC | PRIVATE)
    root = "/run/container"
    os.makedirs(root, exist_ok=True)
    mount("tmpfs", root, "tmpfs", NOSUID | NODEV, "mode=0755")
    shutil.copy(options.program, root + "/kubelet-sysctl")
    os.mkdir(root + "/proc")
    if options.own_user:
        mount("/proc", root + "/proc", flags=BIND | REC)
    else:
        mount("proc", root + "/proc", "proc", NOSUID | NODEV | NOEXEC)
    for source, target in options.mount:
        os.makedirs(root + target)
        mount(source, root + target, flags=BIND)
        mount(None, root + target, flags=BIND | REMOUNT | RDONLY)
    mount(None, root, flags=BIND | REMOUNT | RDONLY)
    os.chdir(root)
    # Onto itself: then the old root lies above and goes (pivot_root(2)).
    call("syscall", NUMBER["pivot_root"], b".", b".")
    call("umount2", b".", MNT_DETACH)
    os.chdir("/")


def install_filter():
    load_number, refuse, allow = 0x20, 0x50000 | 1, 0x7FFF0000
    code = [(load_number, 0, 0, 0), (0x15, 0, 1, NUMBER["setns"]), (0x06, 0, 0, refuse), (0x06, 0, 0, allow)]
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in code))
    header = struct.pack("HxxxxxxP", len(code), ctypes.addressof(program))
    call("prctl", PR_SET_SECCOMP, SECCOMP_FILTER, header, 0, 0)


def numbers(text, every):
    return every if text == "all" else set(map(int, filter(None, text.split(","))))


def run(options):
    if options.seccomp:
        install_filter()
    # What is not in the bounding set is not root's after execve(2) (capabilities(7)).
    every = set(range(LAST_CAP + 1))
    for number in every - numbers(options.keep, every) | numbers(options.drop, every):
        call("prctl", PR_CAPBSET_DROP, number, 0, 0, 0)
    if options.uid:
        os.setgroups([])
        os.setgid(options.uid)
        os.setuid(options.uid)
    environment = {"PATH": "/nowhere", "HOME": "/", "HOSTNAME": "pod-1", "SUDO_USER": "nobody",
                   "KUBERNETES_SERVICE_HOST": "10.96.0.1", "TZ": "Asia/Tokyo"}
    os.execve("/kubelet-sysctl", ["/kubelet-sysctl", *options.arguments], environment)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--own-pid", action="store_true")
    parser.add_argument("--own-user", action="store_true")
    parser.add_argument("--keep", default=f"{SYS_CHROOT},{SYS_PTRACE},{SYS_ADMIN}")
    parser.add_argument("--drop", default="")
    parser.add_argument("--seccomp", action="store_true")
    parser.add_argument("--uid", type=int, default=0)
    parser.add_argument("--mount", type=lambda text: text.split(":"), action="append", default=[])
    parser.add_argument("--pid-file")
    parser.add_argument("program")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(one, signal.SIG_DFL)
    join_cgroup("pod-1")
    if options.own_user:
        enter_user_namespace()
    flags = NEWNS | NEWCGROUP | NEWUTS | NEWIPC | NEWNET
    call("unshare", flags | NEWPID if options.own_pid else flags)
    if options.own_pid:
        child = os.fork()
        if child:
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    call("sethostname", b"pod-1", 5)
    if options.pid_file:
        with open(options.pid_file + ".new", "w") as file:
            file.write(f"{os.getpid()}\n")
        os.rename(options.pid_file + ".new", options.pid_file)
    make_root(options)
    run(options)


main()
