/**
 * Bundle the browser client: one minified ES module per entry, with its source map, beside the sources.
 *
 *     npm run build      write the bundles
 *     npm run size       say how large they are
 */

import { build } from "esbuild";
import { readdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

export const STATIC = fileURLToPath(new URL("../notifications/static/notifications/", import.meta.url));

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
  const names = readdirSync(join(STATIC, "src/entries"));
  return (await Promise.all(names.map((name) => bundle(join("src/entries", name), name)))).flat();
}

/** The bytes of a bundle as it travels. */
export const gzipped = (contents) => gzipSync(contents, { level: 9 }).length;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const files = await bundles();
  const core = await bundle("src/inbox/config.js", "(core alone).js");
  if (!process.argv.includes("--size")) for (const { name, contents } of files) writeFileSync(join(STATIC, name), contents);
  for (const { name, contents } of [...core, ...files].filter(({ name }) => name.endsWith(".js"))) {
    console.log(`${name.padEnd(20)} ${String(contents.length).padStart(6)} bytes, ${String(gzipped(contents)).padStart(6)} gzipped`);
  }
}
