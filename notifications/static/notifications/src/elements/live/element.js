/** What every element that shows a feed does: it follows it while it is in the page, and says in `state` how it is. */

/** @typedef {import("../../feeds/client.js").Feeds} Feeds */
/** @typedef {import("../../feeds/types.js").FeedEvent} FeedEvent */

/** The page's feeds. The bundle that follows them brings them, so that this one need not contain it. @type {{feeds: Feeds | null}} */
export const page = { feeds: null };

export class LiveElement extends HTMLElement {
  static observedAttributes = ["feed"];

  /** @type {import("../../feeds/follower.js").Follower | undefined} */
  #follower;

  connectedCallback() {
    const name = this.getAttribute("feed");
    if (!name) return; // what stands inside the element stays as it is
    this.#follower ??= page.feeds?.follow(name, {
      since: this.getAttribute("cursor") ?? "",
      onEvent: (event) => this.show(event),
      onReset: (events) => {
        for (const event of events) this.show(event);
      },
      onMove: (cursor) => this.moved(cursor),
      onState: (state) => this.told(state.name),
    });
  }

  disconnectedCallback() {
    this.#follower?.close();
    this.#follower = undefined;
  }

  connectedMoveCallback() {} // moveBefore() then goes on with what it follows

  attributeChangedCallback() {
    if (!this.#follower) return;
    this.disconnectedCallback();
    this.connectedCallback();
  }

  /** An event came, or is present. @param {FeedEvent} event */
  show(event) {
    void event;
  }

  /** The feed is at this position now. @param {string} cursor */
  moved(cursor) {
    void cursor;
  }

  /** How the feed is. @param {import("../../feeds/types.js").FeedStateName} state */
  told(state) {
    this.setAttribute("state", state);
  }

  /** The language that its content is in. */
  get language() {
    return this.closest("[lang]")?.getAttribute("lang") || "en";
  }
}

/**
 * Make an element with text in it.
 *
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Partial<HTMLElementTagNameMap[Name]>} [properties]
 * @returns {HTMLElementTagNameMap[Name]}
 */
export const make = (name, properties) => Object.assign(document.createElement(name), properties);
