/** Line icons, drawn in a square of 24; each is one path. Those that one element alone shows stand with it. */

/** @type {Record<string, string>} */
export const PATHS = {
  close: "m7 7 10 10M17 7 7 17",
  info: "M12 11v6M12 7v.01",
  success: "m6.5 12.5 4 4 7-8",
  warning: "M12 6.5v7M12 17.5v.01",
  error: "m8 8 8 8M16 8l-8 8",
};

/**
 * Return an icon that assistive technology passes over: its control has a name of its own.
 * @param {string} name
 */
export function icon(name) {
  return draw(PATHS[name]);
}

/**
 * Draw an icon.
 * @param {string} shape the data of its path
 */
export function draw(shape) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS(svg.namespaceURI, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", shape);
  svg.append(path);
  return svg;
}
