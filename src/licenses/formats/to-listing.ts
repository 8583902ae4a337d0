import { sha256Hex } from '../../shared/bytes.js';
import {
  listingSchema,
  revisionMark,
  type LineageRole,
  type Listing,
  type Modality,
} from '../domain/listing.js';
import { type ImportedComponent, type ImportedListing } from './imported-listing.js';
import { type LicenseClaim } from './license-claim.js';
import { registryRefsOf } from './license-names.js';

/** What the document does not say and the importer must. */
export interface ListingContext {
  /** How the model is reached, e.g. `self-hosted`. */
  readonly channel: string;
  readonly access: Listing['access'];
  /** Day on which the document was read. */
  readonly dateRead: string;
  /** Address of the document, https; null when there is none. */
  readonly url: string | null;
  /** Instead of what the task implies. */
  readonly modalities?: readonly Modality[];
  readonly roles?: readonly LineageRole[];
  /** Listing ids of bases and components, by the name that the document uses. */
  readonly listingIdOf?: (name: string) => string | undefined;
  /** Listing ids of what else the document describes, by its id there. */
  readonly listingIdInDocument?: (documentId: string) => string | undefined;
}

export type ListingDraft =
  | { readonly ok: true; readonly listing: Listing; readonly notes: readonly string[] }
  | {
      readonly ok: false;
      readonly reason: 'not-a-model' | 'modality-unknown' | 'role-unknown' | 'invalid';
      readonly detail: string;
    };

/** What a task of a card makes, and in which role. Tasks that make no media are not listings of this program. */
const TASKS: Readonly<Record<string, { modality: Modality; role: LineageRole }>> = {
  'text-to-image': { modality: 'image', role: 'generator' },
  'unconditional-image-generation': { modality: 'image', role: 'generator' },
  'image-to-image': { modality: 'image', role: 'editor' },
  'image-text-to-image': { modality: 'image', role: 'editor' },
  'text-to-video': { modality: 'video', role: 'generator' },
  'image-to-video': { modality: 'video', role: 'generator' },
  'video-to-video': { modality: 'video', role: 'editor' },
  'text-to-speech': { modality: 'audio', role: 'generator' },
  'text-to-audio': { modality: 'audio', role: 'generator' },
  'text-to-3d': { modality: '3d', role: 'generator' },
  'image-to-3d': { modality: '3d', role: 'generator' },
};

const SOURCE = 'document';

/** Begins the id of a base that is not in the registry. */
const UNLISTED = 'unlisted.';

/** The model part of an id has 63 characters, of which a dot and 12 digits name the revision. */
const MAX_SLUG_CHARS = 50;

/**
 * A listing for the registry from what a document claims. No fact in it is verified: the license is `unverified`,
 * a permission stands in it as `no` or `unknown` and never as `yes`, so it leads to review until a person reads the
 * text. The result satisfies the registry's schema.
 */
export function toListing(imported: ImportedListing, context: ListingContext): ListingDraft {
  if (imported.kind !== 'model') return { ok: false, reason: 'not-a-model', detail: imported.name };
  const tasks = imported.tasks.flatMap((task) => TASKS[task] ?? []);
  const modalities = [...new Set(context.modalities ?? tasks.map(({ modality }) => modality))];
  const roles = [
    ...new Set(
      context.roles ??
        rolesOf(
          imported,
          tasks.map(({ role }) => role),
        ),
    ),
  ];
  if (modalities.length === 0)
    return { ok: false, reason: 'modality-unknown', detail: imported.tasks.join(', ') };
  if (roles.length === 0) return { ok: false, reason: 'role-unknown', detail: imported.tasks.join(', ') };
  const { base, notes } = baseOf(imported, context);
  const parts = componentsOf(imported, context);
  const revision = revisionOf(imported);
  const parsed = listingSchema.safeParse({
    id: listingIdFor(imported, context),
    name: cut(imported.name, 120),
    ...(revision === undefined ? {} : { revision }),
    vendor: cut(imported.supplier ?? 'not stated', 120),
    modalities,
    roles,
    channel: context.channel,
    access: context.access,
    endpoints: [],
    license: licenseOf(imported, context),
    history: [],
    terms: termsOf(imported, context),
    components: parts.components,
    base,
    datasetManifestSha256: null,
    trainingData: trainingDataOf(imported),
    indemnity: { offered: 'unknown', conditions: [], voidedBy: [], source: null, verified: 'unverified' },
    sources: [sourceOf(imported, context)],
  });
  if (parsed.success) return { ok: true, listing: parsed.data, notes: [...notes, ...parts.notes] };
  return {
    ok: false,
    reason: 'invalid',
    detail: parsed.error.issues.map(({ message }) => message).join('; '),
  };
}

