/** Sound, desktop notification and app badge: asked for by the user, given by the leading tab when people look at no tab. */
export declare class Alerts {
    #private;
    /** Whether the sound is on. @returns {boolean} */
    get sound(): boolean;
    /** Whether desktop notifications are on. @returns {boolean} */
    get desktop(): boolean;
    /** Switch the sound, and let it be heard once. @param {boolean} on */
    setSound(on: boolean): void;
    /**
     * Switch desktop notifications, and show one. Call it from a click: the browser asks for permission.
     *
     * @param {boolean} on
     * @returns {Promise<boolean>} whether they are on now
     */
    setDesktop(on: boolean): Promise<boolean>;
}
