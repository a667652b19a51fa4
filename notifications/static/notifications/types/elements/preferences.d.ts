/**
 * `<notification-preferences>`: the server's form, which saves each choice at once, and follows what other tabs choose.
 *
 * The form stays the server's own, so that it is there before the script, and whole without it.
 */
export type Choice = {
    value: string;
};
export type Kind = {
    kind: string;
    channels: Record<string, Choice>;
};
export type Category = {
    category: string;
    channels: Record<string, Choice> | null;
    kinds: Kind[];
};
export type Control = HTMLInputElement | HTMLSelectElement;
export declare class NotificationPreferences extends HTMLElement {
    #private;
    connectedCallback(): Promise<void>;
    disconnectedCallback(): void;
}
