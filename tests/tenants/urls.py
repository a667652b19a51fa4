"""Carillon, the admin, and what the tests ask of the site itself."""

from django.contrib import admin
from django.urls import include, path

from . import views

urlpatterns = [
    path("admin/", admin.site.urls),
    path("notifications/", include("notifications.urls")),
    path("enter/", views.enter),
    path("do/<slug:verb>/", views.do),
]
