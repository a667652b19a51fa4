"""Everything below the name of a language."""

from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path

from . import views

urlpatterns = i18n_patterns(path("notifications/", include("notifications.urls")), path("language/", views.language))
