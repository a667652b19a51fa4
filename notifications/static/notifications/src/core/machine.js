/**
 * The connection as a pure state machine: `step(state, event, clock)` returns the next state and what the wire is to
 * do. It has no timer, no DOM and no network, so that a test is a table. `state.wakeAt` says when it wants a `tick`.
 *
 * `name` is what people are told; `phase` is what the wire does: idle, opening, open or waiting.
 */

import { delay } from "./backoff.js";
import {
  GRACE,
  isFine,
  LATE,
  LOST,
  OPENING,
  PATIENCE,
  PROBE,
  PROBE_MAX,
  PROMPT,
  REDIRECTS,
  SLEEP,
  STABLE,
  shift,
  TRIES,
  wakeAt,
} from "./state.js";

const SIGNED_OUT = /^(signed-out|other-user)$/;
const CLOSED = /^(revoked|version)$/;
const FOREIGN = /^(login-page|content-type)$/; // somebody else answered, who may be there for minutes
const SPOKEN = /^(busy|too-many|http|login-page|drain|max-age|slow|limit)$/; // the server itself: the transport works
const PLANNED = /^(drain|max-age)$/; // no failure at all

/**
 * @typedef {import("./state.js").State} State
 * @typedef {{type: "start" | "wake" | "online" | "offline" | "retry" | "bytes" | "tick"}
 *   | {type: "rest", name: "closed" | "paused" | "signed-out", reason: string}
 *   | {type: "hello", heartbeat?: number} | {type: "floor", time: number}
 *   | {type: "ended", reason: string, retry?: number | null}} Event `retry` in ms: null = do not come back
 * @typedef {"open" | "close" | undefined} Effect `open` takes the place of what is open
 */

/**
 * @param {Readonly<State>} before
 * @param {Event} event
 * @param {{now: number, random: () => number}} clock
 * @returns {{state: State, effect: Effect}}
 */
export function step(before, event, { now, random }) {
  const state = { ...before, at: now };
  const { phase } = before;
  /** @type {Effect} */
  let effect;
  if (now < before.at) shift(state, now - before.at);

  const open = () => {
    effect = "open";
    state.phase = "opening";
    state.deadline = now + OPENING;
    state.nextTryAt = null;
    if (state.probing === null) tell("connecting");
  };
  /** @param {import("./state.js").Name} name where it is not redirected again and again, as by a site whose session ended */
  const tell = (name) => {
    state.name = state.redirects < REDIRECTS ? name : "signed-out";
  };
  /** @param {import("./state.js").Name} name @param {string} reason */
  const rest = (name, reason) => {
    effect = "close";
    Object.assign(state, { name, reason, phase: "idle", nextTryAt: null, probing: null });
  };
  /** @param {string} reason @param {number} time ms until the next opening */
  const wait = (reason, time) => {
    rest("reconnecting", reason);
    if (state.offline) state.name = "offline";
    else tell("reconnecting");
    state.phase = "waiting";
    state.nextTryAt = Math.max(now + time, state.notBefore);
  };
  const prompt = () => random() * PROMPT;
  const asleep = () => wait("sleep", prompt());
  const hurry = () => {
    state.nextTryAt = Math.min(state.nextTryAt ?? 0, Math.max(now + prompt(), state.notBefore));
    if (state.name !== "offline" || !state.offline) tell("reconnecting");
  };

  /** The connection, or the attempt at one, is over. @param {string} reason @param {number | null} [retry] */
  const failed = (reason, retry) => {
    if (SIGNED_OUT.test(reason)) return rest("signed-out", reason);
    if (retry === null || CLOSED.test(reason)) return rest("closed", reason);
    if (state.probing !== null) {
      state.index = state.probing;
      state.probeIn = Math.min(state.probeIn * 4, PROBE_MAX);
      open();
      state.probing = null;
      return;
    }
    if (reason === "no-streaming" && state.index < state.last) {
      state.index = state.last; // no ASGI, so no WebSocket either
      state.probeIn = PROBE_MAX;
      return open();
    }
    if (phase === "open" && now - state.liveSince >= STABLE) state.attempt = 0;
    if (phase === "opening" && !SPOKEN.test(reason) && ++state.unheard >= TRIES) {
      state.unheard = 0;
      state.index = state.index < state.last ? state.index + 1 : 0;
    }
    if (retry) state.notBefore = now + retry;
    state.redirects = reason === "login-page" ? state.redirects + 1 : 0;
    const planned = PLANNED.test(reason);
    const attempt = FOREIGN.test(reason) ? Math.max(state.attempt, PATIENCE) : state.attempt;
    wait(reason, delay(planned ? 0 : attempt, random, retry ?? (planned ? 0 : state.floor)));
    if (!planned) state.attempt++;
  };

  const tick = () => {
    const late = now - (before.wakeAt ?? now);
    const silence = now - state.lastByteAt;
    if (phase === "waiting") {
      if (late > SLEEP) asleep();
      else if (now >= (state.nextTryAt ?? 0)) open();
    } else if (phase === "opening" && now >= state.deadline) {
      if (late > GRACE) state.deadline = now + GRACE;
      else failed("timeout");
    } else if (phase === "open" && silence >= state.heartbeat * LATE && now >= state.graceUntil) {
      if (late > SLEEP) asleep();
      else if (late > GRACE) state.graceUntil = now + GRACE;
      else if (silence >= state.heartbeat * LOST) failed("heartbeat");
      else Object.assign(state, { name: "stale", reason: "heartbeat" });
    } else if (phase === "open" && state.probeAt !== null && now >= state.probeAt) {
      state.probing = state.index;
      state.index = 0;
      state.probeAt = null;
      open();
    }
  };

  const heard = () => {
    state.lastByteAt = now;
    if (state.name === "stale" || event.type === "hello") {
      state.name = state.index === state.last ? "polling" : "live";
      state.reason = "";
    }
  };

  switch (event.type) {
    case "start":
      if (phase !== "idle") break;
      if (state.name === "paused") wait("start", prompt());
      else {
        state.reason = "start";
        state.attempt = 0;
        open();
      }
      break;
    case "rest":
      rest(event.name, event.reason);
      break;
    case "wake": // the tab is looked at again: a phone cuts sockets silently
      if (phase === "open" && now - state.lastByteAt > state.heartbeat * LATE) asleep();
      else if (phase === "waiting") hurry();
      break;
    case "online":
      state.offline = false;
      if (phase === "waiting") hurry();
      break;
    case "offline":
      state.offline = true;
      if (phase !== "idle") wait("offline", delay(PATIENCE, random));
      break;
    case "retry":
      if (phase === "opening" || isFine(state)) break;
      state.notBefore = 0;
      open();
      break;
    case "hello":
      Object.assign(state, { phase: "open", unheard: 0, redirects: 0, offline: false });
      Object.assign(state, { probing: null, notBefore: 0, liveSince: now });
      if (event.heartbeat) state.heartbeat = event.heartbeat * 1_000;
      if (state.index) state.probeAt = now + state.probeIn;
      else Object.assign(state, { probeAt: null, probeIn: PROBE });
      heard();
      break;
    case "bytes":
      heard();
      break;
    case "floor":
      state.floor = event.time;
      break;
    case "ended":
      failed(event.reason, event.retry);
      break;
    case "tick":
      tick();
  }
  state.troubledSince = isFine(state) || state.phase === "idle" ? null : (state.troubledSince ?? now);
  state.wakeAt = wakeAt(state);
  return { state, effect };
}
