"""Carillon, the admin, and what the tests ask of the site itself."""

from django.contrib import admin
from django.urls import include, path

from tests.surroundings.views import enter, leave

from . import views

urlpatterns = [
    path("admin/", admin.site.urls),
    path("notifications/", include("notifications.urls")),
    path("enter/", enter),
    path("leave/", leave),
    path("do/<slug:verb>/", views.do),
]
