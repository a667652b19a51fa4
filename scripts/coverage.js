/**
 * A reporter for `node --test --experimental-test-coverage`: what `spec` says, but of coverage only how much of the client's
 * sources the tests run, and the floor under it. Node.js 20 has no thresholds of its own, and counts the tests' own files too.
 *
 *     npm test
 */

import { join, relative } from "node:path";
import { Readable } from "node:stream";
import { spec as Spec } from "node:test/reporters";

const SOURCES = join("notifications", "static", "notifications", "src", "/");

/** In per cent. Only sources that these tests load are counted: most elements have their tests in real browsers. */
const FLOOR = { Line: 96, Branch: 93, Function: 90 };

const PLURALS = { Line: "lines", Branch: "branches", Function: "functions" };

/** What part of one kind of thing was run, in all these files, in per cent. */
function percent(files, kind) {
  const add = (name) => files.reduce((sum, file) => sum + file[name], 0);
  return (100 * add(`covered${kind}Count`)) / add(`total${kind}Count`);
}

function* tell(files) {
  const found = Object.keys(FLOOR).map((kind) => [kind, percent(files, kind)]);
  const shown = found.map(([kind, value]) => `${value.toFixed(1)} % of ${PLURALS[kind]}`).join(", ");
  yield `\nCoverage of the ${files.length} sources that these tests load: ${shown}\n`;
  for (const [kind, value] of found) {
    if (value >= FLOOR[kind]) continue;
    process.exitCode = 1;
    yield `That is too little: at least ${FLOOR[kind]} % of ${PLURALS[kind]} are run on main. The least of each source:\n`;
    const least = files.toSorted((a, b) => a[`covered${kind}Percent`] - b[`covered${kind}Percent`]);
    for (const file of least.slice(0, 10))
      yield `  ${file[`covered${kind}Percent`].toFixed(1).padStart(5)} %  ${file.path}\n`;
  }
}

export default async function* report(events) {
  const sources = [];
  async function* withoutCoverage() {
    for await (const event of events) {
      if (event.type !== "test:coverage") yield event;
      else {
        const { files, workingDirectory } = event.data.summary;
        const found = files.map((file) => ({ ...file, path: relative(workingDirectory, file.path) }));
        sources.push(...found.filter(({ path }) => path.startsWith(SOURCES)));
      }
    }
  }
  yield* Readable.from(withoutCoverage()).pipe(new Spec());
  yield* tell(sources);
}
