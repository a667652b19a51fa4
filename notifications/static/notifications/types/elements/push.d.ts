/**
 * `<notification-push>`: the server's list of devices, with a button that turns pushes on in this browser.
 *
 * Nothing is asked before the button is pressed. The list is the server's own, and whole without the script.
 */
export type Device = {
    id: number;
    name: string;
    told: string;
    here: boolean;
};
export type Known = {
    devices: Device[];
    here: number | null;
};
export type Page = import("../inbox/page.js").Page;
export declare class NotificationPush extends HTMLElement {
    #private;
    connectedCallback(): Promise<void>;
    disconnectedCallback(): void;
}
