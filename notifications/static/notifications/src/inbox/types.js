/**
 * The shapes that cross the borders of the client; no code.
 *
 * @typedef {object} Item one notification as this user has it
 * @property {number} id
 * @property {number} version rises with every change; 0 while a change has no position yet
 * @property {string} kind
 * @property {string} category
 * @property {"info" | "success" | "warning" | "error"} level
 * @property {string} title
 * @property {string} body
 * @property {string} url
 * @property {Record<string, any>} data
 * @property {{id: number | string, name: string} | null} actor
 * @property {string} created_at ISO 8601, UTC, as all times
 * @property {string | null} seen_at
 * @property {string | null} read_at
 * @property {string | null} archived_at
 * @property {string | null} expires_at
 * @property {boolean} [removed] a tombstone: nothing but `id` and `version` is left
 * @property {boolean} [pending] a change of the user's waits for the server's confirmation
 *
 * @typedef {object} Config what `{% notifications_head %}` writes into the page
 * @property {1} v
 * @property {string} user an opaque key of the user
 * @property {{stream: string, changes: string, inbox: string, item: string, readAll: string, seen: string, counts?: string,
 *   page?: string, style?: string, socket: string | null}} urls
 * @property {string} cursor
 * @property {number} unread
 * @property {number} unseen
 * @property {{header: string, cookie: string | null, token: string}} csrf
 * @property {string} version of the package
 * @property {string} [language]
 * @property {Record<string, string>} [strings]
 * @property {boolean} [title] count in the title of a hidden tab
 * @property {Partial<import("../core/env.js").Env>} [env] what a test brings instead of the browser
 *
 * @typedef {{unread: number, unseen: number}} Counts
 * @typedef {"all" | "unread" | "archived"} Filter
 */

export {};
