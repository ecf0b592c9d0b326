"""The simulated AWS, on a free loopback port for one run, and what was asked of it."""

import ipaddress
import json
import re
import signal
import subprocess
import urllib.parse
from collections import Counter


class Log:
    """The requests of one run, as the simulator saw them."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as lines:
            requests = [json.loads(line) for line in lines]
        self.calls = len(requests)
        self.throttled = sum(request["throttled"] for request in requests)
        self.in_flight = max((request["in_flight"] for request in requests), default=0)
        self.by_operation = Counter(f"{one['service']}:{one['operation'] or '?'}" for one in requests)
        self.errors = Counter(f"{one['service']}:{one['operation'] or '?'} {one['error_code']}" for one in requests if one["error_code"])


class Simulator:
    """Runs while a `with` block does."""

    def __init__(self, binary, fleet, log, flags=()):
        self.command = [str(binary), "--fleet", str(fleet), "--log", str(log), *flags]
        self.log_file = log

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True, env={})
        self.url = self.process.stdout.readline().strip()
        if not self.url:
            raise SystemExit("the simulator did not start")
        only_loopback(self.url)
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.stdout.read()
        if self.process.wait(60):
            raise SystemExit(f"the simulator ended with {self.process.returncode}")

    def log(self):
        return Log(self.log_file)


def only_loopback(url):
    """Nothing here may ever reach AWS."""
    host = urllib.parse.urlsplit(url).hostname or ""
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise SystemExit(f"{url!r} is not on the loopback interface")


def account_key_and_regions(fleet):
    """Of a fleet of one account."""
    text = fleet.read_text(encoding="utf-8")
    account = re.search(r'- id: "(\d{12})"', text)
    key = re.search(r"access_keys: \[\{ id: (\w+)", text)
    names = re.findall(r"names: \[([^]]+)\]", text)
    if not account or not key or not names:
        raise SystemExit(f"{fleet}: there is no account, no access key, or no Region")
    return account[1], key[1], [name.strip() for group in names for name in group.split(",")]
