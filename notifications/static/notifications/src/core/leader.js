/**
 * One leader among the tabs of a browser, by Web Locks; without them every tab leads.
 *
 * The back/forward cache is the hard part: a cached Chromium page keeps its lock while others starve, so it is
 * given back on `pagehide` and `freeze` (`release`); WebKit breaks the lock instead, and the promise rejects: a
 * rejected lock is lost leadership.
 */

import { attempt } from "./browser.js";

export class Leader {
  #locks;
  #name;
  #onChange;
  #isDeaf;
  /** End the present request for the lock. @type {(() => void) | undefined} */
  #end;

  leading = false;

  /**
   * @param {LockManager | undefined} locks
   * @param {string} name
   * @param {(leading: boolean) => void} onChange
   * @param {() => boolean} isDeaf nothing was ever heard of other tabs: whoever else may lead tells us nothing
   */
  constructor(locks, name, onChange, isDeaf) {
    this.#locks = locks;
    this.#name = name;
    this.#onChange = onChange;
    this.#isDeaf = isDeaf;
  }

  /** Wait for the lead; `steal` takes it from the tab that has it. */
  contend(steal = false) {
    if (this.leading || (this.#end && !steal)) return;
    if (!this.#locks) return this.#set(true);
    this.release();
    const abort = new AbortController();
    /** @type {(value?: any) => void} */
    let done;
    const held = new Promise((resolve) => {
      done = resolve;
    });
    const end = () => {
      abort.abort();
      done();
    };
    const granted = () => {
      if (this.#end !== end) return;
      this.#set(true);
      return held;
    };
    const lost = () => this.#end === end && this.#lost();
    this.#end = end;
    const options = steal ? { steal } : { signal: abort.signal }; // the standard allows one of the two
    if (!attempt(() => this.#locks?.request(this.#name, options, granted).catch(lost))) lost();
  }

  /** Lead without the lock: there is nobody to share with. */
  alone() {
    this.release();
    this.#set(true);
  }

  /** Give the lead back, or wait for it no longer. */
  release() {
    const end = this.#end;
    this.#end = undefined;
    end?.();
    this.#set(false);
  }

  #lost() {
    this.#end = undefined;
    // No lock to be had here (a sandboxed frame), or nobody who shares: every tab for itself.
    if (!this.leading || this.#isDeaf()) return this.#set(true);
    this.#set(false);
    this.contend();
  }

  /** @param {boolean} leading */
  #set(leading) {
    if (leading === this.leading) return;
    this.leading = leading;
    this.#onChange(leading);
  }
}
