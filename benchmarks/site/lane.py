"""The site with Carillon's hand-off lane."""

from .asgi import application as django

from notifications.asgi import Handoff  # isort: skip  # Django is set up by now

application = Handoff(django)
