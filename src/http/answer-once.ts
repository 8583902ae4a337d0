import { type FastifyReply } from 'fastify';
import { type OrganizationTx, type Tx } from '../database/organization-tx.js';
import { type Principal } from '../identity/domain/principal.js';
import { canonicalJson } from '../shared/canonical-json.js';
import { type Idempotency } from './idempotency.js';

/** A request with a JSON body of which something is made. */
export interface OnceRequest {
  readonly principal: Principal;
  /** The Idempotency-Key header as sent. */
  readonly key: string | undefined;
  readonly status: number;
  /** What makes this request this request: route, ids in its path, body. Members that are undefined count as absent. */
  readonly fingerprint: readonly unknown[];
}

/** How routes answer that change something in one transaction: the effect and its answer together, once for each key. */
export class AnswerOnce {
  constructor(
    private readonly organizationTx: OrganizationTx,
    private readonly idempotency: Idempotency,
  ) {}

  /** @returns the body of the answer; its status is set on `reply` */
  async run(
    { principal, key, status, fingerprint }: OnceRequest,
    reply: FastifyReply,
    work: (tx: Tx) => Promise<unknown>,
  ): Promise<unknown> {
    const plain = canonicalJson(JSON.parse(JSON.stringify(fingerprint)) as never);
    const answer = await this.idempotency.run({ principal, key, fingerprint: [plain] }, (idempotent) =>
      this.organizationTx.run(principal.organizationId, async (tx) => {
        const done = { status, body: await work(tx) };
        await idempotent.complete(tx, done);
        return done;
      }),
    );
    void reply.status(answer.status);
    return answer.body;
  }
}
