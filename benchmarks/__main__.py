"""Measure Carillon on this machine, beside others in the same run: ``python -m benchmarks``, or ``make bench``."""

from __future__ import annotations

import json
import signal
import sys

from . import options, report, svg
from .load import BenchmarkError, program
from .parts import LONG, PARTS


def main(arguments: list[str] | None = None) -> int:
    """Run the selected parts, and print the results of each as soon as they are there."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what was started ends too
    command = options.read(list(PARTS), LONG, __doc__ or "", arguments)
    found = {"machine": report.machine()}
    print("\n".join(report.about(found["machine"])))
    try:
        program()
        for name, part in PARTS.items():
            if name in command.parts:
                print(f"measuring {name} …", file=sys.stderr, flush=True)
                found[name] = part.measure(command.options)
                if found[name]:  # not where none of the servers that are asked for is one of the part's
                    print("", *part.show(found[name]), sep="\n", flush=True)
                if command.json:
                    command.json.write_text(json.dumps(found, indent=2) + "\n")
    except BenchmarkError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    if command.svg:
        command.svg.write_text(svg.draw(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
