import { verifyTimeStampToken } from '../../../audit/verify/time-stamp-token.js';
import { type TimeStampOutcome } from '../bundle-verification.js';
import { type Checklist } from '../checklist.js';
import { chainFault, type SignedJson } from '../signed-json.js';
import { type HeldSignature, SIGNATURE_PATH } from './check-pdf-signature.js';

/** Clocks differ a little; beyond this the time that the signer names contradicts the time-stamp. */
const CLOCK_TOLERANCE_MS = 600_000;
const TIME = /^D:(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;

const CLAIMED =
  'When the report was signed is the clock of whoever runs the installation: its signature carries no time-stamp.';
const OF_NOBODY =
  'The time-stamp of the signature is over this very signature and not broken, but no authority was given whose time you trust: verify again with --tsa-roots.';

/** `M` of the signature; `undefined` for what is no time. */
export function readPdfTime(text: string): Date | undefined {
  const [, year, month, day, hour, minute, second] = TIME.exec(text) ?? [];
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const time = new Date(iso);
  return Number.isNaN(time.getTime()) || time.toISOString() !== iso ? undefined : time;
}

/**
 * When the report was signed: the time that the signature names, under certificates that were valid then, and the
 * time-stamp over the signature, by the roots that the reader gave.
 *
 * @returns what the time-stamp shows; nothing where there is none
 */
export async function checkSigningTime(
  signedAt: Date | undefined,
  { value, token }: HeldSignature,
  { chain }: SignedJson,
  rootsPem: string | undefined,
  checklist: Checklist,
): Promise<TimeStampOutcome[]> {
  const wasValid = (at: Date): void => {
    const fault = chainFault(chain, undefined, at);
    if (fault !== undefined) checklist.fault(SIGNATURE_PATH, fault);
  };
  if (signedAt === undefined) checklist.fault(SIGNATURE_PATH, 'The signature names no time.');
  else wasValid(signedAt);
  if (token === undefined) {
    checklist.notProved.push(CLAIMED);
    return [];
  }
  const outcome = await outcomeOf(token, value, rootsPem);
  const { at, text } = outcome;
  if (outcome.outcome === 'failed') checklist.fault(SIGNATURE_PATH, text);
  else if (outcome.outcome === 'not_proved') checklist.notProved.push(text);
  if (at !== undefined) {
    wasValid(new Date(at));
    if (signedAt !== undefined && signedAt.getTime() > Date.parse(at) + CLOCK_TOLERANCE_MS)
      checklist.fault(SIGNATURE_PATH, 'The signature names a later time than its time-stamp.');
    checklist.statements.push({ ok: true, text: `${text} Its certificate leads to the roots you gave.` });
    checklist.notProved.push(
      'Whether the certificate of a time-stamp authority was revoked was not looked up.',
    );
  }
  return [outcome];
}

async function outcomeOf(
  token: Buffer,
  message: Buffer,
  rootsPem: string | undefined,
): Promise<TimeStampOutcome> {
  // Without roots everything but the way to them can be checked.
  const verification = await verifyTimeStampToken({ token, message, trust: { rootsPem: rootsPem ?? '' } });
  const roots = rootsPem === undefined ? 'none' : 'reader';
  const base = { path: SIGNATURE_PATH, roots, authority: undefined, at: undefined } as const;
  if (verification.valid) {
    const { authority, genTime, accuracyMs } = verification.stamp;
    const accuracy = accuracyMs === undefined ? '' : ` (give or take ${accuracyMs / 1000} s)`;
    const at = genTime.toISOString();
    const text = `The report was signed at or before ${at}${accuracy} according to ${authority}.`;
    return { ...base, outcome: 'proved', authority, at, text };
  }
  const faults = verification.statuses.filter(({ outcome }) => outcome === 'failed');
  const texts = faults.map(({ text }) => text).join(' ');
  if (faults.some(({ check }) => check !== 'chain'))
    return { ...base, outcome: 'failed', text: `The time-stamp of the signature does not hold. ${texts}` };
  const text =
    rootsPem === undefined
      ? OF_NOBODY
      : `The time-stamp of the signature is by nobody whose time you trust. ${texts}`;
  return { ...base, outcome: 'not_proved', text };
}
