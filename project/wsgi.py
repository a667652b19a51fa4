"""The demo site's WSGI application: everything works, but bells poll, for WSGI cannot hold a stream."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

application = get_wsgi_application()
