"""Somebody who works until he is stopped, as a program: ``python -m tests.delivery_site.working answer|progress USER``.

It prints the number by which it is stopped; then, once it was, when.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

PAUSE = 0.05  # seconds between two words


def say(*words: object) -> None:
    print(*words, flush=True)  # noqa: T201


async def write(user: Any) -> None:
    """Write a text that never ends."""
    from notifications.services import answer

    async with answer("all:1", by=user) as text:
        say(text.id)
        while True:
            await text.append("word ")
            await asyncio.sleep(PAUSE)
    say(time.time())


async def wait(user: Any) -> None:
    """Await something silently, as a model does before its first word."""
    from notifications.services import answer

    async with answer("all:1", by=user) as text:
        say(text.id)
        await asyncio.sleep(3600)
    say(time.time())


async def work(user: Any) -> None:
    """Work on something that has no end."""
    from notifications.services import progress

    async with progress(user, "Import") as shown:
        say(shown.id)
        done = 0
        while not shown.cancelled:
            shown.update(done % 100)
            done += 1
            await asyncio.sleep(PAUSE)
    say(time.time())


KINDS = {"answer": write, "silent answer": wait, "progress": work}


def main() -> None:
    import django

    django.setup()
    from django.contrib.auth.models import User

    asyncio.run(KINDS[sys.argv[1]](User.objects.get(username=sys.argv[2])))


if __name__ == "__main__":
    main()
