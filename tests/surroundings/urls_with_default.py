"""Everything below the name of a language, but for the default one."""

from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path

urlpatterns = i18n_patterns(path("notifications/", include("notifications.urls")), prefix_default_language=False)
