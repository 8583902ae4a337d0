import { ColophonError } from '../../shared/errors.js';
import {
  type Lineage,
  type LineageComponent,
  type LineageInput,
  MAX_COMPONENTS,
  MAX_INPUTS,
} from './lineage.js';
import { type ListingId } from './listing.js';
import { PURPOSES } from './terms.js';

/** A person's edit: its rights are those of what it was made from. Its file may reserve something of its own. */
export const MADE_HERE = {
  rightsBasis: 'produced-here',
  allowedUses: [...PURPOSES],
  aiInput: 'yes',
  territory: 'worldwide',
  expiresAt: null,
  releases: [],
} satisfies LineageInput;

/** A received file, or a person's edit whose file reserves something, as it is recorded. */
export interface RecordedInput extends LineageInput {
  readonly assetId: string;
  /** Listings that got it, or something made from it. */
  readonly goesInto: ListingId[];
}

/** What an asset of the organization descends from: what is made is made, whatever the question swaps. */
export interface LineageBehind {
  /** Of the steps that made it and its ancestors. */
  readonly components: readonly LineageComponent[];
  /** What came in among them, itself too. */
  readonly inputs: readonly RecordedInput[];
}

/** A lineage while it is put together, for a run and for a dry run alike: nothing stands in it twice. */
export class LineageParts {
  readonly #components = new Map<string, LineageComponent>();
  readonly #inputs = new Map<string, RecordedInput>();

  addComponents(components: readonly LineageComponent[]): void {
    for (const component of components) {
      const { listingId, role, stepKey, optionalComponents = null } = component;
      this.#components.set(JSON.stringify([listingId, role, stepKey, optionalComponents]), component);
    }
  }

  /**
   * An ancestor that came in twice, on two ways, goes into the listings of both.
   *
   * @param gets the listings that are given the asset
   */
  addBehind({ components, inputs }: LineageBehind, gets: Iterable<ListingId>): void {
    this.addComponents(components);
    const given = [...gets];
    for (const input of inputs) {
      const known = this.#inputs.get(input.assetId)?.goesInto ?? [];
      const goesInto = [...new Set([...known, ...given, ...input.goesInto])];
      this.#inputs.set(input.assetId, { ...input, goesInto });
    }
  }

  /** Whether listings take part beside these. */
  hasMoreThan(listings: readonly ListingId[]): boolean {
    return [...this.#components.values()].some(({ listingId }) => !listings.includes(listingId));
  }

  recorded(assetId: string): RecordedInput | undefined {
    return this.#inputs.get(assetId);
  }

  /**
   * @param stated inputs that stand in it as a caller describes them
   * @throws ColophonError `pipeline_too_large`: a decision is about so much at most
   */
  lineage(stated: readonly LineageInput[] = []): Lineage {
    const components = [...this.#components.values()];
    const inputs = [...stated, ...this.#inputs.values()];
    if (components.length <= MAX_COMPONENTS && inputs.length <= MAX_INPUTS) return { components, inputs };
    throw new ColophonError(
      'pipeline_too_large',
      `With what its inputs were made from, it would use ${components.length} models in its steps and ${inputs.length} received files; the limits are ${MAX_COMPONENTS} and ${MAX_INPUTS}.`,
    );
  }
}
