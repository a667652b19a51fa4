/** Makes one tree look like another with as few changes as it can: what stays keeps its focus, its scrolling and its state. */

const OWN = "live-part, live-value, live-answer, live-progress"; // they keep themselves right
const KEPT = ["open"]; // attributes that people set, in <details> for example

/**
 * Elements with an `id` are found by it wherever they stand; others by their name and order.
 *
 * @param {Node & ParentNode} target
 * @param {Node & ParentNode} source is taken apart
 */
export function morph(target, source) {
  const active = /** @type {HTMLElement | null} */ (document.activeElement);
  change(target, source);
  if (active !== document.activeElement && active?.id)
    document.getElementById(active.id)?.focus({ preventScroll: true });
}

/** @param {Node & ParentNode} target @param {Node & ParentNode} source */
function change(target, source) {
  const named = new Map([...target.children].filter(({ id }) => id).map((child) => [child.id, child]));
  let next = target.firstChild;
  for (const wanted of [...source.childNodes]) {
    const id = idOf(wanted);
    const found = id ? named.get(id) : after(next, wanted.nodeName);
    if (!id && found) {
      while (next && next !== found) next = idOf(next) ? next.nextSibling : drop(next);
    }
    if (found?.nodeName !== wanted.nodeName) target.insertBefore(wanted, next);
    else {
      if (found === next) next = next.nextSibling;
      else place(target, found, next);
      named.delete(id);
      update(found, wanted);
    }
  }
  while (next) next = drop(next);
  for (const child of named.values()) child.remove();
}

/** @param {Node} old @param {Node} wanted */
function update(old, wanted) {
  if (!(old instanceof Element && wanted instanceof Element)) {
    if (old.nodeValue !== wanted.nodeValue) old.nodeValue = wanted.nodeValue;
  } else if (!old.isEqualNode(wanted) && !(old.matches(OWN) && sameFeed(old, wanted))) {
    for (const { name } of [...old.attributes])
      if (!wanted.hasAttribute(name) && !KEPT.includes(name)) old.removeAttribute(name);
    for (const { name, value } of wanted.attributes)
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    change(old, wanted);
  }
}

/** @param {Element} old @param {Element} wanted */
const sameFeed = (old, wanted) =>
  ["feed", "key", "item", "event"].every((name) => old.getAttribute(name) === wanted.getAttribute(name));

/** @param {Node | null} node */
const idOf = (node) => /** @type {Element} */ (node)?.id ?? "";

/** The next node that has this name, and no id. @param {ChildNode | null} node @param {string} name */
function after(node, name) {
  let found = node;
  while (found && (found.nodeName !== name || idOf(found))) found = found.nextSibling;
  return found;
}

/** @param {ChildNode} node */
function drop(node) {
  const next = node.nextSibling;
  node.remove();
  return next;
}

/** Where the browser can, what is moved keeps its state. @param {any} parent @param {Node} node @param {Node | null} next */
function place(parent, node, next) {
  if ("moveBefore" in parent) parent.moveBefore(node, next);
  else parent.insertBefore(node, next);
}
