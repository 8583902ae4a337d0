import { type EntryType } from '../audit/core/entry-types.js';
import { addRouteConfig } from './route-config.js';

/** What a route says about itself: which entries it writes, or why it writes none. */
export type RouteAudit =
  { readonly writes: readonly [EntryType, ...EntryType[]] } | { readonly unauditedBecause: string };

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Set by {@link Audited} and {@link Unaudited} only. All of them are kept, so that two can be told from one. */
    audit?: readonly RouteAudit[];
  }
}

/**
 * The route changes or reveals something. Its entry is committed before the first byte of the answer leaves, with the
 * change or before what is shown; when it cannot be, the answer is 503 `audit_unavailable`.
 *
 * @param always what every answer that changes or reveals something writes
 * @param sometimes what some of them write besides
 */
export const Audited = (always: EntryType, ...sometimes: EntryType[]): MethodDecorator =>
  declare({ writes: [always, ...sometimes] });

/** The same for a route that answers several kinds of questions: each answer writes exactly one of these. */
export const AuditedAsOneOf = (one: EntryType, ...others: EntryType[]): MethodDecorator =>
  declare({ writes: [one, ...others] });

/** The route changes nothing and reveals nothing that has to be recorded. The reason is published. */
export const Unaudited = (because: string): MethodDecorator => declare({ unauditedBecause: because });

function declare(audit: RouteAudit): MethodDecorator {
  return addRouteConfig((known) => ({ audit: [...(known.audit ?? []), audit] }));
}
