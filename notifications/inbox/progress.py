"""Progress: one notification that grows while some work is done, with a bar and a way to cancel it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from types import TracebackType
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from .. import tenants
from ..annotations import User, UserKey
from ..live import keeping
from ..live.keeping import Over, TaskKeeper, ThreadKeeper
from ..live.leases import ends_abandoned
from ..live.periodic import periodic
from ..live.transactions import after_commit, atomic, retried, retry
from ..models import Notice, Notification, Progress
from ..models.content import Level
from ..twins import twin
from ..validators import storable
from .abandoned import KIND, failed
from .notify import notify
from .rows import touch_items
from .stream import INBOX

PROGRESS_LEASE = 15.0  # seconds; who was silent for so long is gone
UPDATE_EVERY = 0.5  # seconds between two writes of a progress
RENEW_EVERY = 2.0  # seconds after which the lease is renewed, and a request to cancel is found without a broker
PROGRESS_SWEEP = 5.0  # seconds between two looks for work whose worker is gone
PROGRESS_TEXT_LENGTH = 200  # characters

State = Progress.State
STATE_LEVELS: Final[Mapping[str, str]] = {
    State.RUNNING: Level.INFO,
    State.DONE: Level.SUCCESS,
    State.FAILED: Level.ERROR,
    State.CANCELLED: Level.WARNING,
}


class progress:  # noqa: N801  # read as a verb: `with progress(user, "Import") as p`
    """Show somebody how far some work is.

    Like this::

        with progress(user, "Import", url="/imports/7/") as p:
            for number, row in enumerate(rows):
                if p.cancelled:
                    break
                ...
                p.update(100 * number / len(rows), f"{number} of {len(rows)}")

    It is one notification, which grows. When the block ends, it is done; when it raises, it failed, and the exception
    goes on; where the user has cancelled it, it is cancelled. If the process is killed, another one says within seconds
    that it failed. ``async with`` works too. Begin it outside of a transaction: until a commit nobody sees it.
    """

    def __init__(self, user: User, title: str, *, url: str = "", category: str = "", cancellable: bool = True) -> None:
        """Describe the work.

        Args:
            user: Who is shown it.
            title: What is done, in one line.
            url: Where its result will be: a link once it is done.
            category: As in `notify`.
            cancellable: Whether the user may cancel it.
        """
        self._work = _Work(user, title, url, category, cancellable)
        self._thread = ThreadKeeper(self._work.store, self._work.cancel, pause=UPDATE_EVERY, idle=RENEW_EVERY)
        self._task: TaskKeeper | None = None

    @property
    def id(self) -> int:
        """The key of the notice."""
        return self._work.pk

    @property
    def item(self) -> int:
        """The id of the item that shows it: what ``<live-progress item="…">`` takes."""
        return self._work.item

    @property
    def cancelled(self) -> bool:
        """Whether the user has cancelled it: leave the block."""
        return self._work.cancelled

    def update(self, percent: float | None, text: str = "") -> None:
        """Say how far it is; it costs nothing, and is stored twice a second at the most. It never blocks.

        Args:
            percent: From 0 to 100; None where nobody knows.
            text: More, in at most 200 characters: “4,000 of 10,000”.

        Raises:
            ValidationError: One is out of range.
        """
        self._work.update(percent, text)
        (self._task or self._thread).changed()

    def __enter__(self) -> progress:
        """Store the notification and begin."""
        self._work.begin()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Store the end."""
        self._thread.end()
        self._work.end(error)

    async def __aenter__(self) -> progress:
        """Store the notification and begin."""
        await sync_to_async(self._work.begin)()
        self._task = TaskKeeper(self._work.store, self._work.cancel, pause=UPDATE_EVERY, idle=RENEW_EVERY)
        self._task.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Store the end."""
        await keeping.finish(self._end(error))

    async def _end(self, error: BaseException | None) -> None:
        assert self._task is not None
        await self._task.end()
        await sync_to_async(self._work.end)(error)


class _Work:
    """What is known of the work, and what of it is still to be stored."""

    def __init__(self, user: Any, title: str, url: str, category: str, cancellable: bool) -> None:
        self.pk = 0
        self.item = 0
        self._tenant = ""
        self._name = ""  # by which it is asked to stop
        self.cancelled = False
        self._user = user
        self._about = {"title": title, "url": url, "category": category}
        self._cancellable = cancellable
        self._percent: float | None = 0.0
        self._text = ""
        self._changed = False
        self._lock = threading.Lock()

    def begin(self) -> None:
        only_url = {field.name for field in Notice._meta.fields} - {"url"}
        Notice(url=self._about["url"]).clean_fields(
            exclude=only_url
        )  # it is stored with the end, too late to be refused
        self.pk, self.item = retry(self._store_first, INBOX.alias)
        self._tenant, self._name = tenants.current(), _work(self.pk)
        keeping.listen(self._name, self.cancel)

    def _store_first(self) -> tuple[int, int]:
        with atomic(INBOX.alias):
            notice = notify(
                self._user,
                self._about["title"],
                category=self._about["category"],
                kind=KIND,
                data={"progress": self._data(State.RUNNING)},
            )
            Progress(notice=notice, lease_until=_lease()).save(using=INBOX.alias, force_insert=True)
            row = Notification.objects.using(INBOX.alias).of(self._user).filter(notice=notice).only("pk").first()
        return notice.pk, row.pk if row else 0  # nobody is shown it who is not active

    def update(self, percent: float | None, text: str) -> None:
        if percent is not None and not 0 <= percent <= 100:
            raise ValidationError({"percent": _("A percentage lies between 0 and 100.")})
        if len(text) > PROGRESS_TEXT_LENGTH:
            message = _("The text of a progress has at most %(limit)s characters.")
            raise ValidationError({"text": message % {"limit": PROGRESS_TEXT_LENGTH}})
        text = storable(text)
        with self._lock:
            self._changed |= (percent, text) != (self._percent, self._text)
            self._percent, self._text = percent, text

    def cancel(self) -> None:
        self.cancelled = True

    def store(self) -> bool:
        """Store what has changed, or renew the lease; return whether the user has cancelled."""
        with self._lock:
            changed, self._changed = self._changed, False
            data = self._data(State.RUNNING)
        try:
            with tenants.activate(self._tenant):
                return _write(self.pk, {"progress": data} if changed else None)
        except BaseException:
            with self._lock:
                self._changed |= changed
            raise

    def end(self, error: BaseException | None) -> None:
        keeping.forget(self._name)
        if error is not None:
            state = State.FAILED
        else:
            state = State.CANCELLED if self.cancelled else State.DONE
            self._percent = self._percent if self.cancelled else 100.0
        with suppress(Over), tenants.activate(self._tenant):  # somebody else has said how it ended
            _write(self.pk, {"progress": self._data(state)}, state, url=self._about["url"])

    def _data(self, state: str) -> dict[str, Any]:
        may = self._cancellable and state == State.RUNNING
        percent = None if self._percent is None else round(self._percent, 1)
        return {"percent": percent, "text": self._text, "state": str(state), "cancellable": may}


def cancel_progress(user: User | UserKey, notice: int) -> bool:
    """Ask for work to be cancelled that somebody is shown.

    Args:
        user: Who is shown it; that of others is left alone.
        notice: The key of its notice: `progress.id`.

    Returns:
        Whether it was still running, and may be cancelled.
    """
    mine = Notification.objects.using(INBOX.alias).of(user).filter(notice=notice, notice__kind=KIND)
    found = mine.select_related("notice").first()
    if found is None or not found.notice.data.get("progress", {}).get("cancellable"):
        return False
    rows = Progress.objects.using(INBOX.alias).filter(pk=notice, state=State.RUNNING, cancel_requested_at=None)
    asked = bool(rows.update(cancel_requested_at=timezone.now()))
    if asked:
        after_commit(lambda: keeping.ask_to_stop(_work(notice)), INBOX.alias)
    return asked


acancel_progress = twin(cancel_progress)


@periodic
@ends_abandoned
def end_abandoned() -> float | None:
    """Say of work whose worker is gone that it failed."""
    late = Progress.objects.using(INBOX.alias).filter(lease_until__lt=timezone.now())
    for pk, data in list(late.values_list("pk", "notice__data")[:100]):
        try:
            _write(pk, failed(data), State.FAILED, late=True)
        except Over:
            continue  # another process was first
    return PROGRESS_SWEEP


@retried(lambda *_args, **_kwargs: INBOX.alias)
def _write(
    pk: int, data: dict[str, Any] | None, state: State = State.RUNNING, *, url: str = "", late: bool = False
) -> bool:
    """Store how far some work is, and renew its lease; return whether its user has cancelled it.

    Raises:
        Over: Somebody else has ended it, or its worker is not late any more.
    """
    ended = state != State.RUNNING
    with atomic(INBOX.alias):
        rows = Progress.objects.using(INBOX.alias).filter(pk=pk, state=State.RUNNING)
        if late:
            rows = rows.filter(lease_until__lt=timezone.now())
        if not rows.update(state=state, lease_until=None if ended else _lease()):
            raise Over
        if data is not None:
            more = {"url": url} if url and state == State.DONE else {}
            Notice.objects.using(INBOX.alias).filter(pk=pk).update(data=data, level=STATE_LEVELS[state], **more)
            touch_items(pk)
        return Progress.objects.using(INBOX.alias).filter(pk=pk, cancel_requested_at__isnull=False).exists()


def _work(pk: int) -> str:
    """Return the name by which work is asked to stop."""
    return tenants.salted(f"progress:{pk}")


def _lease() -> Any:
    return timezone.now() + timedelta(seconds=PROGRESS_LEASE)