/** The id that a listing of this gets. */
export function listingIdFor(
  imported: ImportedListing,
  { channel }: Pick<ListingContext, 'channel'>,
): string {
  const slug = slugOf(imported.name);
  const revision = revisionOf(imported);
  return `${revision === undefined ? slug : `${slug}.${revisionMark(revision)}`}@${channel}`;
}

function rolesOf(imported: ImportedListing, byTask: readonly LineageRole[]): readonly LineageRole[] {
  return imported.bases.some(({ relation }) => relation === 'adapter') ? ['lora'] : byTask;
}

/**
 * The model part of a listing id: owner and name, lower case. Different names can give one slug ("a_b" and "a-b"), so
 * whoever stores it must refuse an id that another name already has.
 */
export function slugOf(name: string): string {
  const slug = name
    .toLowerCase()
    .replaceAll('/', '.')
    .replace(/[^a-z0-9.-]+/g, '-')
    .replace(/^[.-]+/, '');
  if (slug !== '' && slug.length <= MAX_SLUG_CHARS) return slug;
  return `${slug.slice(0, MAX_SLUG_CHARS - 13)}${slug === '' ? 'model' : ''}-${sha256Hex(name).slice(0, 12)}`;
}

/** The weights when the document names exactly one file, otherwise the commit at which it was read. */
function revisionOf({ sha256, version }: ImportedListing): NonNullable<Listing['revision']> | undefined {
  const [weightsSha256] = sha256;
  if (weightsSha256 !== undefined && sha256.length === 1) return { weightsSha256 };
  return version !== null && /^[0-9a-f]{12,40}$/.test(version) ? { commit: version } : undefined;
}

function licenseOf({ declaredLicense, concludedLicense }: ImportedListing, { dateRead }: ListingContext) {
  const claim = declaredLicense;
  const differs = concludedLicense !== null && concludedLicense.spdx !== claim.spdx;
  const alternatives = claim.expression?.kind === 'or' ? claim.expression.parts : [];
  const conflicting = [
    ...(differs
      ? [{ claim: concludedLicense, note: 'Concluded by the document, which declares another one.' }]
      : []),
    ...alternatives.flatMap((part) =>
      part.kind === 'license'
        ? [
            {
              claim: { ...claim, spdx: part.ref, declared: part.ref, expression: part },
              note: 'One of the alternatives.',
            },
          ]
        : [],
    ),
  ];
  return {
    spdxOrRef: refOf(claim),
    name: cut(claim.name ?? claim.declared ?? 'No license named', 200),
    url: httpsUrl(claim.url),
    textSha256: claim.textSha256,
    version: null,
    dateRead,
    status: 'unverified',
    statusReason: cut(statusReason(claim), 400),
    conflictingTexts: conflicting.slice(0, 10).map(({ claim: other, note }) => ({
      spdxOrRef: refOf(other),
      name: cut(other.name ?? other.declared ?? 'No license named', 200),
      note,
    })),
  };
}

/** A reference that the schema admits; what has none is named by what is missing. */
function refOf(claim: LicenseClaim): string {
  if (claim.status === 'absent') return 'LicenseRef-Not-Named';
  const single =
    claim.status === 'recognized' && claim.expression?.kind === 'license' ? claim.expression : undefined;
  if (single === undefined || single.orLater || single.exception !== null) {
    return claim.status === 'recognized' ? 'LicenseRef-Not-Concluded' : 'LicenseRef-Unknown';
  }
  return /^[A-Za-z0-9.-]{1,100}$/.test(single.ref) ? single.ref : 'LicenseRef-Not-Concluded';
}

function statusReason(claim: LicenseClaim): string {
  if (claim.status === 'absent') return 'The document names no license.';
  const doubts = claim.doubts.length === 0 ? '' : ` Open: ${claim.doubts.join(', ')}.`;
  const refs = claim.expression?.kind === 'license' ? registryRefsOf(claim.expression.ref) : [];
  const texts = refs.length === 0 ? '' : ` Texts in the registry that may be meant: ${refs.join(', ')}.`;
  return `Declared by the document as "${cut(claim.declared ?? '', 120)}"; the text was not read.${doubts}${texts}`;
}

function termsOf(
  { declaredLicense: claim, concludedLicense, gatedAgainst }: ImportedListing,
  { access }: ListingContext,
) {
  const prohibits = claim.commercialUse === 'no' || concludedLicense?.commercialUse === 'no';
  const told =
    claim.declared === null
      ? 'The document names no license.'
      : `Declared as ${cut(claim.declared, 200)}; the text was not read.`;
  const permission = (kind: string) => ({
    id: kind,
    kind,
    value: prohibits ? 'no' : 'unknown',
    source: SOURCE,
    clause: null,
    paraphrase: told,
    verified: 'unverified',
  });
  const gate = gatedAgainst.map((place) => ({
    id: `gate-${place.toLowerCase()}`,
    kind: 'information',
    source: SOURCE,
    clause: 'extra_gated_eu_disallowed',
    paraphrase: `The publisher does not let the weights be downloaded from: ${place}.`,
    verified: 'secondary',
  }));
  const held = access === 'api' ? 'commercial-use-through-channel' : 'commercial-use-of-weights';
  return [permission(held), permission('commercial-use-of-outputs'), ...gate];
}

