/**
 * Register elements, unless the page did so already: it may load two bundles, or bring an element of its own.
 *
 * @param {Record<string, CustomElementConstructor>} elements by name
 */
export function define(elements) {
  for (const [name, element] of Object.entries(elements)) {
    if (!customElements.get(name)) customElements.define(name, element);
  }
}
