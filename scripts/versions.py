"""Run the sessions of nox side by side, one on each core, except the one that `make test` is.

    .venv/bin/python scripts/versions.py

nox itself runs one after the other. What a session prints is shown when it ends, and that of the failed ones last.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed

import django

NOX = [sys.executable, "-m", "nox"]
HERE = {"python": f"{sys.version_info[0]}.{sys.version_info[1]}", "django": f"{django.VERSION[0]}.{django.VERSION[1]}"}


def run(session: str) -> tuple[int, str, float]:
    """Run one session; return its exit status, what it printed, and the seconds that it took."""
    start = time.monotonic()
    done = subprocess.run(
        [*NOX, "--session", session], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return done.returncode, done.stdout, time.monotonic() - start


def main() -> int:
    """Run all of them; return 1 if one failed."""
    listed = subprocess.run([*NOX, "--list-sessions", "--json"], stdout=subprocess.PIPE, check=True)
    sessions = []
    for session in json.loads(listed.stdout):
        if {"python": session["python"], **session["call_spec"]} == HERE:
            print(f"{session['session']}: `make test` runs on these versions", flush=True)
        else:
            sessions.append(session["session"])
    failed: dict[str, str] = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        running = {pool.submit(run, session): session for session in sessions}
        for done in as_completed(running):
            session, (status, output, seconds) = running[done], done.result()
            if status:
                failed[session] = output
            print(f"{session}: {'failed' if status else 'passed'} in {seconds:.0f} s", flush=True)
            if not status:
                print(output, flush=True)
    for session, output in failed.items():
        print(f"== {session} failed\n{output}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
