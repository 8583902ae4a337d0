const CERTIFICATE = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g;
const LINE = /.{1,64}/g;

/**
 * The certificates of a PEM text and nothing else of it, in the form of RFC 7468. Lists come with a byte order mark,
 * words, keys or revocation lists around their certificates, and a reader that stumbles over one of these would blame
 * the file that is judged by the list.
 */
export function certificatesOnly(pem: string): string {
  return [...pem.matchAll(CERTIFICATE)]
    .map(([, base64 = '']) => {
      const lines = Buffer.from(base64, 'base64').toString('base64').match(LINE) ?? [];
      return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
    })
    .join('');
}
