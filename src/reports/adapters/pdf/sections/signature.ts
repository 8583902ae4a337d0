import { type DossierSigner } from '../../../domain/dossier.js';
import { type Paper } from '../paper.js';
import { type Cell, drawFacts } from '../table.js';
import { STYLES } from '../theme.js';

const mono = (text: string): Cell => ({ text, style: STYLES.mono });

/**
 * Who signed is text, because the signature itself has no picture; whether it holds is said by the reader's program.
 * @param inLog what the log says of the key
 */
export function drawSignature(paper: Paper, signer: DossierSigner, inLog?: string): void {
  paper.subheading('Signature of this report');
  paper.text(
    'This file is signed as a whole (PAdES, ETSI EN 319 142-1); the attached file with the extension jws is the same in JSON. A signature proves that the holder of the key made these bytes. It does not prove that what they say is true.',
    STYLES.body,
  );
  paper.y += 4;
  drawFacts(paper, [
    ['Signed by', `"${signer.commonName}", certified by "${signer.issuer}"`],
    ...(signer.isDevelopment
      ? [['Note', 'The certificate is one of a development authority: it proves no name.'] as const]
      : []),
    ['Certificate, SHA-256', mono(signer.certificateSha256)],
    ...(inLog === undefined ? [] : [['In the log', inLog] as const]),
    ['Check it with', mono('npx --no-install colophon verify REPORT.pdf')],
    ['Or, without us', mono('pdfsig REPORT.pdf')],
  ]);
  paper.y += 6;
}
