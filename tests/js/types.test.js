/** The published types: they are those of the sources, and name what the documentation names. */

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { STATIC, types } from "../../scripts/build.js";

const isClass = (name) => [...files.values()].some((text) => text.includes(`export declare class ${name}`));
const files = new Map(types().map(({ name, contents }) => [name, contents]));
const page = (name) => readFileSync(new URL(`../../docs/reference/${name}.md`, import.meta.url), "utf8");

/** The public members of a class and of those that it extends. */
function members(name) {
  for (const text of files.values()) {
    const [, parent, body] =
      new RegExp(`^export declare class ${name}\\b(?:.* extends (\\w+))?.*\\{\\n([^]*?)^\\}`, "m").exec(text) ?? [];
    if (body === undefined) continue;
    const own = [...body.matchAll(/^ {4}(?:get |set |readonly )?(\w+)(?:<.*?>)?[(:?]/gm)].map(([, member]) => member);
    return [...new Set([...own, ...(isClass(parent) ? members(parent) : [])])]
      .filter((member) => member !== "constructor")
      .sort();
  }
  assert.fail(`no class ${name}`);
}

/** The properties of an object type. */
function properties(name) {
  for (const text of files.values()) {
    const [, body] = new RegExp(`^export type ${name} = \\{\\n([^]*?)^\\}`, "m").exec(text) ?? [];
    if (body) return [...body.matchAll(/^ {4}(\w+)\??:/gm)].map(([, property]) => property).sort();
  }
  assert.fail(`no type ${name}`);
}

/** The names in the first column of the table under a heading. */
function table(text, heading, number = 1) {
  const section = text.split(/^#+ /m).find((part) => part.startsWith(heading)) ?? assert.fail(`no heading ${heading}`);
  const found =
    section.split("\n\n").filter((part) => part.startsWith("|"))[number - 1] ??
    assert.fail(`no table under ${heading}`);
  const cells = found
    .split("\n")
    .slice(2)
    .map((row) => row.split("|")[1]);
  return cells.flatMap((cell) => [...cell.matchAll(/`(\w+)/g)].map(([, name]) => name)).sort();
}

const headings = (text) => [...text.matchAll(/^### (.*)$/gm)].map(([, heading]) => heading);

test("the committed types are those of the sources: else run `npm run build`", () => {
  for (const [name, contents] of files) {
    assert.ok(existsSync(join(STATIC, name)), `${name} is missing: run \`npm run build\` and commit it`);
    assert.equal(
      readFileSync(join(STATIC, name), "utf8"),
      contents,
      `${name} is not fresh: run \`npm run build\` and commit it`,
    );
  }
  const kept = readdirSync(join(STATIC, "types"), { recursive: true }).filter((name) => name.endsWith(".d.ts"));
  assert.deepEqual(
    kept.map((name) => `types/${name}`).filter((name) => !files.has(name)),
    [],
  );
});

test("every member of the client is documented, and nothing else", () => {
  const text = page("client");
  const titles = [...text.matchAll(/^##+ (client\..*)$/gm)].map(([, title]) => title);
  const documented = titles.flatMap((title) =>
    [...title.matchAll(/(?:client\.|, )(\w+)(?=\(|$| and)/g)].map(([, name]) => name),
  );
  assert.deepEqual([...new Set(documented)].sort(), members("Client"));
});

test("the tables of the client's parts are those of their types", () => {
  const text = page("client");
  assert.deepEqual(table(text, "client.state"), properties("Snapshot"));
  assert.deepEqual(
    table(text, "client.feed"),
    members("Feed").filter((name) => name !== "filter"),
  );
  assert.deepEqual(table(text, "client.alerts"), members("Alerts"));
});

test("every event is documented, and every action that can fail", () => {
  const text = page("client");
  const [, events] = text.split("## Events");
  assert.deepEqual(
    headings(events.split(/^## /m)[0])
      .filter((name) => /^\w+$/.test(name))
      .sort(),
    properties("Events"),
  );
  const [, action] = /`action` is (.*?),\s+`message`/s.exec(text) ?? [];
  const declared = /export type Action = (.*);/.exec(files.get("types/inbox/types.d.ts"))?.[1] ?? "";
  assert.deepEqual(
    [...action.matchAll(/`([\w-]+)`/g)].map(([, name]) => name),
    [...declared.matchAll(/"([\w-]+)"/g)].map(([, name]) => name),
  );
});

test("every member of the chat's client is documented, and nothing else", () => {
  const text = page("chat-client");
  assert.deepEqual(table(text, "Client"), members("Chat"));
  assert.deepEqual(table(text, "Client", 2), properties("ChatEvents"));
  assert.deepEqual(table(text, "Room"), members("Room"));
  assert.deepEqual(table(text, "List"), members("RoomList"));
});

test("every member of the feeds' client is documented, and nothing else", () => {
  const text = page("feeds-client");
  assert.deepEqual(table(text, "The client"), members("Feeds"));
  assert.deepEqual(table(text, "A handle"), members("Follower"));
  assert.deepEqual(table(text, "client.follow"), properties("Handlers"));
  assert.deepEqual(table(text, "An event"), properties("FeedEvent"));
  assert.deepEqual(table(text, "The state"), properties("FeedState"));
});

test("every attribute of an element is documented where the element reads it", () => {
  const text = page("elements");
  for (const [element, file] of [
    ["notification-list", "list"],
    ["chat-room", "chat/room"],
    ["chat-list", "chat/list"],
  ]) {
    const source = readFileSync(join(STATIC, `src/elements/${file}.js`), "utf8");
    const [, observed] = /observedAttributes = \[(.*)\]/.exec(source);
    const documented = table(text, `\`<${element}>\``);
    for (const [, name] of observed.matchAll(/"(\w+)"/g)) assert.ok(documented.includes(name), `${element} ${name}`);
  }
});
