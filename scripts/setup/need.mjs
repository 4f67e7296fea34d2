/**
 * Something that must be there before Longshore runs. Each need is one file beside this one.
 * @typedef {object} Need
 * @property {string} name as people call it
 * @property {() => Promise<string | undefined>} find what is there (a version, an address); undefined when it is missing
 * @property {() => Promise<string | undefined>} obstacle why set-up cannot bring it here; undefined when it can
 * @property {string} byHand what a person does where set-up cannot
 * @property {boolean} [isOptional] Longshore also runs without it
 * @property {(say: (doing: string) => void) => Promise<string>} provide brings it, telling what it does; returns what is there now
 */
export {};
