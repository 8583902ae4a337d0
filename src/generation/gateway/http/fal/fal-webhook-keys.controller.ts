import { Controller, Get, Param } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Unaudited } from '../../../../http/audited.js';
import { Public } from '../../../../http/authentication.guard.js';
import { ColophonError } from '../../../../shared/errors.js';
import { parsePublicId } from '../../../../shared/ids.js';
import { WebhookKeys } from '../../domain/webhook-signing.js';

/** With what webhooks in fal's form are signed (a key set of RFC 7517); a verifier written for fal only changes this address. */
@ApiExcludeController()
@Controller('gateway/fal/webhooks')
export class FalWebhookKeysController {
  constructor(private readonly keys: WebhookKeys) {}

  @Get(':organization/:mode/jwks.json')
  @Unaudited(
    'A public key. It is made from the id, and says nothing about whether there is such an organization.',
  )
  @Public()
  jwks(@Param('organization') organization: string, @Param('mode') mode: string) {
    const id = parsePublicId('organization', organization);
    if (id === undefined || (mode !== 'live' && mode !== 'test'))
      throw new ColophonError('not_found', 'The address is /gateway/fal/webhooks/org_.../live/jwks.json.');
    return { keys: [this.keys.falKey(id, mode)] };
  }
}
