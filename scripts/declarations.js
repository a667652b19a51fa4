/** The types of the bundles, as `tsc` reads them off the sources: one tree, of which each bundle shows its entry. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const INTERNAL = /^ *\/\*\*(?:(?!\*\/)[\s\S])*@internal(?:(?!\*\/)[\s\S])*\*\/\n.*;\n/gm;
const REPEATED = /^ *\/\*\* @typedef .*\*\/\n/gm; // tsc has made types of them
const MODULE = /(?:from |import\()"(\.[^"]+)\.js"/g;

/**
 * Make the declarations.
 *
 * @param {string[]} bundles names without their suffix
 * @returns {{name: string, contents: string}[]} the files as they should be, by their place beside the bundles
 */
export function declarations(bundles) {
  const directory = mkdtempSync(join(tmpdir(), "carillon-types-"));
  try {
    execFileSync(join(ROOT, "node_modules/.bin/tsc"), ["-p", "tsconfig.types.json", "--outDir", directory], {
      cwd: ROOT,
    });
    const made = new Map(
      readdirSync(directory, { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith(".d.ts"))
        .map((name) => [name, clean(readFileSync(join(directory, name), "utf8"))]),
    );
    const entries = bundles.map((name) => `entries/${name}.d.ts`);
    return [
      ...bundles.map((name) => ({ name: `${name}.d.ts`, contents: `export * from "./types/entries/${name}.js";\n` })),
      ...reachable(entries, made).map((name) => ({ name: `types/${name}`, contents: made.get(name) ?? "" })),
    ];
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** What is internal is nobody's business: `stripInternal` leaves what a constructor assigns. */
const clean = (text) => text.replace(INTERNAL, "").replace(REPEATED, "");

/** The modules that the entries speak of. */
function reachable(entries, made) {
  const found = new Set(entries);
  for (const name of found) {
    for (const [, module] of (made.get(name) ?? "").matchAll(MODULE)) {
      found.add(`${normalize(join(dirname(name), module))}.d.ts`);
    }
  }
  return [...found].sort();
}
