/** What a browser keeps under a prefix, as JSON: a store that is full, forbidden or missing never throws. */

import { attempt } from "./browser.js";

export class UserStorage {
  #storage;
  #prefix;

  /**
   * @param {Storage | undefined} storage
   * @param {string} prefix
   */
  constructor(storage, prefix) {
    this.#storage = storage;
    this.#prefix = prefix;
  }

  /** The names that are kept. @returns {string[] | undefined} undefined: nobody knows */
  get names() {
    const keys = this.#attempt((storage) => Object.keys(storage));
    return keys?.map((key) => this.nameOf(key)).filter((name) => name !== null);
  }

  /**
   * @param {string | null} key of the browser's store
   * @returns {string | null} the name, if the key is one of these
   */
  nameOf(key) {
    return key?.startsWith(this.#prefix) ? key.slice(this.#prefix.length) : null;
  }

  /**
   * @param {string | number} name
   * @returns {any} null for what is not there or cannot be read
   */
  get(name) {
    return this.#attempt((storage) => JSON.parse(storage.getItem(this.#prefix + name) ?? "null")) ?? null;
  }

  /**
   * @param {string | number} name
   * @param {unknown} value
   * @returns {boolean} whether it is kept
   */
  set(name, value) {
    const kept = this.#attempt((storage) => {
      storage.setItem(this.#prefix + name, JSON.stringify(value));
      return true;
    });
    return !!kept;
  }

  /** @param {string | number} name */
  remove(name) {
    this.#attempt((storage) => storage.removeItem(this.#prefix + name));
  }

  /**
   * @template Result
   * @param {(storage: Storage) => Result} act
   * @returns {Result | undefined}
   */
  #attempt(act) {
    return attempt(() => this.#storage && act(this.#storage));
  }
}

const PRIVATE = /^carillon-(?:draft|outbox) (\S*) (\S+) /; // of which site they are, and whose words

/**
 * Where the browser keeps what a user writes: two sites may share an origin, and know each other's users by the same keys.
 *
 * @param {"draft" | "outbox"} what
 * @param {{site?: string, user: string}} config
 */
export const privatePrefix = (what, { site = "", user }) => `carillon-${what} ${site} ${user} `;

/**
 * Forget what users wrote and did not send. It is theirs alone: whoever comes next to this browser could read it.
 *
 * @param {Storage | undefined} storage
 * @param {string | undefined} site
 * @param {(user: string) => boolean} isMeant whose words
 */
export function forget(storage, site = "", isMeant) {
  attempt(() => {
    for (const key of Object.keys(storage ?? {})) {
      const [, where, user] = PRIVATE.exec(key) ?? [];
      if (user && where === site && isMeant(user)) storage?.removeItem(key);
    }
  });
}
