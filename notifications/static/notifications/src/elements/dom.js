/** How elements are made: of nodes and text, never of markup. */

/**
 * Make an element. Strings become text, never markup; functions become listeners; false, null and undefined are left out.
 * Its classes are its parts too; docs/reference/elements.md says which of them will stay.
 *
 * @param {string} name
 * @param {Record<string, any>} [attributes]
 * @param {...(Node | string | null)} children
 */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(key.slice(2), value);
    else if (value) element.setAttribute(key, value === true ? "" : value);
    if (key === "class") element.setAttribute("part", value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** What stands in an element, in a word. @type {WeakMap<Element, string>} */
const drawn = new WeakMap();

/**
 * Draw the content of an element anew if what it shows has changed.
 *
 * @param {Element} element
 * @param {string} key everything that it shows
 * @param {() => (Node | string)[]} make
 */
export function redraw(element, key, make) {
  if (drawn.get(element) === key) return;
  drawn.set(element, key);
  element.replaceChildren(...make());
}

/**
 * Make a button.
 *
 * @param {string} look the classes
 * @param {(() => void) | null} onclick
 * @param {Node | string} [content]
 * @param {Record<string, any>} [attributes]
 */
export function button(look, onclick, content = "", attributes = {}) {
  return h("button", { type: "button", class: look, onclick, ...attributes }, content);
}

/**
 * Make a button that shows an icon only: its name is for assistive technology, and for the pointer.
 *
 * @param {Node} image
 * @param {string} title
 * @param {() => void} onclick
 * @param {string} [about] what it does it to
 */
export function iconButton(image, title, onclick, about = "") {
  return button("icon", onclick, image, { title, "aria-label": about ? `${title}: ${about}` : title });
}

/** Whether an address is one to follow: the server lets only http(s) and paths in; a second lock costs little. @param {string} url */
export const isLink = (url) => /^(https?:|[/?#])/i.test(url);

/**
 * Make what a click follows: a real link where there is an address, so that the middle button works too.
 *
 * @param {string} url
 * @param {() => void} act what happens beside; not at the right button, which opens a menu
 * @param {...(Node | string | null)} children
 */
export function link(url, act, ...children) {
  const href = isLink(url) && url;
  const onauxclick = (/** @type {MouseEvent} */ { button }) => button > 1 || act();
  return h(href ? "a" : "button", { class: "main", href, onclick: act, onauxclick }, ...children);
}

/**
 * Make the picture of an item: of who caused it, else of its level. Who has no picture, or one that does not load, is
 * shown by their initials.
 *
 * @param {import("../inbox/types.js").Actor | null | undefined} actor
 * @param {string | undefined} address of the picture of what happened, for who caused it is not known
 * @param {() => Node} icon
 */
export function face(actor, address, icon) {
  const [first, ...more] = (actor?.name ?? "").split(/\s+/);
  const initials = [first, more.pop()].flatMap((word = "") => [...word].slice(0, 1)).join("\u200c"); // letters stay apart
  const source = (actor ? actor.avatar : address) ?? "";
  const instead = () => initials || icon();
  const picture = isLink(source)
    ? h("img", { src: source, alt: "", onerror: () => picture?.replaceWith(instead()) })
    : null;
  return h("span", { class: "level", "aria-hidden": "true" }, picture ?? instead());
}

/**
 * Make a text for assistive technology alone.
 *
 * @param {string} words
 */
export function hidden(words) {
  return h("span", { class: "hidden" }, words);
}

/**
 * Make a line of somebody's words: it keeps its own direction, and stands where the page's language begins.
 *
 * @param {string} look
 * @param {string} words
 */
export function text(look, words) {
  return h("span", { class: look }, h("bdi", {}, words));
}
