/**
 * The connection as a pure state machine: `step(state, event, clock)` returns the next state and what the wire is to
 * do. It has no timer, no DOM and no network, so that a test is a table. `state.wakeAt` says when it wants a `tick`.
 *
 * `name` is what people are told; `phase` is what the wire does: idle, opening, open or waiting.
 */
export type State = import("./state.js").State;
export type Event = {
    type: "start" | "wake" | "online" | "offline" | "retry" | "bytes" | "tick";
} | {
    type: "rest";
    name: "closed" | "paused" | "signed-out";
    reason: string;
} | {
    type: "hello";
    heartbeat?: number;
} | {
    type: "floor";
    time: number;
} | {
    type: "ended";
    reason: string;
    retry?: number | null;
};
export type Effect = "open" | "close" | undefined;
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
export declare function step(before: Readonly<State>, event: Event, { now, random }: {
    now: number;
    random: () => number;
}): {
    state: State;
    effect: Effect;
};
