/** The types of the bundles `notifications.js` and `bell.js`; docs/reference/client.md tells what each member does. */

/** One notification as the signed-in user has it. All times are ISO 8601 in UTC. */
export interface Item {
  readonly id: number;
  /** Rises with every change; 0 while a change has no position yet. */
  readonly version: number;
  readonly kind: string;
  readonly category: string;
  readonly level: "info" | "success" | "warning" | "error";
  readonly title: string;
  readonly body: string;
  readonly url: string;
  readonly data: Record<string, any>;
  readonly actor: { id: number | string; name: string } | null;
  readonly created_at: string;
  readonly seen_at: string | null;
  readonly read_at: string | null;
  readonly archived_at: string | null;
  readonly expires_at: string | null;
  /** A change of the user's waits for the server's confirmation. */
  readonly pending?: boolean;
}

export type StateName =
  | "connecting" | "live" | "stale" | "reconnecting" | "offline" | "paused" | "polling" | "signed-out" | "closed";

/** The connection, as this tab knows it. */
export interface State {
  readonly name: StateName;
  /** A code; empty while all is well. */
  readonly reason: string;
  /** Failures in a row. */
  readonly attempt: number;
  /** When the next try comes, in epoch milliseconds. */
  readonly nextTryAt: number | null;
  /** Since when the connection is neither live nor polling, in epoch milliseconds. */
  readonly troubledSince: number | null;
  /** `stream`, `socket` or `poll`; empty while this tab has none. */
  readonly transport: string;
}

export interface Failure {
  readonly action: "read" | "unread" | "archive" | "unarchive" | "read-all" | "seen";
  readonly ids: number[];
  /** A sentence in the page's language. */
  readonly message: string;
  retry(): Promise<boolean>;
}

export interface Events {
  state: State & { readonly from: StateName; readonly to: StateName };
  change: object;
  notification: { readonly items: Item[]; readonly total: number };
  failure: Failure;
  seen: object;
}

/** A filtered, paged list of items. */
export interface Feed {
  readonly items: readonly Item[];
  readonly loaded: boolean;
  readonly loading: boolean;
  readonly hasMore: boolean;
  /** A sentence in the page's language. */
  readonly error: string | null;
  /** How many newer items wait while the feed is held. */
  readonly fresh: number;
  load(): Promise<void>;
  loadMore(): Promise<void>;
  hold(on: boolean): void;
  showFresh(): void;
}

export interface Alerts {
  readonly sound: boolean;
  readonly desktop: boolean;
  setSound(on: boolean): void;
  /** Call it from a click. Resolves to whether desktop notifications are on now. */
  setDesktop(on: boolean): Promise<boolean>;
}

/** What `{% notifications_head %}` writes into the page. */
export interface Config {
  v: 1;
  user: string;
  urls: {
    stream: string; changes: string; inbox: string; item: string; readAll: string; seen: string;
    counts?: string; page?: string; style?: string; socket: string | null;
  };
  cursor: string;
  unread: number;
  unseen: number;
  csrf: { header: string; cookie: string | null; token: string };
  version: string;
  language?: string;
  strings?: Record<string, string>;
  title?: boolean;
}

export interface Client {
  readonly config: Config;
  readonly state: State;
  readonly counts: { unread: number; unseen: number };
  readonly leading: boolean;
  readonly outdated: boolean;
  /** Absent in `bell.js`. */
  readonly alerts: Alerts | undefined;
  on<Type extends keyof Events>(type: Type, listener: (event: Events[Type]) => void): () => void;
  hold(): () => void;
  start(): void;
  stop(): void;
  retryNow(): void;
  destroy(): void;
  feed(filter?: { state?: "all" | "unread" | "archived"; category?: string }): Feed;
  markRead(ids: number | Iterable<number>): Promise<boolean>;
  markUnread(ids: number | Iterable<number>): Promise<boolean>;
  archive(ids: number | Iterable<number>): Promise<boolean>;
  unarchive(ids: number | Iterable<number>): Promise<boolean>;
  markAllRead(): Promise<boolean>;
  markSeen(): Promise<boolean>;
  text(key: string, fallback: string): string;
}

/** Make a client of your own; it connects at `start()` or at the first `hold()`. */
export function createClient(config: Config): Client;

/** The page's one client; null where nobody is signed in. */
export function connection(): Client | null;
