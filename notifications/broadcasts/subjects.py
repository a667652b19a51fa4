"""What becomes of broadcasts when what they are about is deleted.

Copies are archived as those of every notice, and whoever comes later gets none (see `inbox.outbox`). One that is
scheduled becomes a draft again at its time, with the reason.
"""

from __future__ import annotations

from ..exceptions import BroadcastConflict
from ..inbox.outbox import OUTBOX_STREAM
from ..inbox.subjects import applier
from ..kinds import registry
from ..models import Broadcast
from .publishing import OUT, recall_broadcast


@applier
def recall_orphans(model: str, key: str) -> None:
    """Recall the broadcasts about an instance that is gone whose kinds say that such are withdrawn."""
    ruled = [rules.key for rules in registry.values() if rules.when_gone == "withdraw"]
    about = Broadcast.objects.using(OUTBOX_STREAM.alias).filter(about_model=model, about_key=key, kind__in=ruled)
    for pk in list(about.filter(state__in=OUT).values_list("pk", flat=True)):
        _recall(pk)


def _recall(pk: int) -> None:
    """Recall a broadcast, also if somebody changes it at the same time."""
    while broadcast := Broadcast.objects.using(OUTBOX_STREAM.alias).filter(pk=pk, state__in=OUT).first():
        try:
            recall_broadcast(broadcast)
        except BroadcastConflict:
            continue
