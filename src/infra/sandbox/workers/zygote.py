"""The first process inside the sandbox: forks one single-use worker for every order it receives.

It never sees a request. An order on the control socket is one byte (which worker) and three
descriptors: the worker's own socket to the parent, the pipe for what it prints, and the pipe on
which its end is reported. When the control socket closes, this process ends and every worker with
it, and then bubblewrap has nothing left to wait for.
"""

import ctypes
import gc
import json
import os
import resource
import select
import signal
import socket
import struct
import sys

sys.path.insert(0, "/flowspan")
import python_worker

CONTROL_FD = 3
DATA_FD = 3
FIRST_FREE_FD = 4

CLONE_NEWNS = 0x00020000
MS_NOSUID, MS_NODEV, MS_NOEXEC = 2, 4, 8
PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38
PR_SET_SECCOMP = 22
SECCOMP_MODE_FILTER = 2
LINUX_CAPABILITY_VERSION_3 = 0x20080522

libc = ctypes.CDLL(None, use_errno=True)


class SockFprog(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def load_filter(name):
    with open("/flowspan/" + name, "rb") as file:
        program = file.read()
    # 8 bytes per BPF instruction.
    return SockFprog(len(program) // 8, program)


def mount_private_tmp(size):
    """Gives this process a /tmp of its own. Where a security module forbids the mount, /tmp stays
    the empty read-only folder that it was."""
    if libc.unshare(CLONE_NEWNS) != 0:
        return
    options = f"size={size},nr_inodes=4096,mode=1777".encode()
    flags = ctypes.c_ulong(MS_NOSUID | MS_NODEV | MS_NOEXEC)
    libc.mount(b"tmpfs", b"/tmp", b"tmpfs", flags, options)


def drop_capabilities():
    header = struct.pack("=II", LINUX_CAPABILITY_VERSION_3, 0)
    if libc.capset(header, bytes(24)) != 0:
        raise OSError(ctypes.get_errno(), "capset")


def die_with(zygote):
    """Whatever ends the zygote ends this process, which cannot undo it later."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != zygote:
        os._exit(0)


def forbid_system_calls(program):
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no_new_privs")
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "seccomp")


def become_worker(settings, filters, kind, data, printed, zygote):
    """Confines this freshly forked process and turns it into a worker. Does not return."""
    os.dup2(printed, 1)
    os.dup2(printed, 2)
    os.dup2(data, DATA_FD)
    os.closerange(FIRST_FREE_FD, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    mount_private_tmp(settings["temp_bytes"])
    os.chdir("/tmp")
    drop_capabilities()
    die_with(zygote)
    forbid_system_calls(filters[kind])
    if kind == b"n":
        os.execv(settings["node"][0], settings["node"])
    python_worker.serve_one(DATA_FD)


def start_worker(settings, filters, kind, descriptors):
    """Forks a worker; returns its pid, or None if the machine has no process to spare."""
    data, printed, status = descriptors
    zygote = os.getpid()
    try:
        pid = os.fork()
    except OSError as error:
        tell(status, f"no process: {error}")
        pid = None
    if pid == 0:
        try:
            become_worker(settings, filters, kind, data, printed, zygote)
        except BaseException as error:
            os.write(2, f"worker: {error}".encode())
        finally:
            os._exit(127)
    os.close(data)
    os.close(printed)
    return pid


def tell(status, text):
    """The last word on a worker."""
    try:
        os.write(status, text.encode())
    except OSError:
        pass  # The parent knows already and has closed its end.
    os.close(status)


def report_end(pid, status):
    """Reaps a worker and tells the parent how it ended: `exit 1` or `signal 11`."""
    _, code = os.waitpid(pid, 0)
    if os.WIFSIGNALED(code):
        text = f"signal {os.WTERMSIG(code)}"
    else:
        text = f"exit {os.WEXITSTATUS(code)}"
    tell(status, text)


def end_all(workers):
    """Ends every worker, then this process. Bubblewrap would wait for what is left."""
    for pid, _ in workers.values():
        os.kill(pid, signal.SIGKILL)
    for pid, _ in workers.values():
        os.waitpid(pid, 0)
    os._exit(0)


def receive_order(control):
    """One order, or None once the parent is gone."""
    try:
        kind, descriptors, _, _ = socket.recv_fds(control, 1, 3)
    except OSError:
        return None
    if len(kind) != 1 or len(descriptors) != 3:
        return None
    return kind, descriptors


def main():
    settings = json.loads(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    filters = {b"p": load_filter("python.bpf"), b"n": load_filter("node.bpf")}
    control = socket.socket(fileno=CONTROL_FD)
    sys.path.remove("/flowspan")
    python_worker.warm_up()
    gc.collect()
    gc.freeze()
    workers = {}
    poller = select.poll()
    poller.register(CONTROL_FD, select.POLLIN)
    while True:
        for descriptor, _ in poller.poll():
            if descriptor != CONTROL_FD:
                pid, status = workers.pop(descriptor)
                poller.unregister(descriptor)
                os.close(descriptor)
                report_end(pid, status)
                continue
            order = receive_order(control)
            if order is None:
                end_all(workers)
            kind, descriptors = order
            pid = start_worker(settings, filters, kind, descriptors)
            if pid is not None:
                watch = os.pidfd_open(pid)
                poller.register(watch, select.POLLIN)
                workers[watch] = (pid, descriptors[2])


main()
