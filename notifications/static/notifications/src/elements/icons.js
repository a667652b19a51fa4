/** Line icons, drawn in a square of 24; each is one path. */

/** @type {Record<string, string>} */
const PATHS = {
  bell: "M6 9a6 6 0 1 1 12 0c0 5 2 6.5 2 7.5H4c0-1 2-2.5 2-7.5M10 20a2.2 2.2 0 0 0 4 0",
  check: "m5 12.5 4.5 4.5L19 7.5",
  unread: "M12 7.5a4.5 4.5 0 1 0 .01 0z",
  archive: "M4 5h16v4H4zM5.5 9v10h13V9M10 13h4",
  unarchive: "M4 5h16v4H4zM5.5 9v10h13V9M12 17v-5m-2 2 2-2 2 2",
  close: "m7 7 10 10M17 7 7 17",
  info: "M12 11v5.5M12 7.5v.01",
  success: "m7.5 12.5 3 3 6-6.5",
  warning: "M12 7v6M12 16.5v.01",
  error: "m8.5 8.5 7 7M15.5 8.5l-7 7",
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
