"""The ASGI application, as the documentation has it."""

from django.core.asgi import get_asgi_application

django_application = get_asgi_application()

from channels.routing import ProtocolTypeRouter  # noqa: E402

from notifications.asgi import Handoff  # noqa: E402
from notifications.routing import websocket_application  # noqa: E402

application = ProtocolTypeRouter({"http": Handoff(django_application), "websocket": websocket_application()})
