"""The WebSocket's URL: put it behind Channels' origin check and session.

::

    "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(websocket_urlpatterns)))
"""

from django.urls import path

from .consumers import ChatConsumer

websocket_urlpatterns = [path("notifications/ws/", ChatConsumer.as_asgi())]
