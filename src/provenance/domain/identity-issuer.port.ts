/** Who is to be named. Organization names and people's names are whatever the customer entered. */
export interface NamedSubject {
  readonly organization: string;
  /** Only for a person. */
  readonly person: string | undefined;
}

export interface IssuedCredential {
  /** Leaf first. */
  readonly chainPem: string;
  /** PKCS#8. */
  readonly keyPem: string;
}

/** Issues certificates for named actors by the X.509 profile of CAWG Identity 1.3: EKU id-kp-documentSigning. */
export interface IdentityIssuer {
  issue(subject: NamedSubject): Promise<IssuedCredential>;
}
