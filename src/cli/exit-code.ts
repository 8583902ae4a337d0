/** Exit codes of the commands that verify something. */
export const EXIT = { ok: 0, wrong: 1, unusable: 2 } as const;

/** The file or the command line is such that nothing can be said. The message is for the user. */
export class Unusable extends Error {}
