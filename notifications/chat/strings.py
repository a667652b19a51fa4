"""The chat elements' texts, translated by Django: `{% chat_head %}` renders them into the page."""

from __future__ import annotations

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

# As in strings.py: {count}, {name} and the like are filled in by the elements, and every language gets by with one
# form. What is the same in both catalogues has the same key.
CHAT_STRINGS = {
    "arrivedMessages": _("{count} new messages"),
    "away": _("Offline"),
    "beginning": _("This is the beginning of the conversation."),
    "charactersLeft": _("{count} left"),
    "chatOffline": _("You are offline. Messages will be sent when you are back online."),
    "chatReconnecting": _("Reconnecting… Messages will be sent once you are connected."),
    "conversation": _("Conversation"),
    "couldNotDelete": _("Could not delete the message."),
    "couldNotEdit": _("Could not save the change."),
    "couldNotLoadMessages": _("Could not load messages."),
    "couldNotLoadRooms": _("Could not load conversations."),
    "couldNotReact": _("Could not save the reaction."),
    "delete": _("Delete"),
    "deleteAll": _("Delete all"),
    "deleteMessage": _("Delete this message for everyone?"),
    "deletedAccount": _("Deleted account"),
    "draft": _("Draft:"),
    "edit": _("Edit"),
    "edited": _("edited"),
    "editing": _("Edit message"),
    "eventJoined": _("{author} added {subject}"),
    "eventJoinedSelf": _("{subject} joined"),
    "eventLeft": _("{author} removed {subject}"),
    "eventLeftSelf": _("{subject} left"),
    "eventRenamed": _("{author} renamed the conversation to “{body}”"),
    "eventRole": _("{author} changed the role of {subject}"),
    "here": _("Online"),
    "inReplyTo": _("In reply to"),
    "memberCount": _("Members: {count}"),
    "messageActions": _("Actions"),
    "messageDeleted": _("This message was deleted"),
    "messageHidden": _("This message was removed by a moderator"),
    "messages": _("Messages"),
    "muted": _("Muted"),
    "newBelow": _("{count} new"),
    "newMessages": _("New messages"),
    "noMessages": _("No messages yet"),
    "noMessagesHint": _("Say hello."),
    "noRooms": _("No conversations yet"),
    "notSent": _("Not sent"),
    "onlineCount": _("{count} online"),
    "outboxFull": _("Too many messages are waiting to be sent. Your text stays here."),
    "queued": _("Waiting for connection"),
    "react": _("React"),
    "reactionCount": _("{emoji}, {count}"),
    "read": _("Read"),
    "readBy": _("Read by {names}"),
    "readByCount": _("Read by {count}"),
    "reply": _("Reply"),
    "replyingTo": _("Reply to {name}"),
    "retryAll": _("Retry all"),
    "roomGone": _("You are not a member of this conversation."),
    "send": _("Send"),
    "sending": _("Sending…"),
    "sent": _("Sent"),
    "toLatest": _("Jump to the latest message"),
    "tooLong": _("{count} over the limit"),
    "typing": _("typing…"),
    "typingMany": _("Several people are typing"),
    "typingOne": _("{name} is typing"),
    "typingSome": _("{names} are typing"),
    "unreadCount": _("{count} unread"),
    "unsent": _("{count} messages were not sent."),
    "unsentOne": _("A message was not sent."),
    "write": _("Write a message"),
    "you": _("You"),
}


def chat_texts() -> dict[str, str]:
    """Return the chat elements' texts in the active language."""
    return {key: gettext(text) for key, text in CHAT_STRINGS.items()}
