/**
 * One rendering before the next painting, however much happens until then.
 *
 * @param {import("./env.js").Env} env
 * @param {(arrivals: import("../inbox/types.js").Item[], total: number) => void} render
 * @param {() => number} until epoch ms at which time itself changes what is shown
 */
export function renderer({ frame, now, setTimeout, clearTimeout }, render, until) {
  let due = false;
  let total = 0;
  /** @type {import("../inbox/types.js").Item[]} */
  let arrivals = [];
  /** @type {any} */
  let timer;

  const changed = () => {
    if (due) return;
    due = true;
    frame(() => {
      due = false;
      const [items, count] = [arrivals, total];
      arrivals = [];
      total = 0;
      render(items, count);
      clearTimeout(timer);
      if (until() < Infinity) timer = setTimeout(changed, Math.min(until() - now(), FARTHEST));
    });
  };

  return {
    changed,
    /** @param {import("../inbox/types.js").Item[]} items */
    arrived(items) {
      total += items.length;
      arrivals = [...arrivals, ...items].slice(-ARRIVALS);
      changed();
    },
    stop: () => clearTimeout(timer),
  };
}

const ARRIVALS = 20; // items of one rendering; `total` counts all
const FARTHEST = 2 ** 31 - 1; // ms; browsers call a longer timer at once
