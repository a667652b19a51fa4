/**
 * One leader among the tabs of a browser, by Web Locks.
 *
 * The back/forward cache is the hard part: a cached Chromium page keeps its lock while others starve, so it is
 * given back on `pagehide` and `freeze` (`release`); WebKit breaks the lock instead, and the promise rejects: a
 * rejected lock is lost leadership.
 *
 * @param {LockManager} locks
 * @param {string} name
 * @param {(leading: boolean) => void} onChange
 */
export function leader(locks, name, onChange) {
  /** The present request for the lock, and how to end it. @type {(() => void) | undefined} */
  let turn;
  let leading = false;

  const set = (/** @type {boolean} */ now) => {
    if (now === leading) return;
    leading = now;
    onChange(now);
  };

  /** Give the lead back, or wait for it no longer. */
  const release = () => {
    const end = turn;
    turn = undefined;
    end?.();
    set(false);
  };

  /** Wait for the lead; `steal` takes it from the tab that has it. */
  const contend = (steal = false) => {
    if (leading || (turn && !steal)) return;
    release();
    const abort = new AbortController();
    /** @type {(value?: any) => void} */
    let done;
    const held = new Promise((resolve) => (done = resolve));
    const mine = (turn = () => (abort.abort(), done()));
    const options = steal ? { steal } : { signal: abort.signal }; // the standard allows one of the two
    locks.request(name, options, () => turn === mine && (set(true), held)).catch(() => {
      if (turn !== mine) return;
      if (!leading) return set(true); // no lock to be had here (a sandboxed frame): every tab for itself
      turn = undefined;
      set(false);
      contend();
    });
  };

  return { contend, release };
}
