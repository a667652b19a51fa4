/**
 * The connection as a pure state machine: `step(state, event, clock)` returns the next state and what is to be
 * done. It has no timer, no DOM and no network, so that a test is a table. `state.wakeAt` says when it wants a `tick`.
 *
 * `name` is what people are told; `phase` is what the wire does: idle, opening, open or waiting.
 */

import { delay } from "./backoff.js";
import { LATE, LOST, PROBE, shift, wakeAt } from "./state.js";

const OPENING = 15_000; // ms from the request to `hello`; a proxy that buffers never gets there
const STABLE = 10_000; // ms live before the backoff starts over, else accept-then-drop never backs off
const GRACE = 2_000; // ms for bytes that queue behind a timer that came late
const SLEEP = 20_000; // ms that a clock jumps in a machine that slept
const PROMPT = 1_000; // ms over which a crowd that woke together is spread
const TRIES = 3; // openings without `hello` before the next transport
const PROBE_MAX = 600_000; // ms
const PATIENCE = 6; // the backoff of a browser that says it is offline: it may be wrong, so ask now and then

const FINAL = /** @type {Record<string, "signed-out" | "closed">} */ ({ "signed-out": "signed-out", "login-page": "signed-out", "other-user": "signed-out",
  forbidden: "closed", revoked: "closed", version: "closed" });
const ANSWERS = ["busy", "too-many", "http", "drain", "max-age", "slow", "limit"]; // HTTP or the server itself spoke

/** @typedef {import("./state.js").State} State */
/** @typedef {{type: "start" | "stop" | "resume" | "wake" | "online" | "offline" | "retry" | "bytes" | "tick"} | {type: "pause" | "signed-out", reason?: string} | {type: "hello", heartbeat?: number} | {type: "floor", time: number} | {type: "ended", reason: string, retry?: number | null}} MachineEvent */
/** @typedef {{now: number, random: () => number}} Clock */
/** @typedef {{open?: string, close?: boolean}} Effect */

/**
 * @param {Readonly<State>} before
 * @param {MachineEvent} event
 * @param {Clock} clock
 * @returns {{state: State, effect: Effect}}
 */
