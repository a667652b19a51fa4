"""Models of a shop whose orders its users place."""

from django.conf import settings
from django.db import models


class Order(models.Model):
    customer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    cancelled = models.BooleanField(default=False)

    def get_absolute_url(self):
        return f"/orders/{self.pk}/"


class Profile(models.Model):
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    language = models.CharField(max_length=10)
    phone = models.CharField(max_length=20, blank=True)


class ApiToken(models.Model):
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    digest = models.CharField(max_length=64)


class Post(models.Model):
    title = models.CharField(max_length=50)

    def __str__(self):
        return self.title


class Leave(models.Model):
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True)

    def approve(self, by):
        self.approved_by = by
        self.save()


class Seller(models.Model):
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
