import { createHmac, timingSafeEqual } from 'node:crypto';

const PURPOSE_SEPARATOR = '\n';
const ADDRESS = /^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\.([A-Za-z0-9_-]{43})$/;

/**
 * The last part of the address to which a vendor sends news of one step: `<step run id>.<HMAC-SHA256, base64url>`.
 *
 * fal signs the webhooks of all its customers with the same keys, so a signature says that fal sent it and not about
 * whose job. Anybody with an account there could name a job of their own as that of our step, whose id stands in answers
 * and manifests. The address cannot be made from that id, and only fal is told it.
 */
export class WebhookAddress {
  constructor(
    private readonly key: Uint8Array,
    private readonly vendor: string,
  ) {}

  of(stepRunId: string): string {
    return `${stepRunId}.${this.tagOf(stepRunId).toString('base64url')}`;
  }

  /** UUID of the step run; `undefined` for an address that was not made here. */
  stepRunIdOf(address: string): string | undefined {
    const [, stepRunId = '', tag = ''] = ADDRESS.exec(address) ?? [];
    if (stepRunId === '') return undefined;
    return timingSafeEqual(Buffer.from(tag, 'base64url'), this.tagOf(stepRunId)) ? stepRunId : undefined;
  }

  private tagOf(stepRunId: string): Buffer {
    return createHmac('sha256', this.key)
      .update(this.vendor + PURPOSE_SEPARATOR + stepRunId)
      .digest();
  }
}
