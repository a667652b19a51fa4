/**
 * What a browser may lack, deny, break or lie about: asked here and nowhere else. What fails costs its own feature and
 * never the page; tests/js/browser.test.js breaks each in turn.
 */

const HIDDEN_FRAME = 100; // ms; a hidden tab paints no frames, but its title counts all the same

/** Try something that may throw. @template Result @param {() => Result} act @param {Result} [otherwise] @returns {Result | undefined} */
export function attempt(act, otherwise) {
  try {
    return act();
  } catch {
    return otherwise;
  }
}

/**
 * Wait for something that may throw, reject or never settle.
 *
 * @template Result
 * @param {() => Promise<Result> | Result | undefined} act
 * @param {number} [time] ms; without it as long as it takes
 * @param {(callback: () => void, time: number) => any} [timer]
 * @returns {Promise<Result | undefined>} undefined where it failed
 */
export function settled(act, time, timer = setTimeout) {
  return new Promise((resolve) => {
    if (time) timer(() => resolve(undefined), time);
    const failed = () => resolve(undefined);
    new Promise((done) => done(act())).then(/** @type {any} */ (resolve), failed);
  });
}

/** What there is of the page, for tests to replace. */
export const surroundings = () => ({
  BroadcastChannel: attempt(() => globalThis.BroadcastChannel),
  document: globalThis.document,
  window: globalThis.window,
  locks: attempt(() => globalThis.navigator.locks),
});

/** @type {typeof fetch} Browsers refuse this one when it is called as a method of something else. */
export const ask = (input, init) => fetch(input, init);

/** Whether the browser says that there is no network: it may be wrong. */
export const isOffline = () => attempt(() => globalThis.navigator.onLine) === false;

/** The languages that the reader chose. */
export const languages = () => attempt(() => [...globalThis.navigator.languages]) ?? [];
/** Whether people can see the page, as far as the browser knows. @param {Document | undefined} [page] */
export const isVisible = (page = globalThis.document) => attempt(() => page?.visibilityState) !== "hidden";

/** Call before the next painting; soon, where nothing is painted. @param {() => void} callback */
export function nextFrame(callback) {
  let due = true;
  const once = () => {
    if (due) callback();
    due = false;
  };
  if (isVisible()) attempt(() => requestAnimationFrame(once));
  setTimeout(once, HIDDEN_FRAME);
}

/** Report an error that harms nobody else. @param {unknown} error */
export function report(error) {
  if (attempt(() => reportError(error), error)) console.error(error);
}

/**
 * Join a channel of the browser's tabs.
 *
 * @param {typeof globalThis.BroadcastChannel | undefined} Channel
 * @param {string} name
 * @param {(data: any) => void} onMessage
 * @returns {BroadcastChannel | undefined} undefined: this tab is alone
 */
export function openChannel(Channel, name, onMessage) {
  return attempt(() => {
    const channel = new /** @type {typeof globalThis.BroadcastChannel} */ (Channel)(name);
    channel.onmessage = ({ data }) => onMessage(data);
    return channel;
  });
}

/** What the browser keeps between pages; private modes and sandboxed frames throw at the mere mention. */
export const keptStorage = () => attempt(() => globalThis.localStorage);

/** @param {typeof globalThis.WebSocket | undefined} Socket @param {string} url @param {string} protocol */
export const connectSocket = (Socket, url, protocol) => new (Socket ?? globalThis.WebSocket)(url, protocol);

/** Random bytes, where need be without a secure context, and without `crypto`. @param {number} count */
export function randomBytes(count) {
  const bytes = new Uint8Array(count);
  return attempt(() => crypto.getRandomValues(bytes)) ?? bytes.map(() => Math.random() * 256);
}

/** The popover that a button opens and closes; the browser puts it next in the order of Tab. @param {HTMLButtonElement} button @param {HTMLElement} panel @returns {boolean} whether the browser can */
export function popoverOf(button, panel) {
  if (!("popover" in HTMLElement.prototype)) return false;
  button.popoverTargetElement = panel;
  return true;
}

/** Open or close what floats above the page; where the browser cannot, it stands where it is. @param {HTMLElement} element @param {boolean} open */
export function float(element, open) {
  const done = attempt(() => {
    if (open) element.showPopover();
    else element.hidePopover();
    return true;
  });
  if (!done) element.hidden = !open;
}

/** Tell when an element comes into sight or leaves it; where the browser cannot say, it is in sight. @param {Element} element @param {(seen: boolean) => void} callback @returns {() => void} stop */
export function whenSeen(element, callback) {
  const observer = attempt(() => new IntersectionObserver((entries) => callback(!!entries.at(-1)?.isIntersecting)));
  if (observer) observer.observe(element);
  else callback(true);
  return () => observer?.disconnect();
}

/** Tell when elements change their size. @param {Element[]} elements @param {() => void} callback */
export function whenResized(elements, callback) {
  const observer = attempt(() => new ResizeObserver(callback));
  for (const element of elements) observer?.observe(element);
}

/** Whether a style is known. @param {string} property @param {string} value */
export const canStyle = (property, value) => !!attempt(() => CSS.supports(property, value));

/** Whether the pointer is a finger. */
export const isTouch = () => !!attempt(() => matchMedia("(pointer: coarse)").matches);

/** Ask in a dialog; where there is none that is modal, it is open all the same. @param {HTMLDialogElement} dialog */
export function openDialog(dialog) {
  attempt(() => dialog.showModal());
  dialog.open = true;
}

/** Show another address without a load. @param {string} address */
export const showAddress = (address) => attempt(() => history.replaceState(history.state, "", address));

/** Whether desktop notifications can be had at all. */
export const hasDesktop = () => "Notification" in globalThis;

/** Whether the user allows them. */
export const mayNotify = () => attempt(() => Notification.permission) === "granted";

/** Ask the user; some browsers never answer. @returns {Promise<boolean>} */
export async function askToNotify() {
  await settled(() => Notification.requestPermission());
  return mayNotify();
}

/**
 * Show a desktop notification: of the page, or where the browser has only those of a service worker, of the site's.
 *
 * @param {string} title
 * @param {NotificationOptions} options
 * @param {() => void} onclick
 * @returns {Promise<(() => void) | undefined>} take it away; undefined: it cannot be shown
 */
export async function showDesktop(title, options, onclick) {
  const shown = attempt(() => new Notification(title, options));
  if (shown) {
    shown.onclick = onclick;
    return () => attempt(() => shown.close());
  }
  const worker = await settled(() => globalThis.navigator.serviceWorker.getRegistration(), 1_000);
  const done = worker && (await settled(() => worker.showNotification(title, options).then(() => true), 1_000));
  return done ? () => {} : undefined;
}

/** Show a number at the app's icon: an ornament. @param {number} count */
export const badgeApp = (count) => void settled(() => globalThis.navigator.setAppBadge(count));

/** Play tones, one after the other; without a gesture of the user's, browsers stay silent. @param {number[]} pitches Hz */
export function playTones(pitches) {
  attempt(() => {
    const audio = new AudioContext();
    settled(() => audio.resume());
    for (const [index, pitch] of pitches.entries()) {
      const [tone, gain] = [audio.createOscillator(), audio.createGain()];
      const start = audio.currentTime + index * 0.15;
      tone.frequency.value = pitch;
      gain.gain.setValueAtTime(0.15, start);
      gain.gain.exponentialRampToValueAtTime(0.001, start + 0.8);
      tone.connect(gain).connect(audio.destination);
      tone.start(start);
      tone.stop(start + 0.8);
      if (index === pitches.length - 1) tone.onended = () => void settled(() => audio.close());
    }
  });
}