export function step(before, event, clock) {
  const { now } = clock;
  const state = { ...before, at: now };
  /** @type {Effect} */
  const effect = {};
  const was = before.wakeAt;
  if (now < before.at) shift(state, now - before.at);

  const open = () => {
    state.phase = "opening";
    state.deadline = now + OPENING;
    state.nextTryAt = state.liveSince = null;
    if (!state.probing) state.name = "connecting";
    effect.open = state.transports[state.index];
  };
  /** @param {import("./state.js").Name} name @param {string} reason */
  const rest = (name, reason) => {
    if (state.phase === "opening" || state.phase === "open") effect.close = true;
    Object.assign(state, { name, reason, phase: "idle", nextTryAt: null, liveSince: null, probing: false });
  };
  /** Wait `time` ms before the next opening. @param {string} reason @param {number} time */
  const wait = (reason, time) => {
    rest(state.offline ? "offline" : "reconnecting", reason);
    state.phase = "waiting";
    state.nextTryAt = Math.max(now + time, state.notBefore);
  };
  /** @param {string} reason */
  const soon = (reason) => wait(reason, clock.random() * PROMPT);

  /** The connection, or the attempt at one, is over. @param {string} reason @param {number | null} [after] */
  const failed = (reason, after) => {
    if (after === null || reason in FINAL) return rest(FINAL[reason] ?? "closed", reason);
    const heard = state.phase === "open";
    if (heard && state.liveSince !== null && now - state.liveSince >= STABLE) state.attempt = 0;
    if (state.probing) return fallBack();
    if (after) state.notBefore = now + after;
    if (reason === "no-streaming" && state.transports.length > 1) {
      state.index = state.transports.length - 1; // no ASGI, so no WebSocket either
      state.probeIn = PROBE_MAX;
      return open();
    }
    if (!heard && !ANSWERS.includes(reason) && ++state.unheard >= TRIES) {
      state.unheard = 0;
      state.index = (state.index + 1) % state.transports.length;
    }
    const graceful = reason === "max-age" || reason === "drain";
    wait(reason, delay(graceful ? 0 : state.attempt, clock.random, after ?? (graceful ? 0 : state.floor)));
    if (!graceful) state.attempt++;
  };
  const fallBack = () => {
    state.index = /** @type {number} */ (state.probing);
    state.probeIn = Math.min(state.probeIn * 4, PROBE_MAX);
    state.probeAt = null;
    open();
    state.probing = false;
  };
  const tick = () => {
    const late = was === null ? 0 : now - was;
    if (state.phase === "waiting" && late > SLEEP) soon("sleep");
    else if (state.phase === "waiting" && now >= /** @type {number} */ (state.nextTryAt)) open();
    else if (state.phase === "opening" && now >= state.deadline) {
      if (late > GRACE) state.deadline = now + GRACE;
      else failed("timeout");
    } else if (state.phase === "open") {
      const silent = now - state.lastByteAt;
      if (silent >= state.heartbeat * LATE && now >= state.graceUntil) {
        if (late > SLEEP) soon("sleep");
        else if (late > GRACE) state.graceUntil = now + GRACE;
        else if (silent >= state.heartbeat * LOST) failed("heartbeat");
        else Object.assign(state, { name: "stale", reason: "heartbeat" });
      } else if (state.probeAt && now >= state.probeAt) {
        state.probing = state.index;
        state.index = 0;
        open();
      }
    }
  };

  const { phase } = state;
  switch (event.type) {
    case "start":
      if (state.wanted) break;
      state.wanted = true;
      state.reason = "start";
      open();
      break;
    case "stop":
      state.wanted = false;
      rest("closed", "stopped");
      break;
    case "pause":
      if (state.wanted && phase !== "idle") rest("paused", event.reason ?? "hidden");
      break;
    case "resume":
      if (state.name === "paused") soon("start");
      break;
    case "wake": // the tab became visible: a phone cuts sockets silently
      if (phase === "open" && now - state.lastByteAt > state.heartbeat * LATE) soon("sleep");
      else if (phase === "waiting") hurry();
      break;
    case "online":
      state.offline = false;
      if (phase === "waiting") hurry();
      break;
    case "offline":
      state.offline = true;
      if (phase !== "idle") wait("offline", delay(PATIENCE, clock.random));
      break;
    case "retry":
      if (!state.wanted || phase === "opening" || (phase === "open" && state.name !== "stale")) break;
      state.notBefore = 0;
      open();
      break;
    case "hello":
      Object.assign(state, { phase: "open", reason: "", unheard: 0, offline: false, probing: false, notBefore: 0,
        name: state.transports[state.index] === "poll" ? "polling" : "live", liveSince: now, lastByteAt: now });
      if (event.heartbeat) state.heartbeat = event.heartbeat * 1_000;
      if (!state.index) Object.assign(state, { probeAt: null, probeIn: PROBE });
      else state.probeAt ??= now + state.probeIn;
      break;
    case "bytes":
      state.lastByteAt = now;
      if (state.name === "stale") {
        Object.assign(state, { name: state.transports[state.index] === "poll" ? "polling" : "live", reason: "" });
      }
      break;
    case "floor":
      state.floor = event.time;
      break;
    case "ended":
      if (phase === "opening" || phase === "open") failed(event.reason, event.retry);
      break;
    case "signed-out":
      if (state.wanted) rest("signed-out", event.reason ?? "signed-out");
      break;
    case "tick":
      tick();
  }

  function hurry() {
    const next = Math.max(now + clock.random() * PROMPT, state.notBefore);
    state.nextTryAt = Math.min(/** @type {number} */ (state.nextTryAt), next);
    if (state.name === "offline" && !state.offline) state.name = "reconnecting";
  }

  const troubled = ["connecting", "stale", "reconnecting", "offline"].includes(state.name);
  state.troubledSince = troubled ? (state.troubledSince ?? now) : null;
  state.wakeAt = wakeAt(state);
  return { state, effect };
}
