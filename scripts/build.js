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

/** Bundle every entry (or the given source) in memory. */
export async function bundle(entries = readdirSync(join(STATIC, "src/entries")).map((name) => join("src/entries", name))) {
  const { outputFiles } = await build({
    absWorkingDir: STATIC,
    entryPoints: entries,
    outdir: STATIC,
    entryNames: "[name]",
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
  return outputFiles.map(({ path, contents }) => ({ path, name: basename(path), contents: Buffer.from(contents) }));
}

/** The size of a bundle as it travels. */
export const gzipped = (contents) => gzipSync(contents, { level: 9 }).length;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const files = await bundle();
  const core = await bundle(["src/config.js"]);
  if (!process.argv.includes("--size")) for (const { path, contents } of files) writeFileSync(path, contents);
  for (const { name, contents } of [...core, ...files].filter(({ name }) => name.endsWith(".js"))) {
    console.log(`${(name === "config.js" ? "(core alone)" : name).padEnd(20)} ${String(contents.length).padStart(6)} bytes, ${String(gzipped(contents)).padStart(6)} gzipped`);
  }
}
