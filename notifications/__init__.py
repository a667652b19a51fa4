"""Live notifications, chat and feeds for Django.

Add ``"notifications"`` to ``INSTALLED_APPS`` and send a notification from anywhere::

    from notifications.services import notify

    notify(user, "Your export is ready", url="/exports/7/", level="success")

The row joins your transaction; after commit it rings every open bell of that user.
"""

__version__ = "0.1.0"