/**
 * The domain knows one base. A base that the registry does not have for certain stands in the listing under an id that
 * no listing has, so that whatever is made with it goes to review: the terms that it inherits are not known.
 */
function baseOf({ bases }: ImportedListing, { listingIdOf, channel }: ListingContext) {
  const [first] = bases;
  if (first === undefined) return { base: null, notes: [] };
  const { name, relation } = first;
  const listingId = bases.length === 1 ? listingIdOf?.(name) : undefined;
  // A fine-tune is asked for more than a copy, so the stricter reading is taken where the document is silent.
  const base = {
    listingId: listingId ?? `${UNLISTED}${slugOf(name)}@${channel}`,
    relation: relation === 'unknown' ? ('finetune' as const) : relation,
  };
  const silent = relation === 'unknown' ? ['relation to the base not stated: taken as a fine-tune'] : [];
  if (listingId !== undefined) return { base, notes: [`base linked: ${name} is ${listingId}`, ...silent] };
  return {
    base,
    notes: [...bases.map((each) => `base not linked: ${each.name} (${each.relation})`), ...silent],
  };
}

/**
 * What the model brings along, and all its bases but the first, of which the domain knows one. Without a listing of its
 * own a component sends to review: its terms are not known.
 */
function componentsOf(imported: ImportedListing, context: ListingContext) {
  const named = distinctParts(imported);
  const kept = named.length > MAX_LISTED ? named.slice(0, MAX_LISTED - 1) : named;
  const further = named.length - kept.length;
  const listed = kept.map((part) => ({ ...part, listingId: listingIdOfPart(part, context) }));
  const all = [
    ...listed,
    ...(further === 0 ? [] : [{ ...MANY, name: `${further} more that the document names`, listingId: null }]),
  ];
  const components = all.map(({ name, use, kind, listingId }) => ({
    role: kind === 'program' ? ('library' as const) : ('encoder' as const),
    name: cut(name, 120),
    listingId,
    licenseRef: null,
    use,
    usedWhen: use === 'optional' ? 'The document calls it optional.' : null,
    source: SOURCE,
    clause: null,
    verified: 'secondary' as const,
  }));
  const notes = all.map(({ name, listingId }) =>
    listingId === null ? `component not linked: ${name}` : `component linked: ${name} is ${listingId}`,
  );
  return { components, notes };
}

/** As many as a listing has. */
const MAX_LISTED = 20;
const MANY = { use: 'always', kind: 'model', documentId: null } as const;

/** Each once, and not itself. */
function distinctParts({ components, bases, documentId }: ImportedListing): readonly ImportedComponent[] {
  const further = bases.slice(1).map(({ name }): ImportedComponent => ({ ...MANY, name }));
  const parts = new Map<string, ImportedComponent>();
  for (const part of [...components, ...further]) {
    if (part.documentId !== null && part.documentId === documentId) continue;
    const key = part.documentId === null ? `name ${part.name}` : `id ${part.documentId}`;
    if (part.use === 'always' || !parts.has(key)) parts.set(key, part);
  }
  return [...parts.values()];
}

/** What the registry knows by name stands before what the document says of it. */
function listingIdOfPart({ name, documentId }: ImportedComponent, context: ListingContext): string | null {
  const inDocument = documentId === null ? undefined : context.listingIdInDocument?.(documentId);
  return context.listingIdOf?.(name) ?? inDocument ?? null;
}

function trainingDataOf({ datasets }: ImportedListing) {
  const trained = datasets.filter(({ use }) => use !== 'tested-on').map(({ name }) => name);
  if (trained.length === 0) {
    return {
      disclosure: 'unknown',
      summary: 'The document does not speak of training data.',
      source: null,
      verified: 'unverified',
    };
  }
  const summary = cut(`The document names as training data: ${trained.join(', ')}.`, 600);
  return { disclosure: 'partial', summary, source: SOURCE, verified: 'unverified' };
}

function sourceOf({ name, version }: ImportedListing, { dateRead, url }: ListingContext) {
  const commit = version !== null && /^[0-9a-f]{7,40}$/.test(version) ? version : null;
  return {
    id: SOURCE,
    title: cut(`Document about ${name}, imported`, 300),
    url: httpsUrl(url),
    commit,
    section: null,
    dateRead,
    verified: 'secondary',
  };
}

function httpsUrl(url: string | null): string | null {
  return url !== null && url.length <= 2_000 && URL.canParse(url) && new URL(url).protocol === 'https:'
    ? url
    : null;
}

function cut(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max - 1)}\u{2026}`;
}
