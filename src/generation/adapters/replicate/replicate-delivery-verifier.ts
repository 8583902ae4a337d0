import { isColophonError } from '../../../shared/errors.js';
import {
  type ReplicateDelivery,
  type ReplicateDeliveryVerifier,
} from '../../application/receive-replicate-webhook.js';
import { verifyReplicateWebhook } from './replicate-webhook.js';
import { type ReplicateWebhookSecrets } from './replicate-webhook-secret.js';

/** With the secret at hand first; if that does not fit, with the one that the account shows now. */
export class FetchingDeliveryVerifier implements ReplicateDeliveryVerifier {
  constructor(private readonly secrets: ReplicateWebhookSecrets) {}

  async verify(token: string, delivery: ReplicateDelivery): Promise<{ readonly predictionId: string }> {
    const secret = await this.secrets.secretOf(token);
    try {
      return verifyReplicateWebhook(secret, delivery);
    } catch (error) {
      const fresh = await this.secrets.secretOf(token, { fresh: true });
      if (!isColophonError(error, 'bad_signature') || fresh === secret) throw error;
      return verifyReplicateWebhook(fresh, delivery);
    }
  }
}
