/** `<watch-button>`: the server's form by which the user watches an object; it saves at once, and follows other tabs. */
export type Shown = {
    choices: [string, string][];
    choice: string;
};
export type Page = import("../inbox/page.js").Page;
export declare class WatchButton extends HTMLElement {
    #private;
    connectedCallback(): Promise<void>;
    disconnectedCallback(): void;
}
