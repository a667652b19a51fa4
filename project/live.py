"""The demo's page “Live”: an order, prices, a log, an import and an assistant, and what makes them move."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from functools import partial
from typing import Any, Final, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from notifications.services import answer, present_events, progress, publish, publish_many

from . import workers
from .live_samples import ANSWERS, JOURNAL, ORDER_STATES, SYMBOLS

ORDER: Final = "orders:42"
TICK = 0.1  # seconds between two changes of prices
TICKING = 60.0  # seconds for which they change
TICKERS = 12  # prices that change at once
RECORDINGS = 80  # that are imported
WORD = 0.07  # seconds that the assistant takes for a word
QUESTION_LENGTH = 200  # characters


@require_GET
def live(request: HttpRequest) -> HttpResponse:
    """Show what is followed; visitors who are not signed in see what is public."""
    prices = {row["symbol"]: row["price"] for row in present_events("prices")}
    quotes = [(symbol, prices.get(symbol)) for symbol in SYMBOLS]
    journal = present_events("journal") if request.user.is_authenticated else []
    return render(
        request, "live.html", {"quotes": quotes, "journal": journal, "order": ORDER, "states": ORDER_STATES.items()}
    )


@require_POST
@login_required
def move_order(request: HttpRequest) -> HttpResponse:
    """Publish the state that the order has from now on."""
    state = request.POST.get("state", "")
    if state not in ORDER_STATES:
        return _refuse(request, _("An order has no such state."))
    publish(ORDER, {"state": state}, event="status")
    return _done(request)


@require_POST
@login_required
def tick(request: HttpRequest) -> HttpResponse:
    """Have the prices change for a minute."""
    return _begin(request, "prices", _tick)


@require_POST
@login_required
def write_journal(request: HttpRequest) -> HttpResponse:
    """Have the tower's log written, line by line."""
    return _begin(request, "journal", _write_journal)


@require_POST
@login_required
def import_recordings(request: HttpRequest) -> HttpResponse:
    """Have something imported that takes a while."""
    user = cast("User", request.user)
    return _begin(request, ("import", user.pk), partial(_import, user))


@require_POST
@login_required
def ask(request: HttpRequest) -> HttpResponse:
    """Have the assistant answer a question."""
    user = cast("User", request.user)
    question = request.POST.get("question", "").strip()
    if not 0 < len(question) <= QUESTION_LENGTH:
        return _refuse(request, _("Ask something, in at most %(limit)s characters.") % {"limit": QUESTION_LENGTH})
    return _begin(request, ("answer", user.pk), partial(_answer, user, question))


def _begin(request: HttpRequest, name: Any, work: Any) -> HttpResponse:
    if workers.start(name, work):
        return _done(request)
    return _refuse(request, _("The demo is busy. Try again in a minute."), 503)


def _done(request: HttpRequest) -> HttpResponse:
    return redirect("live") if request.accepts("text/html") else HttpResponse(status=204)


def _refuse(request: HttpRequest, why: str, status: int = 400) -> HttpResponse:
    if not request.accepts("text/html"):
        return HttpResponse(why, status=status, content_type="text/plain; charset=utf-8")
    messages.error(request, why)
    return redirect("live")


def _tick() -> None:
    known = {row["symbol"]: row["price"] for row in present_events("prices")}
    prices = {symbol: float(known.get(symbol) or random.uniform(5, 400)) for symbol in SYMBOLS}
    _publish_prices(prices)
    for _number in range(round(TICKING / TICK)):
        time.sleep(TICK)
        moved = random.sample(SYMBOLS, TICKERS)
        for symbol in moved:
            prices[symbol] = round(max(1.0, prices[symbol] * random.uniform(0.985, 1.016)), 2)
        _publish_prices({symbol: prices[symbol] for symbol in moved})


def _publish_prices(prices: dict[str, float]) -> None:
    publish_many(("prices", {"symbol": symbol, "price": round(price, 2)}) for symbol, price in prices.items())


def _write_journal() -> None:
    for level, text in JOURNAL:
        publish("journal", {"level": level, "text": _(text)}, event="line")
        time.sleep(random.uniform(0.2, 0.9))


def _import(user: User) -> None:
    with progress(user, _("Import of recordings"), url="/live/", category="recordings") as p:
        for number in range(1, RECORDINGS + 1):
            if p.cancelled:
                break
            time.sleep(0.2)
            counted = _("%(number)s of %(total)s") % {"number": number, "total": RECORDINGS}
            p.update(100 * number / RECORDINGS, counted)


def _answer(user: User, question: str) -> None:
    with answer(f"assistant:{user.pk}", by=user, data={"question": question}) as a:
        for word in _words(question):
            time.sleep(WORD)
            a.append(word)


def _words(question: str) -> Iterator[str]:
    """Yield the words of an answer: a few rules, where a real assistant asks a model."""
    found = [text for topic, text in ANSWERS.items() if topic and _(topic) in question.lower()] or [ANSWERS[""]]
    for paragraph in found:
        for word in _(paragraph).split(" "):
            yield word + " "
        yield "\n\n"
