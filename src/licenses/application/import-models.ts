import { z } from 'zod';
import { type Tx } from '../../database/organization-tx.js';
import { type Principal } from '../../identity/domain/principal.js';
import { type Clock } from '../../shared/clock.js';
import { newId } from '../../shared/ids.js';
import { type ListingIndex } from '../domain/listing-index.js';
import { LINEAGE_ROLES, type Listing, MODALITIES, newListingSchema } from '../domain/listing.js';
import { type KeptTexts, withoutUnprovenFacts } from '../domain/unproven-facts.js';
import { FormatError } from '../formats/format-error.js';
import { importDocument } from '../formats/import-document.js';
import { type ImportReport } from '../formats/import-report.js';
import { IMPORT_FORMATS, type ImportFormat } from '../formats/imported-listing.js';
import { type ImportedListing } from '../formats/imported-listing.js';
import { ListedRepositories } from '../formats/repository-id.js';
import { type ListingContext, listingIdFor, toListing } from '../formats/to-listing.js';
import { catalogItems } from './catalog-items.js';
import { type ListingOutcome, type RecordedListings, type RecordListings } from './record-listings.js';
import { turns } from './turns.js';

const printable = (max: number) => z.string().regex(new RegExp(`^[^\\p{Cc}\\p{Cs}]{1,${max}}$`, 'u'));

/** What documents of the trade do not say of themselves. */
export const documentContextSchema = z.strictObject({
  /** `owner/name` of the repository, which cards do not name. */
  name: printable(200).default('document'),
  /** Commit at which the card was read. */
  revision: z
    .string()
    .regex(/^[0-9a-f]{7,40}$/)
    .nullable()
    .default(null),
  channel: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,30}$/)
    .default('self-hosted'),
  access: z.enum(['open-weights', 'api', 'code']).default('open-weights'),
  modalities: z.array(z.enum(MODALITIES)).min(1).max(MODALITIES.length).optional(),
  roles: z.array(z.enum(LINEAGE_ROLES)).min(1).max(LINEAGE_ROLES.length).optional(),
  url: z
    .url({ protocol: /^https$/ })
    .nullable()
    .default(null),
});
export type DocumentContext = z.infer<typeof documentContextSchema>;

const documentItemSchema = documentContextSchema.extend({
  format: z.enum(IMPORT_FORMATS),
  content: z.string().max(8 * 1024 * 1024),
});

/** How a file is to be read: one document, or a catalog of listings and documents. */
export const IMPORTABLE = ['catalog', ...IMPORT_FORMATS] as const;

/** Why an item did not become a listing. */
export interface NotUnderstood {
  readonly code: string;
  /** JSON pointer or field, where there is one. */
  readonly path: string;
  /** In the file, from 1; null where it is not known. */
  readonly line: number | null;
  readonly message: string;
}

/** What became of one item, and why. */
export interface ItemResult {
  readonly index: number;
  readonly listingId: string | null;
  readonly outcome: 'recorded' | 'unchanged' | 'not-understood';
  readonly sha256: string | null;
  readonly problems: readonly NotUnderstood[];
  /** What was understood, and changed or left open. */
  readonly notes: readonly string[];
}

export interface ModelImport {
  /** UUID. */
  readonly id: string;
  readonly items: readonly ItemResult[];
}

/** What was read of one item, before anything is recorded. */
interface ReadItem {
  readonly index: number;
  readonly listing: Listing | null;
  readonly problems: readonly NotUnderstood[];
  readonly notes: readonly string[];
}

const MAX_PROBLEMS_OF_ITEM = 10;

/**
 * Takes over many listings at once. What cannot be understood is reported with the reason, the rest is recorded in one
 * transaction: the same file again changes nothing.
 */
export class ImportModels {
  constructor(
    private readonly recordListings: RecordListings,
    private readonly clock: Clock,
  ) {}

