/**
 * A time-stamping authority (RFC 3161), as the signature of a claim needs it. What it returns as `stamped` has been
 * verified: imprint, nonce, purpose, chain and validity.
 */
export interface SignatureTimeStamper {
  /** How it is called in records; holds no credential. */
  readonly name: string;
  /** Never throws for what the authority does or fails to do. */
  stamp(message: Uint8Array): Promise<SignatureTimeStampAnswer>;
}

export type SignatureTimeStampAnswer =
  | {
      readonly outcome: 'stamped';
      /** DER of the TimeStampToken, not of the whole response. */
      readonly token: Uint8Array;
      readonly genTime: Date;
    }
  | {
      readonly outcome: 'unavailable' | 'refused' | 'invalid';
      /** One sentence for the operator. */
      readonly reason: string;
    };

/** `required`: nothing is signed without a token. `best_effort`: signed without one, and said so. */
export interface SignatureTimeStamping {
  readonly authority: SignatureTimeStamper;
  readonly policy: 'required' | 'best_effort';
}

/** What became of the time-stamp of one signature. */
export type SignatureTimeStamp =
  | { readonly outcome: 'stamped'; readonly authority: string; readonly time: Date }
  | {
      readonly outcome: 'missing';
      readonly authority: string;
      readonly reason: 'unavailable' | 'refused' | 'invalid';
    };
