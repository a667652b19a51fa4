/** Line icons, drawn in a square of 24; each is one path. */

/** @type {Record<string, string>} */
const PATHS = {
  bell: "M6 9a6 6 0 1 1 12 0c0 5 2 6.5 2 7.5H4c0-1 2-2.5 2-7.5M10 20a2.2 2.2 0 0 0 4 0",
  check: "m5 12.5 4.5 4.5L19 7.5",
  unread: "M12 7.5a4.5 4.5 0 1 0 .01 0z",
  archive: "M4 5h16v4H4zM5.5 9v10h13V9M10 13h4",
  unarchive: "M4 5h16v4H4zM5.5 9v10h13V9M12 17v-5m-2 2 2-2 2 2",
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
