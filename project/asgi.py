"""The demo site's ASGI application; it runs under daphne, uvicorn, granian and hypercorn."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
django_application = get_asgi_application()  # loads the apps; what follows imports models

from channels.routing import ProtocolTypeRouter  # noqa: E402
from django.conf import settings  # noqa: E402
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler  # noqa: E402

from notifications.asgi import Handoff  # noqa: E402
from notifications.routing import websocket_application  # noqa: E402

if settings.DEBUG:  # without DEBUG, WhiteNoise serves what `collectstatic` gathered
    django_application = ASGIStaticFilesHandler(django_application)

application = ProtocolTypeRouter(
    {
        "http": Handoff(django_application),
        "websocket": websocket_application(),
    }
)
