"""Runs a command and measures it together with all processes that it starts."""

import os
import subprocess
import time
from pathlib import Path

# Seconds between two looks. Looking costs processor time, too: closely at first, for what is over soon.
CLOSELY, SOON, SELDOM = 0.002, 2.0, 0.05

# Seconds after which a tool is taken to hang.
LIMIT = 1800


class Measured:
    """What a run took."""

    def __init__(self, code, wall, usage, peak_kib, processes):
        self.code = code
        self.wall = wall
        self.cpu = usage.ru_utime + usage.ru_stime
        self.peak_mib = peak_kib / 1024
        self.processes = processes

    def as_json(self):
        return {
            "exit_code": self.code,
            "wall_s": round(self.wall, 3),
            "cpu_s": round(self.cpu, 3),
            "peak_mib": round(self.peak_mib, 1),
            "processes": self.processes,
        }


def run(command, env, folder, output):
    """Wall time; user and system time of the process and of all it waited for; the most memory at a time."""
    with open(output, "wb") as out:
        started = time.monotonic()
        process = subprocess.Popen(command, env=env, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        peak, most = 0, 1
        while True:
            # A process that has ended is kept until it is waited for, so its number is not another's yet.
            found, status, usage = os.wait4(process.pid, os.WNOHANG)
            if found:
                break
            if time.monotonic() - started > LIMIT:
                process.kill()
            memory, processes = of_tree(process.pid)
            peak, most = max(peak, memory), max(most, processes)
            lone_and_early = processes == 1 and time.monotonic() - started < SOON
            time.sleep(CLOSELY if lone_and_early else SELDOM)
        wall = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    return Measured(process.returncode, wall, usage, peak, most)


def of_tree(root):
    """Memory in KiB of a process and its descendants, and how many they are.

    Of a lone process it is the most so far, which the kernel keeps. Of several it is what they have now, and what they
    share counts once: each is given its part of it.
    """
    tree = [root]
    for pid in tree:
        try:
            for task in Path(f"/proc/{pid}/task").iterdir():
                tree += map(int, (task / "children").read_text().split())
        except OSError:
            continue
    if len(tree) == 1:
        return memory(root, "status", "VmHWM:"), 1
    return sum(memory(pid, "smaps_rollup", "Pss:") for pid in tree), len(tree)


def memory(pid, file, field):
    try:
        for line in Path(f"/proc/{pid}/{file}").read_text().splitlines():
            if line.startswith(field):
                return int(line.split()[1])
    except OSError:
        pass
    return 0
