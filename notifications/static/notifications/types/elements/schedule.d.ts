/** `<notification-schedule>`: offers the browser's time zone to whoever has not chosen one. The form is the server's. */
export declare class NotificationSchedule extends HTMLElement {
    connectedCallback(): void;
}
