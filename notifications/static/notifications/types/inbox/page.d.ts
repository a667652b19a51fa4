/** The page's one client, and what is told over its connection that only preferences and watching need. */
export type Client = import("./client.js").Client;
export type Page = {
    client: Client;
    urls: Record<string, string>;
    on: (type: string, listener: (frame: any) => void) => () => void;
};
/**
 * @returns {Promise<Page | null>} null on a page without configuration: nobody is signed in
 */
export declare function pageClient(): Promise<Page | null>;
