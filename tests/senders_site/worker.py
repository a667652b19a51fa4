"""A worker, as a program: ``carillon_deliver`` with leases and pauses that a test can wait for."""

from __future__ import annotations

import os
import sys
from datetime import timedelta


def main() -> None:
    import django

    django.setup()
    from django.core.management import call_command

    from notifications.deliveries import couriers, sending

    sending.SEND_LEASE = timedelta(seconds=3)  # type: ignore[misc]
    sending.FIRST_PAUSE = timedelta(seconds=0.05)  # type: ignore[misc]
    couriers.SWEEP = 0.2  # type: ignore[misc]
    os.write(int(sys.argv[1]), b"ready")
    call_command("carillon_deliver", threads=4)


if __name__ == "__main__":
    main()
