/**
 * Bundle the browser client: one minified ES module per entry, with its source map and its types, beside the sources.
 *
 *     npm run build      write the bundles and their types
 *     npm run size       say how large they are
 */

import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

import { declarations } from "./declarations.js";

export const STATIC = fileURLToPath(new URL("../notifications/static/notifications/", import.meta.url));
const NAMES = readdirSync(join(STATIC, "src/entries")).map((name) => name.replace(".js", ""));

/** Bundle an entry in memory. */
async function bundle(entry, name) {
  const { outputFiles } = await build({
    absWorkingDir: STATIC,
    entryPoints: [entry],
    outfile: join(STATIC, name),
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    charset: "utf8",
    sourcemap: "linked",
    legalComments: "none",
    write: false,
    logLevel: "warning",
  });
  return outputFiles.map(({ path, text }) => ({ name: basename(path), contents: text }));
}

/** Bundle every entry: the files as they should be. */
export async function bundles() {
  const made = NAMES.map((name) => bundle(`src/entries/${name}.js`, `${name}.js`));
  return (await Promise.all(made)).flat();
}

/** The bytes of a bundle as it travels. */
export const gzipped = (contents) => gzipSync(contents, { level: 9 }).length;

/** The types of every bundle: the files as they should be. */
export const types = () => declarations(NAMES.filter((name) => !["signed-out", "panel", "push-worker"].includes(name))); // nothing, or nothing for others

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const files = await bundles();
  const core = await bundle("src/inbox/config.js", "(core alone).js");
  if (!process.argv.includes("--size")) {
    rmSync(join(STATIC, "types"), { recursive: true, force: true });
    for (const { name, contents } of [...files, ...types()]) {
      mkdirSync(dirname(join(STATIC, name)), { recursive: true });
      writeFileSync(join(STATIC, name), contents);
    }
  }
  for (const { name, contents } of [...core, ...files].filter(({ name }) => name.endsWith(".js"))) {
    const [bytes, small] = [contents.length, gzipped(contents)].map((size) => String(size).padStart(6));
    console.log(`${name.padEnd(20)} ${bytes} bytes, ${small} gzipped`);
  }
}
