/** A picture that looks like a given one. Likeness is no identity: two different pictures may look alike. */
export interface SimilarManifest {
  /** 0 to 100; unrelated pictures come to about 50, equal ones to 100. */
  readonly similarityScore: number;
  readonly manifestId: string;
  /** Where its manifest store can be read, on this service. */
  readonly manifestUrl: string;
  readonly assetId: string;
  readonly isOwn: boolean;
}

/** A class, so that it can be injected. */
export abstract class FindSimilar {
  /**
   * Pictures that this installation signed and that look like the given file: public ones, and those of the asker's own
   * organization.
   * @returns most similar first; `undefined` when the file could not be compared
   */
  abstract to(
    path: string,
    viewer: { readonly organizationId: string } | undefined,
  ): Promise<readonly SimilarManifest[] | undefined>;
}
