/** What the sources and the bundles must be, whoever changes them. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { bundles, gzipped, STATIC } from "../../scripts/build.js";

// Bytes, gzipped. What a browser lacks, denies or breaks, and another user in one document, cost two kilobytes of each.
// To say what was seen of an item costs 0.2 KB, and to undo just what was done as much of the panel. `feeds.js` comes beside one of the first two, or beside `feeds-alone.js`.
const LIMITS = {
  "signed-out.js": 512,
  "preferences.js": 4 * 1024,
  "watch.js": 2 * 1024,
  "push.js": 2.5 * 1024, // with its worker at most four kilobytes
  "push-worker.js": 1.5 * 1024,
  "bell.js": 13.85 * 1024,
  "panel.js": 10.5 * 1024,
  "notifications.js": 17.2 * 1024,
  "chat.js": 21.9 * 1024,
  "feeds.js": 4.05 * 1024,
  "feeds-elements.js": 3.55 * 1024,
  "feeds-alone.js": 6.4 * 1024,
};

const sources = readdirSync(join(STATIC, "src"), { recursive: true })
  .filter((name) => name.endsWith(".js"))
  .map((name) => ({ name, text: readFileSync(join(STATIC, "src", name), "utf8") }));

test("the committed bundles are those of the sources: else run `npm run build`", async () => {
  for (const { name, contents } of await bundles()) {
    assert.ok(
      contents === readFileSync(join(STATIC, name), "utf8"),
      `${name} is not fresh: run \`npm run build\` and commit it`,
    );
  }
});

test("the bundles are within their limits", async (context) => {
  for (const { name, contents } of await bundles()) {
    if (!name.endsWith(".js")) continue;
    const size = gzipped(contents);
    context.diagnostic(`${name}: ${size} bytes gzipped, limit ${LIMITS[name]}`);
    assert.ok(size <= LIMITS[name], `${name} has ${size} bytes gzipped, the limit is ${LIMITS[name]}`);
  }
});

test("the preview of a broadcast shows the icons that the elements draw", () => {
  const icons = sources.find(({ name }) => name === "elements/icons.js").text;
  const preview = readFileSync(join(STATIC, "../../templates/admin/carillon/broadcast/preview.html"), "utf8");
  for (const level of ["info", "success", "warning", "error"]) {
    const [, drawn] = new RegExp(`  ${level}: "([^"]+)"`).exec(icons);
    const [, shown] = new RegExp(`data-level="${level}"[^>]*><path d="([^"]+)"`).exec(preview);
    assert.equal(shown, drawn, level);
  }
});

/** A source without its comments. */
const code = (text) => text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");

/** From the ground up: a room imports from itself and from those before it. */
const ROOMS = ["core", "inbox", "chat", "feeds", "push", "elements", "entries"];
const MAY = {
  core: [],
  inbox: ["core"],
  chat: ["core"],
  feeds: ["core"],
  push: ["core"],
  elements: ["core", "inbox", "chat", "feeds", "push"],
  entries: ["core", "inbox", "chat", "feeds", "push", "elements"],
};

test("imports run down only: core, then inbox, chat and feeds, then elements, then entries", () => {
  for (const { name, text } of sources) {
    const [room] = name.split("/");
    assert.ok(ROOMS.includes(room), `${name} stands in no room`);
    for (const [, module] of text.matchAll(/(?:from |import\()"(\.[^"]+)"/g)) {
      const [other] = join(name, "..", module).split("/");
      assert.ok(other === room || MAY[room].includes(other), `${name} imports ${module}`);
    }
  }
});

test("no module imports itself through others", () => {
  const imports = new Map(
    sources.map(({ name, text }) => [
      name,
      [...text.matchAll(/^import\b[^;]*from "(\.[^"]+)"/gm)].map(([, module]) => join(name, "..", module)),
    ]),
  );
  const walk = (name, path) => {
    assert.ok(!path.includes(name), [...path, name].join(" imports "));
    for (const module of imports.get(name) ?? []) walk(module, [...path, name]);
  };
  for (const name of imports.keys()) walk(name, []);
});

/** What a browser may lack, deny or break. `env` hands some of it on, so that a test can bring its own. */
const ASKED_WITH_CARE = [
  /\b(local|session)Storage\b|\bindexedDB\b/,
  /\bnavigator\b|\bnew (Notification|AudioContext|BroadcastChannel|WebSocket|\w+Observer)\b/,
  /\bglobalThis\.(?!document\b)[A-Za-z]/,
  /\bcrypto\b|\bstructuredClone\b|\bcanParse\b/,
  /\bvisibilityState\b|\bdocument\.hidden\b|\bonLine\b/,
  /\brequestAnimationFrame\b|\brequestIdleCallback\b|\bmatchMedia\b|\bCSS\.supports\b/,
  /\b(show|hide|toggle)(Popover|Modal)\b|\bpopoverTargetElement\b|\bpushState\b|\breplaceState\b|\breportError\b/,
];

/** Where that is done. */
const CAREFUL = ["core/browser.js", "core/push-api.js"];

test("only core/browser.js, and core/push-api.js for pushes, reach for what a browser may lack or deny", () => {
  for (const { name, text } of sources.filter(({ name }) => !CAREFUL.includes(name))) {
    const lines = code(text).replaceAll(/"[^"\n]*"/g, '""');
    for (const api of ASKED_WITH_CARE) assert.doesNotMatch(lines, api, name);
    if (name !== "core/locale.js") assert.doesNotMatch(lines, /\bIntl\.|\.toLocale\w+\(/, name);
  }
});

test("the bundles import nothing and name no place on a machine", async () => {
  for (const { name, contents } of await bundles()) {
    if (name.endsWith(".js")) assert.doesNotMatch(contents, /\bimport\b[^.(]/, name);
    assert.doesNotMatch(contents, /\/(home|root|work|tmp)\//, name);
  }
});

for (const { name, text } of sources) {
  test(`${name}: named imports that end with a semicolon, no \`export … from\``, () => {
    for (const [statement] of text.matchAll(/^import\b[^;]*/gm))
      assert.match(statement, /^import \{[^}]*\} from "[./][^"]*\.js"$/);
    assert.doesNotMatch(text, /^export\b[^=;(]*\bfrom\b/m);
    assert.doesNotMatch(text, /^import "/m);
  });

  test(`${name}: never turns text into markup, and has 200 lines at most`, () => {
    assert.doesNotMatch(code(text), /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b/);
    const lines = text.split("\n").length - 1;
    assert.ok(lines <= 200, `${lines} lines`);
  });
}
