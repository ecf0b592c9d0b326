#!/usr/bin/env python3
"""Runs moto's server on a free loopback port for as long as its standard input stays open.

The test process holds the other end. However it ends, by a panic or a kill included, the system closes that end, so
no server is ever left behind. The address is in the line "Running on http://127.0.0.1:PORT", on standard error.
Where LAMBDA_ENDPOINT is set, invocations of functions are sent there.
"""

import io
import os
import sys
import threading
import urllib.parse
import urllib.request

import moto.server
import moto_rules
from moto.iam.models import iam_backends

# What an audit assumes where nothing else is said.
ROLE = ":role/ImdsctlAudit"

DENIED = """<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>
<Code>AccessDenied</Code><Message>User: arn:aws:iam::123456789012:user/moto is not authorized to perform:
sts:AssumeRole on resource: {role}</Message></Error><RequestId>0</RequestId></ErrorResponse>"""


class RolesMustExist:
    """moto gives out sessions of roles that nobody made. AWS refuses, and so does this, in front of moto."""

    def __init__(self, app):
        self.app = app

    def __call__(self, environ, start_response):
        if "/sts/" in environ.get("HTTP_AUTHORIZATION", ""):
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = io.BytesIO(body)
            role = urllib.parse.parse_qs(body.decode()).get("RoleArn", [""])[0]
            if role.endswith(ROLE) and not exists(role):
                start_response("403 Forbidden", [("Content-Type", "text/xml")])
                return [DENIED.format(role=role).encode()]
        return self.app(environ, start_response)


def exists(role):
    roles = iam_backends[role.split(":")[4]]["aws"].roles.values()
    return any(known.arn == role for known in roles)


class FunctionsAreElsewhere:
    """moto's functions take Docker. Its interpreter of state machines invokes them at MOTO_PORT, which is this server,
    so this hands invocations on to whoever runs functions in the place of moto.
    """

    def __init__(self, app, endpoint):
        self.app = app
        self.endpoint = endpoint

    def __call__(self, environ, start_response):
        # It was chosen when the server began to listen.
        os.environ["MOTO_PORT"] = environ["SERVER_PORT"]
        path = environ["PATH_INFO"]
        if not path.startswith("/2015-03-31/functions/"):
            return self.app(environ, start_response)
        event = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        with urllib.request.urlopen(self.endpoint + urllib.parse.quote(path), data=event) as answer:
            body = answer.read()
            wanted = {name: answer.headers[name] for name in ["Content-Type", "X-Amz-Function-Error"]}
            headers = [(name, value) for name, value in wanted.items() if value]
            start_response(f"{answer.status} {answer.reason}", headers)
            return [body]


def end_with_the_test():
    """Waits until nobody can write to standard input any more."""
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=end_with_the_test, daemon=True).start()
    moto_rules.apply()
    plain = moto.server.DomainDispatcherApplication
    functions = os.environ.get("LAMBDA_ENDPOINT")

    def application(*args, **more):
        app = RolesMustExist(plain(*args, **more))
        return FunctionsAreElsewhere(app, functions) if functions else app

    moto.server.DomainDispatcherApplication = application
    moto.server.main(["-H", "127.0.0.1", "-p", "0"])
