import { z } from 'zod';
import { isIntegrityFailure } from '../chain-failures.js';
import { type ChainNode, type ManifestAssertion } from '../media-verifier.port.js';
import {
  constraintText,
  type FoundReservation,
  RESERVATION_ORIGINS,
  RESERVATION_PLACES,
  type ReservationPlace,
  type ReservationReading,
  RESERVED_ACTS,
  type ReservedAct,
} from './reservation.js';

/**
 * `cawg.training-mining` (CAWG Training and Data Mining 1.1) and its forerunner `c2pa.training-mining` (C2PA 1.x), with
 * the suffix that repeated assertions carry. Keys of other vendors may stand beside the four that are defined.
 */
const LABEL = /^(cawg|c2pa)\.training-mining(__\d+)?$/;
/** A version that nobody here has read. */
const OTHER_VERSION = /^(cawg|c2pa)\.training-mining/;

const ACTS: Readonly<Record<string, ReservedAct>> = {
  ai_inference: 'ai-inference',
  ai_generative_training: 'generative-ai-training',
  ai_training: 'ai-training',
  data_mining: 'data-mining',
};
const ENTRY_KEY = /^(?:cawg|c2pa)\.(.+)$/;

const assertionSchema = z.object({ entries: z.record(z.string(), z.unknown()) });
/** The prose of the specification says `constraints_info`, its CDDL `constraint_info`: both are read. */
const entrySchema = z.object({
  use: z.enum(['allowed', 'notAllowed', 'constrained']),
  constraint_info: z.string().optional().catch(undefined),
  constraints_info: z.string().optional().catch(undefined),
});

/** Behind an ingredient there may be manifests that reserve something; it is the only way to them. */
const INGREDIENT = /^c2pa\.ingredient/;

/** What an installation of this program read in a file that it signed (src/assets/domain/signal-reading.ts). */
const OWN_LABEL = /^org\.colophon\.file-signals(__\d+)?$/;
const ownSchema = z.object({
  signals: z
    .array(
      z.object({
        origin: z.enum(RESERVATION_ORIGINS),
        act: z.enum(RESERVED_ACTS),
        use: z.enum(['allowed', 'notAllowed', 'constrained']),
        constraint: z.string().optional(),
      }),
    )
    .max(1000),
  unreadPlaces: z.array(z.enum(RESERVATION_PLACES)),
});

/** The picture was changed, or the file moved, after it was signed: what its manifest says is as it was signed. */
const BINDING_FAILURES: ReadonlySet<string> = new Set([
  'assertion.dataHash.mismatch',
  'assertion.boxesHash.mismatch',
  'assertion.bmffHash.mismatch',
]);

interface Found {
  readonly reservations: FoundReservation[];
  readonly unread: Set<ReservationPlace>;
}

/**
 * What the manifests of a file reserve: its own, and those of everything that it was made from. C2PA has no way to take
 * a parent's reservation back, and a composite holds its components, so every ingredient counts.
 */
export function reservationsInChain(chain: ChainNode | undefined): ReservationReading {
  const found: Found = { reservations: [], unread: new Set() };
  const waiting = chain === undefined ? [] : [chain];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    readNode(node, found);
    waiting.push(...node.ingredients);
  }
  return { found: found.reservations, unread: [...found.unread] };
}

function readNode(node: ChainNode, found: Found): void {
  const failures = node.failures.filter(isIntegrityFailure);
  // A manifest whose own parts were changed may have lost a reservation: that it names none proves nothing.
  if (failures.some(({ code }) => !BINDING_FAILURES.has(code))) found.unread.add('c2pa');
  // Taken out by whoever came later, which C2PA allows: what it reserved is not known, and it is not "nothing".
  if (node.redacted?.some(mayReserve) === true) found.unread.add('c2pa');
  const broken = failures.length > 0 ? ({ manifestBroken: true } as const) : {};
  for (const assertion of node.assertions) {
    if (LABEL.test(assertion.label)) readAssertion(assertion, broken, found);
    else if (OWN_LABEL.test(assertion.label)) readOwn(assertion, broken, found);
    else if (OTHER_VERSION.test(assertion.label)) found.unread.add('c2pa');
  }
}

/** An address that we cannot take apart may be that of a reservation. */
function mayReserve(label: string): boolean {
  return label === '' || [OTHER_VERSION, OWN_LABEL, INGREDIENT].some((known) => known.test(label));
}

function readAssertion(
  { label, data }: ManifestAssertion,
  broken: { readonly manifestBroken?: true },
  found: Found,
): void {
  const origin = label.startsWith('cawg') ? 'cawg.training-mining' : 'c2pa.training-mining';
  const parsed = assertionSchema.safeParse(data);
  if (!parsed.success) {
    found.unread.add('c2pa');
    return;
  }
  for (const [key, value] of Object.entries(parsed.data.entries)) {
    const name = ENTRY_KEY.exec(key)?.[1];
    // A vendor's own key, for an act that no standard defines.
    if (name === undefined) continue;
    const act = Object.hasOwn(ACTS, name) ? ACTS[name] : undefined;
    const entry = entrySchema.safeParse(value);
    if (act === undefined || !entry.success) {
      found.unread.add('c2pa');
      continue;
    }
    const { use, constraint_info: info, constraints_info: infos } = entry.data;
    const constraint = use === 'constrained' ? constraintText(info ?? infos) : null;
    found.reservations.push({ origin, act, use, constraint, ...broken });
  }
}

function readOwn(
  { data }: ManifestAssertion,
  broken: { readonly manifestBroken?: true },
  found: Found,
): void {
  const parsed = ownSchema.safeParse(data);
  if (!parsed.success) {
    found.unread.add('c2pa');
    return;
  }
  for (const { constraint, ...signal } of parsed.data.signals)
    found.reservations.push({ ...signal, constraint: constraintText(constraint), ...broken });
  for (const place of parsed.data.unreadPlaces) found.unread.add(place);
}
