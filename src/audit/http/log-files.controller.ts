import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { Unaudited } from '../../http/audited.js';
import { Public } from '../../http/authentication.guard.js';
import { idOf } from '../../http/validation.js';
import { ColophonError } from '../../shared/errors.js';
import { PublishedLogs } from '../application/published-logs.js';
import { parseTilePath, tilePath } from '../core/tiles.js';
import { CHECKPOINT_PATH } from '../application/publish-log.js';

/**
 * The log as static files, for tools (C2SP tlog-tiles). Hash tiles and the checkpoint are public: they reveal
 * sizes and hashes. Entry bundles hold the entries themselves, so they go only to the organization.
 */
@ApiExcludeController()
@Controller('logs/:organization')
export class LogFilesController {
  constructor(private readonly logs: PublishedLogs) {}

  @Get('checkpoint')
  @Unaudited('The log itself: its size, its root and signatures, public by purpose.')
  @Public()
  async checkpoint(
    @Param('organization', idOf('organization')) organizationId: string,
    @Res() reply: FastifyReply,
  ) {
    const bytes = await this.read(organizationId, CHECKPOINT_PATH);
    await sendText(reply, bytes);
  }

  /** The newest checkpoint that meets the operator's witness policy, with its cosignatures; 404 while there is none. */
  @Get('witnessed-checkpoint')
  @Unaudited('The log itself: its size, its root and signatures, public by purpose.')
  @Public()
  async witnessedCheckpoint(
    @Param('organization', idOf('organization')) organizationId: string,
    @Res() reply: FastifyReply,
  ) {
    const note = await this.logs.witnessedCheckpoint(organizationId);
    if (note === undefined) throw notFound();
    await sendText(reply, note);
  }

  /** The log's verifier key. Who trusts it from here trusts this server: compare it with one received otherwise. */
  @Get('vkey')
  @Unaudited('The public key of the log, public by purpose.')
  @Public()
  async vkey(
    @Param('organization', idOf('organization')) organizationId: string,
    @Res() reply: FastifyReply,
  ) {
    await sendText(reply, Buffer.from(`${await this.logs.vkey(organizationId)}\n`, 'utf8'));
  }

  /** Log key, witnesses and quorum as C2SP tlog-policy. */
  @Get('policy')
  @Unaudited('Public keys of the log and its witnesses, public by purpose.')
  @Public()
  async policy(
    @Param('organization', idOf('organization')) organizationId: string,
    @Res() reply: FastifyReply,
  ) {
    await sendText(reply, Buffer.from(await this.logs.policy(organizationId), 'utf8'));
  }

  @Get('tile/*')
  @Unaudited(
    'The log itself: hashes for everybody; entries, with commitments in place of what is sealed, for the organization only.',
  )
  @Public()
  async tile(
    @Param('organization', idOf('organization')) organizationId: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ) {
    const path = new URL(request.url, 'http://localhost').pathname.replace(/^\/logs\/[^/]+\//, '');
    const tile = parseTilePath(path);
    if (!tile) throw notFound();
    if (tile.level === 'entries')
      await this.logs.requireReader(organizationId, request.headers.authorization);
    const bytes = await this.read(organizationId, tilePath(tile));
    const visibility = tile.level === 'entries' ? 'private' : 'public';
    await reply
      .headers({
        'content-type': 'application/octet-stream',
        'cache-control': `${visibility}, max-age=31536000, immutable`,
      })
      .send(Buffer.from(bytes));
  }

  private async read(organizationId: string, path: string): Promise<Uint8Array> {
    const bytes = await this.logs.read(organizationId, path);
    if (bytes === undefined) throw notFound();
    return bytes;
  }
}

async function sendText(reply: FastifyReply, bytes: Uint8Array): Promise<void> {
  await reply
    .headers({ 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'public, max-age=1' })
    .send(Buffer.from(bytes));
}

function notFound(): ColophonError {
  return new ColophonError('not_found', 'The log has no such file.');
}
