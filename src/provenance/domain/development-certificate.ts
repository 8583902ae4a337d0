/** Nobody shall take these certificates for real ones: subject and issuer say it wherever a reader shows them. */
export const DEVELOPMENT_WARNING = 'Development, not trusted';

/** Whether a certificate with these names was made to try the product out: nobody outside of the installation trusts it. */
export function saysDevelopment(...names: readonly (string | undefined)[]): boolean {
  // Names are printed with backslashes before commas.
  return names.some((name) => name?.replaceAll('\\', '').includes(DEVELOPMENT_WARNING) === true);
}
