/** What a message says, as nodes: its words, what it answers, when it was, and the reactions. */

import { dateText, numeral } from "../../core/locale.js";
import { button, h, hidden } from "../dom.js";
import { timeOf } from "./dates.js";
import { linkify } from "./linkify.js";

/** @typedef {import("../../chat/types.js").Message} Message */
/** @typedef {import("../../chat/types.js").Entry} Entry */
/** @typedef {import("./log.js").Log} Log */

/** What the history tells, by its kind; `Self` where nobody else did it. @type {Record<string, string>} */
const EVENTS = {
  joined: "eventJoined",
  joinedSelf: "eventJoinedSelf",
  left: "eventLeft",
  leftSelf: "eventLeftSelf",
  renamed: "eventRenamed",
  role: "eventRole",
};

/** @param {Log} log @param {Message | Entry} message */
export function authorOf(log, message) {
  const { owner } = log;
  if (!("number" in message)) return owner.client.me?.name ?? "";
  return message.author?.name ?? owner.text("deletedAccount");
}

/** @param {Message | Entry} message */
export function timeSent(message) {
  return new Date("at" in message ? message.at : message.created_at);
}

/** @param {Log} log @param {Message | null} quoted null: not here yet @param {number} number */
export function drawQuote(log, quoted, number) {
  const { owner } = log;
  const text = quoted?.deleted ? owner.text("messageDeleted") : (quoted?.body ?? "…");
  const label = owner.text("inReplyTo");
  const content = h(
    "span",
    {},
    hidden(`${label} `),
    h("span", { class: "who" }, h("bdi", {}, quoted?.author?.name ?? "")),
    h("span", { class: "said" }, h("bdi", {}, text)),
  );
  return button("quoted", () => log.jump(number), content);
}

/** @param {Log} log @param {Message | Entry} message @returns {(Node | string)[]} */
export function drawBody(log, message) {
  const { owner, usernames } = log;
  const paragraph = () => h("p", { dir: "auto" }, ...linkify(message.body, usernames));
  if (!("number" in message)) return [paragraph()];
  const { kind, deleted, author, subject, body } = message;
  if (deleted === "moderator") return [owner.text("messageHidden")];
  if (deleted) return [owner.text("messageDeleted")];
  if (kind === "text") return [paragraph()];
  const alone = !author || author.id === subject?.id;
  const key = (alone && EVENTS[`${kind}Self`]) || EVENTS[kind];
  return [key ? owner.text(key, { author: author?.name ?? "", subject: subject?.name ?? "", body }) : body];
}

/** @param {Log} log @param {Date} at @param {boolean} edited */
export function drawMeta(log, at, edited) {
  const { owner } = log;
  const title = dateText(at, owner.client.locale, { dateStyle: "full", timeStyle: "short" });
  const time = h("time", { datetime: at.toISOString(), title }, timeOf(at, owner.client.locale));
  return edited ? [owner.text("edited"), " · ", time] : [time];
}

/** @param {Log} log @param {Message | null} sent */
export function reactionsKey(log, sent) {
  const me = log.owner.client.me?.id ?? "";
  return sent?.reactions.map(({ emoji, count, users }) => `${emoji}${count}${users.includes(me)}`).join(" ");
}

/**
 * @param {Log} log
 * @param {Message} message
 * @param {() => Message} latest the message at the time of a click
 */
export function drawReactions(log, { reactions }, latest) {
  const { owner, room } = log;
  const { client } = owner;
  const nameOf = (/** @type {import("../../chat/types.js").Id} */ id) =>
    room.info?.members?.find((member) => member.id === id)?.name;
  return reactions.map(({ emoji, count, users }) => {
    const content = h("span", {}, emoji, h("span", { class: "count" }, numeral(count, client.locale)));
    return button("reaction", () => room.react(latest(), emoji), content, {
      "aria-pressed": `${users.includes(client.me?.id ?? "")}`,
      title: users.map(nameOf).filter(Boolean).join(", "),
      "data-emoji": emoji,
      "aria-label": owner.text("reactionCount", { emoji, count }),
    });
  });
}
