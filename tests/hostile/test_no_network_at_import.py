"""Importing evalkit, whatever part of it, asks nobody anything: no name is looked up and no connection is made."""

from __future__ import annotations

import subprocess
import sys

GUARD = """
import importlib, pkgutil, socket, sys

def refused(*_, **__):
    raise AssertionError("the network was asked while a module was imported")

for name in ("connect", "connect_ex", "sendto", "bind", "listen"):
    setattr(socket.socket, name, refused)
for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "create_connection", "create_server"):
    setattr(socket, name, refused)
try:
    socket.create_connection(("127.0.0.1", 9))
except AssertionError:
    pass
else:
    sys.exit("the guard does not work")

count = 0
for root in ("evalkit", "evalkit_scorers", "evalkit_reports", "pytest_evalkit"):
    package = importlib.import_module(root)
    for module in pkgutil.walk_packages(package.__path__, root + "."):
        if "migrations" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
            count += 1
print(count)
"""


def test_every_module_is_imported_without_a_network() -> None:
    done = subprocess.run([sys.executable, "-c", GUARD], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 300
