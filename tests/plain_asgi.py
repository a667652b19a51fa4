"""Django's ASGI application without the hand-off lane."""

from django.core.asgi import get_asgi_application

application = get_asgi_application()
