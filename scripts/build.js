/**
 * Bundle the browser client: one minified ES module per entry, with its source map, beside the sources.
 *
 *     npm run build      write the bundles
 *     npm run size       say how large they are
 */

import { build } from "esbuild";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { minify } from "terser";

export const STATIC = fileURLToPath(new URL("../notifications/static/notifications/", import.meta.url));

/** Names of properties that no page, frame or browser ever sees: the bundles shorten them. */
const INTERNAL = `again announce arrivals arrived awaken base bytes build cancel changed contend counting deadline effect
  emit fail failed fulfil graceUntil hole lastByteAt leave listen liveSince look mark network newest notBefore onFrame
  onLead onMessage onState opening owner phase post probeAt probeIn probing release resets revision revive serious
  settle settled sheet signOut suspend tone transports unheard until view visibility visible wakeAt wish wishes`.split(/\s+/);

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
    mangleProps: new RegExp(`^(${INTERNAL.join("|")})$`),
    sourcemap: "external",
    legalComments: "none",
    write: false,
    logLevel: "warning",
  });
  const [map, code] = outputFiles.sort((a, b) => b.path.length - a.path.length).map(({ text }) => text);
  // `unsafe_arrows` minds functions that are called with `new`; here only classes are.
  const compress = { passes: 3, unsafe_arrows: true };
  const small = await minify(code, { module: true, ecma: 2022, compress, sourceMap: { content: map, url: `${name}.map` } });
  return [{ name, contents: `${small.code}\n` }, { name: `${name}.map`, contents: small.map }];
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
  const core = await bundle("src/config.js", "(core alone).js");
  if (!process.argv.includes("--size")) for (const { name, contents } of files) writeFileSync(join(STATIC, name), contents);
  for (const { name, contents } of [...core, ...files].filter(({ name }) => name.endsWith(".js"))) {
    console.log(`${name.padEnd(20)} ${String(contents.length).padStart(6)} bytes, ${String(gzipped(contents)).padStart(6)} gzipped`);
  }
}
