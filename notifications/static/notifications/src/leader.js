/**
 * One leader among the tabs of a browser, by Web Locks.
 *
 * The back/forward cache is the hard part: a cached Chromium page keeps its lock while others starve, so it is
 * given back on `pagehide` and `freeze` (`release`); WebKit breaks the lock instead, and the promise rejects: a
 * rejected lock is lost leadership.
 */
export class Leader {
  #locks;
  #name;
  #onChange;
  /** @type {{abort: AbortController, done?: (value?: any) => void} | null} */
  #turn = null;

  leading = false;

  /** @param {LockManager} locks @param {string} name @param {(leading: boolean) => void} onChange */
  constructor(locks, name, onChange) {
    this.#locks = locks;
    this.#name = name;
    this.#onChange = onChange;
  }

  /** Wait for the lead; `steal` takes it from the tab that has it. */
  contend(steal = false) {
    if (this.leading || (this.#turn && !steal)) return;
    this.release();
    const turn = (this.#turn = /** @type {{abort: AbortController, done?: (value?: any) => void}} */ ({ abort: new AbortController() }));
    const hold = () => {
      if (this.#turn !== turn) return;
      this.#set(true);
      return new Promise((resolve) => (turn.done = resolve));
    };
    const options = steal ? { steal } : { signal: turn.abort.signal }; // the standard allows one of the two
    this.#locks.request(this.#name, options, hold).catch(() => {
      if (this.#turn !== turn) return;
      if (!this.leading) return this.#set(true); // no lock to be had here (a sandboxed frame): every tab for itself
      this.#turn = null;
      this.#set(false);
      this.contend();
    });
  }

  /** Give the lead back, or no longer wait for it. */
  release() {
    const turn = this.#turn;
    this.#turn = null;
    turn?.abort.abort();
    turn?.done?.();
    this.#set(false);
  }

  /** @param {boolean} leading */
  #set(leading) {
    if (leading === this.leading) return;
    this.leading = leading;
    this.#onChange(leading);
  }
}