  /**
   * Pure work on the file; nothing is recorded.
   * @param registry in which bases are looked up by the name of their repository
   * @throws FormatError for a file that is no catalog at all
   */
  async read(
    bytes: Uint8Array,
    { format, context }: { format: (typeof IMPORTABLE)[number]; context: DocumentContext },
    registry: ListingIndex,
  ): Promise<readonly ReadItem[]> {
    const items: ReadItem[] = [];
    const known = { listings: registry, repositories: new ListedRepositories(registry.all) };
    if (format !== 'catalog')
      return withoutDuplicates(await this.readDocument(0, format, bytes, context, known));
    const letOthers = turns();
    for (const { index, line, value, error } of catalogItems(decode(bytes))) {
      await letOthers();
      if (error !== null) {
        const { code, place, message } = error;
        items.push(refused(index, { code, path: place.pointer, line: place.line, message }));
      } else if (isDocument(value)) {
        const parsed = documentItemSchema.safeParse(value);
        if (!parsed.success) items.push(invalid(index, line, parsed.error));
        else
          items.push(
            ...(await this.readDocument(index, parsed.data.format, parsed.data.content, parsed.data, known)),
          );
      } else {
        const parsed = newListingSchema.safeParse(value);
        if (parsed.success) items.push({ index, listing: parsed.data, problems: [], notes: [] });
        else items.push(invalid(index, line, parsed.error));
      }
    }
    return withoutDuplicates(items);
  }

  /** All of them in the caller's transaction. */
  async record(
    tx: Tx,
    principal: Principal,
    read: readonly ReadItem[],
  ): Promise<ModelImport & RecordedListings> {
    const importId = newId();
    const kept = await keptTexts(tx, read);
    const proven = read.map((item) => {
      if (item.listing === null) return item;
      const { listing, notes } = withoutUnprovenFacts(item.listing, kept);
      return { ...item, listing, notes: [...item.notes, ...notes] };
    });
    const listings = proven.flatMap(({ listing }) => (listing === null ? [] : [listing]));
    const recorded = await this.recordListings.record(tx, principal, listings, { kind: 'import', importId });
    const byId = new Map(recorded.outcomes.map((outcome) => [outcome.listingId, outcome]));
    return { ...recorded, id: importId, items: proven.map((item) => resultOf(item, byId)) };
  }

  private async readDocument(
    index: number,
    format: ImportFormat,
    content: Uint8Array | string,
    context: DocumentContext,
    known: KnownListings,
  ): Promise<ReadItem[]> {
    const { name, revision } = context;
    const result = importDocument({ format, content, origin: { name, revision } });
    if (!result.ok) {
      const { code, place, message } = result.refusal;
      return [refused(index, { code, path: place.pointer, line: place.line, message })];
    }
    if (result.listings.length === 0) return [refused(index, NOTHING_FOUND)];
    const notes = notesOf(result.report);
    const facts = this.factsOf(context, result.listings, known);
    const letOthers = turns();
    const items: ReadItem[] = [];
    for (const imported of result.listings) {
      items.push(readListing(index, imported, facts, notes));
      await letOthers();
    }
    return items;
  }

  private factsOf(
    { channel, access, url, modalities, roles }: DocumentContext,
    listings: readonly ImportedListing[],
    { listings: registry, repositories }: KnownListings,
  ): ListingContext {
    const inDocument = idsInDocument(listings, channel, registry);
    return {
      channel,
      access,
      dateRead: this.clock.now().toISOString().slice(0, 10),
      url,
      listingIdOf: (name) => repositories.listingOf(name, channel),
      listingIdInDocument: (documentId) => inDocument.get(documentId),
      ...(modalities ? { modalities } : {}),
      ...(roles ? { roles } : {}),
    };
  }
}

interface KnownListings {
  readonly listings: ListingIndex;
  readonly repositories: ListedRepositories;
}

const NOTHING_FOUND: NotUnderstood = {
  code: 'nothing-found',
  path: '',
  line: null,
  message: 'the document describes no model',
};

/**
 * Ids that the models of a document get, by their ids in it. Left out: an id that is another model's already, in the
 * document or in the registry, because two names can give one.
 */
function idsInDocument(
  listings: readonly ImportedListing[],
  channel: string,
  registry: ListingIndex,
): ReadonlyMap<string, string> {
  const models = listings.filter(({ kind }) => kind === 'model');
  const counts = new Map<string, number>();
  const ids = models.map((model) => listingIdFor(model, { channel }));
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return new Map(
    models.flatMap(({ documentId, name }, at): [string, string][] => {
      const id = ids[at] ?? '';
      const listed = registry.get(id)?.listing.name ?? name;
      return documentId === null || counts.get(id) !== 1 || listed !== name ? [] : [[documentId, id]];
    }),
  );
}

