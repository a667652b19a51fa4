/** A clock that a test moves: timers run in order of time, and promises settle between them. */
export class Clock {
  #timers = new Map();
  #count = 0;
  #due = [];

  constructor(now = 1.7e12) {
    this.time = now;
  }

  now = () => this.time;

  setTimeout = (callback, time = 0) => {
    this.#timers.set(++this.#count, { at: this.time + Math.max(0, time), callback });
    this.#due = this.#due.filter(({ count, resolve }) => this.#timers.size < count || resolve());
    return this.#count;
  };

  clearTimeout = (timer) => {
    this.#timers.delete(timer);
  };

  /** How many timers wait. */
  get waiting() {
    return this.#timers.size;
  }

  /** Until that many timers wait. */
  due(count) {
    return this.#timers.size >= count
      ? Promise.resolve()
      : new Promise((resolve) => this.#due.push({ count, resolve }));
  }

  /** Let `time` ms pass. */
  async pass(time) {
    const end = this.time + time;
    for (;;) {
      await settle();
      const next = [...this.#timers]
        .filter(([, { at }]) => at <= end)
        .sort((a, b) => a[1].at - b[1].at || a[0] - b[0])[0];
      if (!next) break;
      this.#timers.delete(next[0]);
      this.time = Math.max(this.time, next[1].at);
      next[1].callback();
    }
    this.time = end;
    await settle();
  }

  /** The machine sleeps: the clock jumps, timers come late, all at once. */
  async jump(time) {
    this.time += time;
    await this.pass(0);
  }
}

/** Let everything run that waits for nothing but its turn. */
export async function settle() {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}
