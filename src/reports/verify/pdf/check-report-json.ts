import { z } from 'zod';
import { CAMPAIGN_TYPE, DOSSIER_TYPE, MODEL_FILE_TYPE } from '../../domain/report-kinds.js';
import { parseCanonicalDocument } from '../bounded-json.js';
import { type Checklist } from '../checklist.js';
import {
  type SignedJson,
  type SignedJsonQuestion,
  typeOfSignedJson,
  verifySignedJson,
} from '../signed-json.js';
import { type ReadAttachment } from './pdf-attachments.js';
import { type ReportSubject } from './report-verification.js';

/** What every report says of itself. */
const reportSchema = z.object({ reportId: z.string().max(200), createdAt: z.iso.datetime() });

const KIND_OF: Readonly<Record<string, ReportSubject['kind']>> = {
  [DOSSIER_TYPE]: 'asset',
  [CAMPAIGN_TYPE]: 'campaign',
  [MODEL_FILE_TYPE]: 'model',
};

export interface SignedReport {
  readonly kind: ReportSubject['kind'];
  readonly reportId: string;
  readonly createdAt: string;
  readonly json: Buffer;
  readonly jwsPath: string;
  readonly signed: SignedJson;
  readonly question: SignedJsonQuestion;
}

/** Names of the facts and of their signature, by the kind of the report. */
export const FACTS = {
  dossier: { json: 'dossier.json', jws: 'dossier.jws' },
  report: { json: 'report.json', jws: 'report.jws' },
} as const;

/** The names of the facts that this file carries; `undefined` for what is no report of ours. */
export function factsIn(
  attachments: ReadonlyMap<string, ReadAttachment>,
): (typeof FACTS)[keyof typeof FACTS] | undefined {
  return Object.values(FACTS).find(({ json, jws }) => attachments.has(json) && attachments.has(jws));
}

/**
 * The facts and their signature: the JWS holds the very bytes of the JSON, and is one for a report of this kind.
 * @returns `undefined`, with findings, when it does not hold
 */
export async function checkReportJson(
  names: (typeof FACTS)[keyof typeof FACTS],
  attachments: ReadonlyMap<string, ReadAttachment>,
  checklist: Checklist,
): Promise<SignedReport | undefined> {
  const json = attachments.get(names.json)?.bytes ?? Buffer.alloc(0);
  const jws = attachments.get(names.jws)?.bytes.toString('latin1') ?? '';
  const head = reportSchema.safeParse(parseCanonicalDocument(json));
  if (!head.success) {
    checklist.fault(names.json, 'The facts of the report cannot be read.');
    return undefined;
  }
  const type = typeOfSignedJson(jws) ?? '';
  const kind = KIND_OF[type];
  if (kind === undefined || (kind === 'asset') !== (names === FACTS.dossier)) {
    checklist.fault(names.jws, 'The signature is one for another kind of document.');
    return undefined;
  }
  const { reportId, createdAt } = head.data;
  const question = { jws, type, anchorsPem: undefined, at: new Date(createdAt) };
  const signed = await verifySignedJson(question);
  if ('fault' in signed) {
    checklist.fault(names.jws, signed.fault);
    return undefined;
  }
  if (!signed.payload.equals(json)) {
    checklist.fault(names.jws, `What is signed is another file than ${names.json}.`);
    return undefined;
  }
  return { kind, reportId, createdAt, json, jwsPath: names.jws, signed, question };
}
