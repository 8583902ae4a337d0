/** The packages carry no types. */
declare module 'spdx-expression-parse' {
  interface LicenseLeaf {
    readonly license: string;
    readonly plus?: true;
    readonly exception?: string;
  }
  interface LicenseConjunction {
    readonly left: LicenseInfo;
    readonly conjunction: 'and' | 'or';
    readonly right: LicenseInfo;
  }
  export type LicenseInfo = LicenseLeaf | LicenseConjunction;
  /** @throws Error when the text is not an SPDX license expression */
  export default function parse(expression: string): LicenseInfo;
}
