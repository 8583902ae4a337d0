/** A time-stamping authority (RFC 3161), as the log needs it. */
export interface TimeStampAuthority {
  /** Under this name its tokens are stored; it holds no credential. */
  readonly name: string;
  /**
   * Asks for a time-stamp over these bytes. A token is returned only when it has been verified against the
   * operator's roots. Never throws for what the authority does or fails to do.
   */
  stamp(message: Uint8Array): Promise<TimeStampAnswer>;
}

export type TimeStampAnswer =
  | {
      readonly outcome: 'stamped';
      /** DER of the TimeStampToken (CMS ContentInfo). */
      readonly token: Uint8Array;
      readonly genTime: Date;
    }
  | {
      /**
       * `unavailable`: no usable answer; the same request may succeed later. `refused`: the authority said no.
       * `invalid`: it answered with a token that proves nothing; the operator should know.
       */
      readonly outcome: 'unavailable' | 'refused' | 'invalid';
      /** One sentence for the operator. Holds no URL and no secret. */
      readonly reason: string;
    };
