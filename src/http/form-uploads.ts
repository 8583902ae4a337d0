import { type FastifyReply, type FastifyRequest } from 'fastify';
import { readFile, stat } from 'node:fs/promises';
import { type z } from 'zod';
import { type AssetIntake, largestVerified } from '../assets/application/asset-intake.js';
import { hashStaged, receiveFile, type ReceivedFile } from '../assets/application/receive-file.js';
import { type Tx } from '../database/organization-tx.js';
import { type Principal } from '../identity/domain/principal.js';
import { type Idempotency } from './idempotency.js';
import { type UploadedForm, withUploadedFile } from './multipart-form.js';

/** A form of which something is made, and how that is shown. */
export interface CreatingForm<Schema extends z.ZodType, Made> {
  readonly principal: Principal;
  /** The Idempotency-Key header as sent. */
  readonly key: string | undefined;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  /** Route and ids in its path: with file and field, what makes this request this request. */
  readonly route: readonly string[];
  /** The JSON field that says what the file is. */
  readonly field: { readonly name: string; readonly schema: Schema };
  readonly view: (made: Made) => unknown;
}

export interface Upload<Fields> {
  readonly file: ReceivedFile;
  readonly fields: Fields;
}

/** How routes answer an uploaded file. Whatever happens, the staged file is gone when the answer is given. */
export class FormUploads {
  constructor(
    private readonly intake: AssetIntake,
    private readonly idempotency: Idempotency,
  ) {}

  /** For a route that looks at a file and keeps nothing. */
  async inspect<Result>(
    request: FastifyRequest,
    secondFile: string,
    look: (path: string, secondPath: string | undefined) => Promise<Result>,
  ): Promise<Result> {
    const { store } = this.intake;
    const maxBytes = largestVerified(this.intake.maxBytes);
    return withUploadedFile<z.ZodUndefined, Result>(
      request,
      store,
      { maxBytes, secondFile },
      ({ file, secondPath }) => look(file.path, secondPath),
    );
  }

  /** For a route that takes a document of at most `maxBytes`, read into memory, with a JSON field beside it. */
  async readDocument<Schema extends z.ZodType, Result>(
    request: FastifyRequest,
    options: {
      readonly maxBytes: number;
      readonly field: { readonly name: string; readonly schema: Schema };
    },
    work: (document: { bytes: Uint8Array; fields: z.infer<Schema> }) => Promise<Result>,
  ): Promise<Result> {
    const { store } = this.intake;
    return withUploadedFile(request, store, options, async ({ file, fields }) =>
      work({ bytes: await readFile(file.path), fields }),
    );
  }

  /**
   * 201 with what was made, once per Idempotency-Key; the same answer again for a repeated request.
   * @param make calls `completed` in the transaction that makes it, so that effect and answer are stored together
   * @returns the body of the answer; its status is set on `reply`
   */
  async create<Schema extends z.ZodType, Made>(
    form: CreatingForm<Schema, Made>,
    make: (
      upload: Upload<z.infer<Schema>>,
      completed: (tx: Tx, made: Made) => Promise<void>,
    ) => Promise<Made>,
  ): Promise<unknown> {
    return this.answer(form, (staged) => receiveFile(this.intake.probe, staged), make);
  }

  /**
   * The same for a file that is evidence only: any bytes, never decoded, kept by their hash.
   * @param make as in {@link create}
   */
  async keep<Schema extends z.ZodType, Made>(
    form: CreatingForm<Schema, Made>,
    make: (
      kept: { readonly file: KeptBytes; readonly fields: z.infer<Schema> },
      completed: (tx: Tx, made: Made) => Promise<void>,
    ) => Promise<Made>,
  ): Promise<unknown> {
    return this.answer(form, keptBytes, make);
  }

  private async answer<Schema extends z.ZodType, Made, Received extends { readonly sha256: string }>(
    { principal, key, request, reply, route, field, view }: CreatingForm<Schema, Made>,
    receive: (staged: UploadedForm<unknown>['file']) => Promise<Received>,
    make: (
      received: { readonly file: Received; readonly fields: z.infer<Schema> },
      completed: (tx: Tx, made: Made) => Promise<void>,
    ) => Promise<Made>,
  ): Promise<unknown> {
    const { store, maxBytes } = this.intake;
    const answerWith = (made: Made) => ({ status: 201, body: view(made) });
    const answer = await withUploadedFile(request, store, { maxBytes, field }, async (uploaded) => {
      const { fields } = uploaded;
      const file = await receive(uploaded.file);
      const fingerprint = [...route, file.sha256, JSON.stringify(fields)];
      return this.idempotency.run({ principal, key, fingerprint }, async (idempotent) =>
        answerWith(await make({ file, fields }, (tx, made) => idempotent.complete(tx, answerWith(made)))),
      );
    });
    void reply.status(answer.status);
    return answer.body;
  }
}

/** A staged file of which nothing is known but its bytes. */
export interface KeptBytes {
  readonly stagedPath: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

async function keptBytes({ path }: UploadedForm<unknown>['file']): Promise<KeptBytes> {
  return { stagedPath: path, sha256: await hashStaged(path), sizeBytes: (await stat(path)).size };
}
