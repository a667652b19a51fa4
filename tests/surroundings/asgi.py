"""The ASGI application of every site here."""

from django.core.asgi import get_asgi_application

django_application = get_asgi_application()

from notifications.asgi import Handoff  # noqa: E402

application = Handoff(django_application)
