/** Named events with plain objects. */
/** @template {Record<string, any>} Events what each type carries */
export declare class Emitter<Events extends Record<string, any>> {
    #private;
    /**
     * Listen to an event.
     *
     * @template {keyof Events} Type
     * @param {Type} type
     * @param {(event: Events[Type]) => void} listener
     * @returns {() => void} stop listening
     */
    on<Type extends keyof Events>(type: Type, listener: (event: Events[Type]) => void): () => void;
}
