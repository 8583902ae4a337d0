import { z } from 'zod';

/** What a published trust list says: certificates, and when it was issued. */
export interface TrustListDocument {
  /** DER, in the order of the list. */
  readonly certificates: readonly Uint8Array[];
  readonly issuedAt: string | undefined;
  readonly nextUpdateAt: string | undefined;
}

/** Why a text is no trust list. */
export class TrustListUnreadable extends Error {}

const MAX_CERTIFICATES = 1000;
const PEM = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g;
/** An authority whose status is anything else is on the list, and not trusted. */
const TRUSTED_STATUS = 'http://c2pa.org/conformance/trust-list/trusted';

/** ETSI TS 119 602 list of trusted entities in its JSON form, as the C2PA publishes it; the fields that we read. */
const lote = z.object({
  LoTE: z.object({
    ListAndSchemeInformation: z.object({
      ListIssueDateTime: z.iso.datetime({ offset: true }).optional(),
      NextUpdate: z.iso.datetime({ offset: true }).optional(),
    }),
    TrustedEntitiesList: z.array(
      z.object({
        TrustedEntityServices: z.array(
          z.object({
            ServiceInformation: z.object({
              ServiceDigitalIdentity: z.object({
                X509Certificates: z.array(z.object({ val: z.base64() })).default([]),
              }),
              ServiceStatus: z.string().optional(),
            }),
          }),
        ),
      }),
    ),
  }),
});

/**
 * Reads PEM, or ETSI LoTE JSON. The certificates themselves are for the caller to read.
 * @throws TrustListUnreadable
 */
export function readTrustListDocument(text: string): TrustListDocument {
  const document = text.trimStart().startsWith('{') ? readLote(text) : readPem(text);
  if (document.certificates.length === 0) throw new TrustListUnreadable('it holds no certificate');
  if (document.certificates.length > MAX_CERTIFICATES) {
    throw new TrustListUnreadable(`it holds more than ${MAX_CERTIFICATES} certificates`);
  }
  return document;
}

function readPem(text: string): TrustListDocument {
  const certificates = [...text.matchAll(PEM)].map(([, base64 = '']) => Buffer.from(base64, 'base64'));
  return { certificates, issuedAt: undefined, nextUpdateAt: undefined };
}

function readLote(text: string): TrustListDocument {
  const parsed = lote.safeParse(json(text));
  if (!parsed.success)
    throw new TrustListUnreadable('it is not a list of trusted entities (ETSI TS 119 602)');
  const { ListAndSchemeInformation: about, TrustedEntitiesList: entities } = parsed.data.LoTE;
  const certificates = entities
    .flatMap(({ TrustedEntityServices: services }) => services.map((service) => service.ServiceInformation))
    .filter(({ ServiceStatus: status }) => status === undefined || status === TRUSTED_STATUS)
    .flatMap(({ ServiceDigitalIdentity: identity }) => identity.X509Certificates)
    .map(({ val }) => Buffer.from(val, 'base64'));
  return { certificates, issuedAt: utc(about.ListIssueDateTime), nextUpdateAt: utc(about.NextUpdate) };
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new TrustListUnreadable('it is not JSON');
  }
}

function utc(time: string | undefined): string | undefined {
  return time === undefined ? undefined : new Date(time).toISOString();
}
