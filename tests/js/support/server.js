/** A model of the server's inbox: what `changes_since` would answer, without a network. */

export function item(id, more = {}) {
  return {
    id,
    version: id,
    kind: "",
    category: "",
    level: "info",
    title: `Number ${id}`,
    body: "",
    url: "",
    data: {},
    actor: null,
    created_at: new Date(1.7e12 + id * 1_000).toISOString(),
    seen_at: null,
    read_at: null,
    archived_at: null,
    expires_at: null,
    snoozed_until: null,
    pinned: false,
    rank: id,
    ...more,
  };
}

const newestFirst = (a, b) => b.rank - a.rank || b.id - a.id;
const AT = "2026-11-21T08:00:00Z";

export class Inbox {
  epoch = 1;
  head = 0;
  rows = new Map();

  cursor(at = this.head) {
    return `inbox=0000000${this.epoch}.${at}`;
  }

  get counts() {
    const unread = [...this.rows.values()].filter((row) => !row.removed && !row.read_at && !row.archived_at);
    return { unread: unread.length, unseen: unread.filter((row) => !row.seen_at).length };
  }

  #write(row) {
    this.rows.set(row.id, { ...row, version: ++this.head });
  }

  create(more) {
    const id = Math.max(0, ...this.rows.keys()) + 1;
    this.#write(item(id, more));
    return id;
  }

  /** Another event joins the item: it comes to the top. */
  grow(id, more) {
    const rank = Math.max(...[...this.rows.values()].map((row) => row.rank ?? 0)) + 1;
    this.#write({ ...this.rows.get(id), rank, seen_at: null, ...more });
  }

  remove(id) {
    if (this.rows.has(id)) this.#write({ id, removed: true });
  }

  /** As the services do: what changes nothing writes nothing. */
  act(action, id) {
    const row = this.rows.get(id);
    if (!row || row.removed) return;
    if (action === "read" && !row.read_at) this.#write({ ...row, read_at: AT, seen_at: row.seen_at ?? AT });
    if (action === "unread" && row.read_at) this.#write({ ...row, read_at: null });
    if (action === "archive" && !row.archived_at) this.#write({ ...row, archived_at: AT });
    if (action === "unarchive" && row.archived_at) this.#write({ ...row, archived_at: null });
    if (action === "pin" && !row.pinned) this.#write({ ...row, pinned: true, rank: row.rank + 2 ** 52 });
    if (action === "unpin" && row.pinned) this.#write({ ...row, pinned: false, rank: row.rank - 2 ** 52 });
    if (action === "seen" && !row.seen_at && !row.read_at) this.#write({ ...row, seen_at: AT });
  }

  all(action) {
    for (const id of [...this.rows.keys()])
      if (!this.rows.get(id).archived_at) this.act(action === "read-all" ? "read" : action, id);
  }

  /** The database was restored, or the inbox made anew. */
  renew() {
    this.epoch++;
    this.head = 0;
    for (const id of [...this.rows.keys()]) {
      if (this.rows.get(id).removed) this.rows.delete(id);
      else this.#write(this.rows.get(id));
    }
  }

  reset(reason = "start") {
    const items = [...this.rows.values()]
      .filter((row) => !row.removed && !row.archived_at)
      .sort(newestFirst)
      .slice(0, 20);
    return { type: "reset", reason, cursor: this.cursor(), items: structuredClone(items), ...this.counts };
  }

  /** The frames for a reader at this cursor, in pieces. */
  since(cursor, piece = 3) {
    const match = /inbox=0000000(\d+)\.(\d+)/.exec(cursor);
    if (!match) return [this.reset()];
    const at = +match[2];
    if (+match[1] !== this.epoch) return [this.reset("epoch")];
    if (at > this.head) return [this.reset("ahead")];
    const items = [...this.rows.values()].filter(({ version }) => version > at).sort((a, b) => a.version - b.version);
    const frames = [];
    let from = at;
    for (let start = 0; start < items.length; start += piece) {
      const part = items.slice(start, start + piece);
      const to = part.at(-1).version;
      frames.push({
        type: "changes",
        from: this.cursor(from),
        to: this.cursor(to),
        items: structuredClone(part),
        ...this.counts,
      });
      from = to;
    }
    if (frames.length) frames.at(-1).to = this.cursor();
    return frames;
  }

  heartbeat() {
    return { type: "heartbeat", head: this.cursor() };
  }

  page({ state = "all", category = "", kind = "", q = "", before, limit = 20 } = {}) {
    const [rank, id] = (before ?? "").split(".").map(Number);
    const found = [...this.rows.values()]
      .filter((row) => !row.removed && (!before || newestFirst({ rank, id }, row) < 0))
      .filter((row) => !category || row.category === category)
      .filter((row) => !kind || row.kind === kind)
      .filter((row) => row.title.toLowerCase().includes(q.toLowerCase()))
      .filter(
        (row) => (state === "archived" ? row.archived_at : !row.archived_at) && (state !== "unread" || !row.read_at),
      )
      .sort(newestFirst);
    return {
      items: structuredClone(found.slice(0, limit)),
      next: found.length > limit ? `${found[limit - 1].rank}.${found[limit - 1].id}` : null,
      cursor: this.cursor(),
      ...this.counts,
    };
  }
}
