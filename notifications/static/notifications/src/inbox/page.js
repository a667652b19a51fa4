/** The page's one client, and what is told over its connection that only preferences and watching need. */

const SHARED = Symbol.for("carillon"); // the client
const HEARD = Symbol.for("carillon-heard"); // that its frames are listened to

/** @typedef {import("./client.js").Client} Client */
/** @typedef {{client: Client, urls: Record<string, string>, on: (type: string, listener: (frame: any) => void) => () => void}} Page */

/**
 * @returns {Promise<Page | null>} null on a page without configuration: nobody is signed in
 */
export async function pageClient() {
  const block = document.getElementById("notifications-config");
  if (!block) return null;
  const { urls } = JSON.parse(block.textContent ?? "");
  const shared = /** @type {{[SHARED]?: Client}} */ (globalThis);
  /** @type {Client} */
  const client = shared[SHARED] ?? (await import(urls.client)).connection();
  return client && { client, urls, on: (type, listener) => listen(client, type, listener) };
}

/** @param {Client} client @param {string} type @param {(frame: any) => void} listener */
function listen(client, type, listener) {
  const holder = /** @type {Client & {[HEARD]?: EventTarget}} */ (client);
  holder[HEARD] ??= hear(client);
  const target = holder[HEARD];
  const told = (/** @type {any} */ { detail }) => listener(detail);
  target.addEventListener(type, told);
  return () => target.removeEventListener(type, told);
}

/** @param {Client} client */
function hear({ link: { parts } }) {
  const target = new EventTarget();
  const { onFrame } = parts;
  parts.onFrame = (frame) => {
    onFrame(frame);
    target.dispatchEvent(new CustomEvent(frame.type, { detail: frame }));
  };
  return target;
}
