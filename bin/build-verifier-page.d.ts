/** The text of verify.html, built from its sources. */
export function buildVerifierPage(): string;
