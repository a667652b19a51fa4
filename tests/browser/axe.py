"""What axe finds in a page; its context needs ``bypass_csp=True``, for axe tries styles that a policy forbids."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import axe_playwright_python
from playwright.sync_api import Page

SCRIPT = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
RUN = """async (part) => {
  // The admin's links glide from one colour scheme's colour to the other's.
  const transitions = document.getAnimations().filter((animation) => animation instanceof CSSTransition);
  await Promise.all(transitions.map(({ finished }) => finished));
  const { violations } = await axe.run(part, { resultTypes: ["violations"] });
  return violations.map(({ id, nodes }) => [id, ...nodes.map(({ html, failureSummary }) => html + failureSummary)]);
}"""


def faults(page: Page, part: str = "html") -> list[Any]:
    """Return the faults in the part of the page that a selector names, shadow trees included."""
    page.evaluate(SCRIPT)
    found: list[Any] = page.evaluate(RUN, part)
    return found
