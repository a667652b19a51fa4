/**
 * The shapes that cross the borders of the client; no code.
 *
 * @typedef {object} Item one notification as the signed-in user has it; all times are ISO 8601 in UTC
 * @property {number} id
 * @property {number} version rises with every change; 0 while a change has no position yet
 * @property {string} kind
 * @property {string} category
 * @property {"info" | "success" | "warning" | "error"} level
 * @property {string} [icon] the address of a picture of what happened
 * @property {string} title
 * @property {string} body
 * @property {string} url
 * @property {Record<string, any>} data
 * @property {Actor | null} actor
 * @property {string} created_at
 * @property {string | null} seen_at
 * @property {string | null} read_at
 * @property {string | null} archived_at
 * @property {string | null} expires_at
 * @property {string | null} snoozed_until out of the inbox until then; `archived_at` is set too
 * @property {boolean} pinned
 * @property {number} rank the highest stands on top of a list
 * @property {Group | null} [group] the events that it has grown by
 * @property {{name: string, label: string, style: "" | "primary" | "danger"}[]} [actions] what the user may do
 * @property {{action: string, text: string, by: string, at: string} | null} [outcome] what was done
 * @property {boolean} [toast] false where it should draw no attention
 * @property {boolean} [mutable] whether the user may switch off its kind
 * @property {boolean} [removed] a tombstone: nothing but `id` and `version` is left
 * @property {boolean} [pending] a change of the user's waits for the server's confirmation
 *
 * @typedef {object} Actor who caused it
 * @property {number | string} id
 * @property {string} name
 * @property {string} [avatar] the address of a picture
 *
 * @typedef {object} Group the events of an item that grows
 * @property {number} events how many
 * @property {number} actors how many distinct actors
 * @property {Actor[]} latest the latest three of them
 * @property {number | null} since the position at which the item first arrived, if it has grown since
 *
 * @typedef {object} Urls
 * @property {string} stream
 * @property {string} changes
 * @property {string} inbox
 * @property {string} item with `{id}` and `{action}` in it
 * @property {string} bulk
 * @property {string} readAll
 * @property {string} seen
 * @property {string} archiveAll
 * @property {string} undo
 * @property {string} filters how many items of each category and kind there are
 * @property {string} [counts]
 * @property {string} [csrf] where a fresh token is had
 * @property {string} [chat] the chat's configuration
 * @property {string} [page] of the inbox
 * @property {string} [preferences] of the API
 * @property {string} panel the module of what the bell's panel and the inbox page show
 * @property {string} baseStyle the style sheet that all elements share
 * @property {string} style the style sheet of the elements
 * @property {string | null} socket
 *
 * @typedef {object} Own what `{% notifications_head %}` writes into the page, beside what every client needs
 * @property {1} v
 * @property {Urls} urls
 * @property {string} cursor
 * @property {number} unread
 * @property {number} unseen
 * @property {string | null} [until] when the first of what is counted expires
 * @property {boolean} [title] count in the title of a hidden tab
 *
 * @typedef {import("../core/types.js").PageConfig & Own} Config what `{% notifications_head %}` writes into the page
 *
 * @typedef {{unread: number, unseen: number}} Counts
 * @typedef {"all" | "unread" | "archived" | "snoozed"} Filter
 * @typedef {{state: Filter, category: string, kind?: string, q?: string}} Listed what a list shows: `q` is sought in titles
 * @typedef {"read" | "click" | "unread" | "archive" | "unarchive" | "pin" | "unpin" | "snooze" | "unsnooze" | "archive-all" | "undo" | "action" | "mute" | "read-all" | "seen"} Action
 *
 * @typedef {object} Failure a change was taken back
 * @property {Action} action
 * @property {number[]} ids
 * @property {string} message a sentence in the page's language
 * @property {() => Promise<any>} retry
 *
 * @typedef {import("../core/state.js").Name} StateName
 * @typedef {import("../core/state.js").Snapshot} State the connection, as this tab knows it
 *
 * @typedef {object} Events what `on` listens to, by type
 * @property {State & {from: StateName, to: StateName}} state
 * @property {object} change
 * @property {{items: Item[], total: number}} notification
 * @property {{items: Item[]}} grown they have grown, and are unseen again
 * @property {Failure} failure
 * @property {object} seen
 */

export {};
