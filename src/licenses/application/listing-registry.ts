import { type ListingIndex } from '../domain/listing-index.js';

/** The listings that this deployment knows. A class, so that it can be injected. */
export class ListingRegistry {
  constructor(readonly index: ListingIndex) {}
}