function readListing(
  index: number,
  imported: ImportedListing,
  facts: ListingContext,
  notes: readonly string[],
): ReadItem {
  const draft = toListing(imported, facts);
  if (draft.ok) {
    const checked = newListingSchema.safeParse(draft.listing);
    if (!checked.success) return invalid(index, null, checked.error);
    return { index, listing: draft.listing, problems: [], notes: [...notes, ...draft.notes] };
  }
  const problem = { code: draft.reason, path: '', line: null, message: draft.detail || draft.reason };
  return { index, listing: null, problems: [problem], notes };
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new FormatError('not-utf8', { pointer: '', line: 1, column: 1 }, 'the catalog is not UTF-8');
  }
}

function isDocument(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'format' in value && 'content' in value;
}

function refused(index: number, problem: NotUnderstood): ReadItem {
  return { index, listing: null, problems: [problem], notes: [] };
}

function invalid(index: number, line: number | null, error: z.ZodError): ReadItem {
  const problems = error.issues.slice(0, MAX_PROBLEMS_OF_ITEM).map(({ path, message, code }) => ({
    code,
    path: `/${path.map(String).join('/')}`.slice(0, 200),
    line,
    message: message.slice(0, 300),
  }));
  return { index, listing: null, problems, notes: [] };
}

/** Two items with one id: nobody knows which one is meant, so neither is taken. */
function withoutDuplicates(items: readonly ReadItem[]): ReadItem[] {
  const counts = new Map<string, number>();
  for (const { listing } of items) if (listing) counts.set(listing.id, (counts.get(listing.id) ?? 0) + 1);
  return items.map((item) => {
    if (item.listing === null || counts.get(item.listing.id) === 1) return item;
    const message = `several items have the id ${item.listing.id}`;
    return refused(item.index, { code: 'duplicate-id', path: '/id', line: null, message });
  });
}

function notesOf({ fields, understood }: ImportReport): string[] {
  if (understood === 'fully') return [];
  return fields
    .filter(({ outcome }) => outcome === 'not-understood')
    .slice(0, 20)
    .map(({ field, reason, place, detail }) =>
      `line ${place.line}: ${field} not understood (${reason}) ${detail}`.trim(),
    );
}

/** The texts of licenses and of sources that the items name, as far as the organization keeps them. */
async function keptTexts(tx: Tx, read: readonly ReadItem[]): Promise<KeptTexts> {
  const named = read.flatMap(({ listing }) => listing ?? []);
  const hashes = named.flatMap(({ license, sources }) => [
    ...(license.textSha256 === null ? [] : [license.textSha256]),
    ...sources.flatMap(({ textSha256 }) => textSha256 ?? []),
  ]);
  const rows = await tx.query<{ license_key: string; sha256: string }>(
    `SELECT DISTINCT license_key, sha256 FROM license_text_reading
      WHERE organization_id = $1 AND sha256 = ANY($2::text[])`,
    [tx.organizationId, [...new Set(hashes)]],
  );
  const kept = new Set(rows.map(({ license_key, sha256 }) => `${license_key} ${sha256}`));
  const texts = new Set(rows.map(({ sha256 }) => sha256));
  return {
    isLicenseKept: ({ license: { spdxOrRef, textSha256 } }) => kept.has(`${spdxOrRef} ${textSha256 ?? ''}`),
    isKept: (textSha256) => texts.has(textSha256),
  };
}

function resultOf(item: ReadItem, outcomes: ReadonlyMap<string, ListingOutcome>): ItemResult {
  const { index, listing, problems, notes } = item;
  const outcome = listing === null ? undefined : outcomes.get(listing.id);
  const base = { index, listingId: listing?.id ?? null, notes };
  if (outcome === undefined) return { ...base, outcome: 'not-understood', sha256: null, problems };
  if (outcome.outcome === 'refused') {
    const message = 'this listing comes with the product; correct its facts with curations';
    const problem = { code: outcome.why, path: '/id', line: null, message };
    return { ...base, outcome: 'not-understood', sha256: null, problems: [problem] };
  }
  return { ...base, outcome: outcome.outcome, sha256: outcome.sha256, problems };
}
