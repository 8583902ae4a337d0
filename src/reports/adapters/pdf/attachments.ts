import { readFile } from 'node:fs/promises';
import { parseTlogProof } from '../../../audit/core/tlog-proof.js';
import { sha256Hex } from '../../../shared/bytes.js';
import { canonicalJson } from '../../../shared/canonical-json.js';
import { ColophonError } from '../../../shared/errors.js';
import { type AssetDossier, type BundleEvidence } from '../../domain/dossier.js';
import { renderDossierJson } from '../dossier-json.js';
import { safeFileNames } from '../safe-file-names.js';
import { type Paper } from './paper.js';

/** `AFRelationship` of ISO 19005-3 annex E: the same facts for machines, where they came from, what supports them. */
export type AttachmentRelationship = 'Data' | 'Source' | 'Supplement';

export interface PdfAttachment {
  readonly name: string;
  readonly mediaType: string;
  readonly description: string;
  readonly relationship: AttachmentRelationship;
  readonly bytes: Buffer;
}

/** The names of the attachments that {@link attachEvidence} made, for the text that explains them. */
export interface AttachedEvidence {
  readonly names: readonly string[];
  /** `undefined` where the media file is too large to be carried twice. */
  readonly mediaFileName: string | undefined;
}

/** A PDF is held in memory while it is signed. Larger files are in the evidence bundle only, and the report says so. */
export const MAX_ATTACHED_MEDIA_BYTES = 16 * 1024 * 1024;

export function attach(paper: Paper, attachment: PdfAttachment, at: Date): void {
  // The type declaration lacks the relationship (ISO 19005-3 annex E), the library has it.
  const options = {
    name: attachment.name,
    type: attachment.mediaType,
    description: attachment.description,
    relationship: attachment.relationship,
    creationDate: at,
    modifiedDate: at,
  };
  paper.doc.file(attachment.bytes, options);
}

export function attachDossier(paper: Paper, dossier: AssetDossier, dossierJws: Buffer | undefined): void {
  const at = new Date(dossier.createdAt);
  attach(
    paper,
    {
      name: 'dossier.json',
      mediaType: 'application/json',
      description: 'The facts of this report for machines',
      relationship: 'Data',
      bytes: renderDossierJson(dossier),
    },
    at,
  );
  if (dossierJws === undefined) return;
  attach(
    paper,
    {
      name: 'dossier.jws',
      mediaType: 'application/jose',
      description: 'The same facts, signed (JWS, compact serialization)',
      relationship: 'Data',
      bytes: dossierJws,
    },
    at,
  );
}

/** What the report rests on: entries with their proofs, the signed state of the log, openings, and the media file. */
export async function attachEvidence(
  paper: Paper,
  dossier: AssetDossier,
  evidence: BundleEvidence,
): Promise<AttachedEvidence> {
  const supplement = (
    name: string,
    mediaType: string,
    description: string,
    bytes: Buffer,
  ): PdfAttachment => ({
    name,
    mediaType,
    description,
    relationship: 'Supplement',
    bytes,
  });
  const { log } = dossier;
  const media = await mediaFiles(dossier, evidence);
  const attachments = [
    supplement('checkpoint', 'text/plain', 'Signed tree head of the log', Buffer.from(log.checkpointNote)),
    supplement(
      'vkey',
      'text/plain',
      'Key of the log; get it from elsewhere too',
      Buffer.from(`${log.vkey}\n`),
    ),
    supplement(
      'entries.ndjson',
      'application/x-ndjson',
      'Entries of the log with inclusion proofs and disclosed values',
      entryLines(evidence),
    ),
    ...evidence.timeStamps.map(({ token }, i) =>
      supplement(`time-stamp-${i + 1}.tst`, 'application/timestamp-reply', 'RFC 3161 token', token),
    ),
    ...media,
  ];
  for (const attachment of attachments) attach(paper, attachment, new Date(dossier.createdAt));
  return {
    names: attachments.map(({ name }) => name),
    mediaFileName: media[0]?.name,
  };
}

async function mediaFiles(dossier: AssetDossier, { assets }: BundleEvidence): Promise<PdfAttachment[]> {
  const asset = assets.find(({ assetId }) => assetId === dossier.asset.id);
  if (asset === undefined) return [];
  const bytes = await readFile(asset.path);
  if (bytes.length > MAX_ATTACHED_MEDIA_BYTES) return [];
  // What was read is compared with what was recorded, as in the bundle (promise P1).
  if (sha256Hex(bytes) !== asset.sha256)
    throw new ColophonError(
      'storage_unavailable',
      'The media file no longer has the bytes that were recorded.',
    );
  const [name = 'asset.bin'] = safeFileNames([asset.fileName]);
  const file: PdfAttachment = {
    name,
    mediaType: 'application/octet-stream',
    description: 'The signed media file that this report is about',
    relationship: 'Source',
    bytes,
  };
  if (asset.sidecar === undefined) return [file];
  const manifest: PdfAttachment = {
    name: `${name.replace(/\.[^.]*$/, '')}.c2pa`,
    mediaType: 'application/c2pa',
    description: 'Its manifest',
    relationship: 'Source',
    bytes: await readFile(asset.sidecar.path),
  };
  return [file, manifest];
}

/** One line an entry: `{"entry":...,"hashes":[...],"index":n,"openings":{...}}`, canonical JSON. */
function entryLines({ entries, openings }: BundleEvidence): Buffer {
  return Buffer.concat(
    entries.map(({ index, bytes, proof }) => {
      const hashes = parseTlogProof(proof).hashes.map((hash) => Buffer.from(hash).toString('base64'));
      const opened = Object.fromEntries(
        openings
          .filter((each) => each.index === index)
          .map(({ field, salt, value }) => [field, { salt, value }]),
      );
      const rest = canonicalJson({ hashes, index, openings: opened });
      // The entry in its own bytes, which are canonical: "entry" sorts before the other members.
      return Buffer.concat([
        Buffer.from('{"entry":'),
        bytes,
        Buffer.from(','),
        rest.subarray(1),
        Buffer.from('\n'),
      ]);
    }),
  );
}
