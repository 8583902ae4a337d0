import {
  applyDecorators,
  type CanActivate,
  createParamDecorator,
  type ExecutionContext,
  SetMetadata,
} from '@nestjs/common';
import { type Reflector } from '@nestjs/core';
import { type FastifyRequest } from 'fastify';
import { type Authenticate, keyInAuthorization } from '../identity/application/authenticate.js';
import { type Permission, type Principal, requirePermission } from '../identity/domain/principal.js';
import { ColophonError } from '../shared/errors.js';

const PERMISSION = 'colophon:permission';
const PUBLIC = 'colophon:public';

/** Every route says who may call it. A route that says nothing answers nobody. */
export const Allow = (permission: Permission): MethodDecorator => SetMetadata(PERMISSION, permission);
/** Answers without credentials. */
export const Public = (): MethodDecorator & ClassDecorator => SetMetadata(PUBLIC, true);

const KEY_WELCOME = 'colophon:key-welcome';

/** Answers without credentials; whoever sends a key is shown what their organization may see, too. */
export const PublicOrKey = (): MethodDecorator => applyDecorators(Public(), SetMetadata(KEY_WELCOME, true));

interface AuthenticatedRequest extends FastifyRequest {
  principal?: Principal;
}

/** The principal that {@link AuthenticationGuard} put into the request. */
export const CurrentPrincipal = createParamDecorator((_: unknown, context: ExecutionContext): Principal => {
  const { principal } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (!principal) throw new ColophonError('unauthenticated', 'No API key was sent.');
  return principal;
});

/** The principal of a {@link PublicOrKey} route; `undefined` for a stranger. */
export const OptionalPrincipal = createParamDecorator(
  (_: unknown, context: ExecutionContext): Principal | undefined =>
    context.switchToHttp().getRequest<AuthenticatedRequest>().principal,
);

export class AuthenticationGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly authenticate: Authenticate,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const targets = [context.getHandler(), context.getClass()];
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    if (this.reflector.getAllAndOverride<boolean | undefined>(PUBLIC, targets)) {
      const isKeyWelcome = this.reflector.getAllAndOverride<boolean | undefined>(KEY_WELCOME, targets);
      if (isKeyWelcome && presentsKey(request)) await this.admit(request, 'organization:read');
      return true;
    }
    const permission = this.reflector.getAllAndOverride<Permission | undefined>(PERMISSION, targets);
    await this.admit(request, permission);
    return true;
  }

  private async admit(request: AuthenticatedRequest, permission: Permission | undefined): Promise<void> {
    const principal = await this.authenticate.withApiKey(presentedKey(request));
    if (permission === undefined) throw new ColophonError('forbidden', 'This route is not open to anyone.');
    requirePermission(principal, permission);
    request.principal = principal;
  }
}

function presentsKey({ headers }: FastifyRequest): boolean {
  return ['authorization', 'x-goog-api-key', 'x-api-key'].some((name) => headers[name] !== undefined);
}

/** The vendors' SDKs send their key in different headers; all of them carry ours. */
function presentedKey(request: FastifyRequest): string {
  if (/[?&][^=&?]*=clp(?:_|%5f)(?:live|test)(?:_|%5f)/i.test(request.url)) {
    throw new ColophonError(
      'credentials_in_url',
      'An API key was sent in the URL, where logs and proxies see it.',
    );
  }
  const authorization = request.headers.authorization;
  const key =
    keyInAuthorization(authorization) ??
    single(request.headers['x-goog-api-key']) ??
    single(request.headers['x-api-key']);
  if (key === undefined) {
    if (authorization !== undefined)
      throw new ColophonError('invalid_api_key', 'The Authorization header is not "Bearer <key>".');
    throw new ColophonError('unauthenticated', 'No API key was sent.');
  }
  return key;
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
