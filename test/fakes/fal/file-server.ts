import { randomUUID } from 'node:crypto';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { type FalJob } from './fal-job.js';
import { readRequestBody, sendJson } from './http-messages.js';
import { renderPicture } from './product-picture.js';

const PNG_SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** Documentation of a cloud's credentials service: what a hostile provider would have us fetch. */
export const METADATA_URL = 'https://169.254.169.254/latest/meta-data/iam/security-credentials/';

interface UploadedFile {
  readonly mediaType: string;
  readonly lifecycle: string | undefined;
  bytes: Buffer | undefined;
  /** By their numbers, while it comes in parts. */
  readonly parts: Map<number, Buffer>;
}

/** Storage for inputs and the file server (CDN) for inputs and outputs. */
export class FileServer {
  readonly #uploads = new Map<string, UploadedFile>();

  constructor(
    private readonly origin: () => string,
    private readonly findJob: (requestId: string) => FalJob | undefined,
  ) {}

  isUploaded(url: string): boolean {
    const id = /^\/files\/uploads\/([0-9a-f-]{36})\//.exec(url.slice(this.origin().length))?.[1];
    return url.startsWith(this.origin()) && id !== undefined && this.#uploads.get(id)?.bytes !== undefined;
  }

  uploads(): readonly Readonly<UploadedFile>[] {
    return [...this.#uploads.values()];
  }

  /** `POST /rest/storage/upload/initiate?storage_type=fal-cdn-v3`, and `.../initiate-multipart` */
  async initiate(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = JSON.parse((await readRequestBody(request)).toString()) as Record<string, unknown>;
    const { content_type: mediaType, file_name: name } = body;
    if (typeof mediaType !== 'string' || typeof name !== 'string')
      return sendJson(response, 422, { detail: [] });
    const id = randomUUID();
    const lifecycle = request.headers['x-fal-object-lifecycle'];
    this.#uploads.set(id, {
      mediaType,
      lifecycle: lifecycle?.toString(),
      bytes: undefined,
      parts: new Map(),
    });
    const safeName = encodeURIComponent(name);
    sendJson(response, 200, {
      upload_url: `${this.origin()}/upload/${id}?signature=fake`,
      file_url: `${this.origin()}/files/uploads/${id}/${safeName}`,
    });
  }

  /** `PUT /upload/<id>`: raw bytes, no credentials; `PUT /upload/<id>/<number>` and `POST /upload/<id>/complete`. */
  async receive(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const [id = '', part] = path.split('/');
    const upload = this.#uploads.get(id);
    if (upload === undefined) return sendJson(response, 404, { detail: 'unknown upload' });
    if (part === 'complete') return complete(request, response, upload);
    if (part !== undefined) {
      const bytes = await readRequestBody(request);
      upload.parts.set(Number(part), bytes);
      return sendJson(response, 200, { partNumber: Number(part), etag: etagOf(bytes) });
    }
    upload.bytes = await readRequestBody(request);
    sendJson(response, 200, {});
  }

  /** `GET /files/...` */
  async serve(response: ServerResponse, path: string): Promise<void> {
    const upload = this.#uploads.get(/^\/files\/uploads\/([0-9a-f-]{36})\//.exec(path)?.[1] ?? '');
    if (upload?.bytes !== undefined) return sendFile(response, upload.mediaType, upload.bytes);
    const film = /^\/files\/([0-9a-f-]{36})\/film\.mp4$/.exec(path)?.[1];
    if (film !== undefined) return sendFilm(response, this.findJob(film)?.plan.filmBytes ?? 0);
    const match = /^\/files\/([0-9a-f-]{36})\/(\d)\.(png|jpeg)$/.exec(path);
    const job = match?.[1] === undefined ? undefined : this.findJob(match[1]);
    const picture = job?.pictures[Number(match?.[2])];
    if (job === undefined || picture === undefined) return sendJson(response, 404, { detail: 'Not Found' });
    const bytes = await renderPicture(picture);
    return servePlanned(response, job, bytes, `image/${picture.format}`);
  }
}

async function complete(
  request: IncomingMessage,
  response: ServerResponse,
  upload: UploadedFile,
): Promise<void> {
  const { parts } = JSON.parse((await readRequestBody(request)).toString()) as {
    parts: { partNumber: number; etag: string }[];
  };
  const bytes = parts.map(({ partNumber, etag }) => {
    const part = upload.parts.get(partNumber);
    return part !== undefined && etagOf(part) === etag ? part : undefined;
  });
  if (bytes.includes(undefined)) return sendJson(response, 422, { detail: 'InvalidPart' });
  upload.bytes = Buffer.concat(bytes.filter((part) => part !== undefined));
  sendJson(response, 200, {});
}

function etagOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A real film with so much more media data behind it, made as it is sent. */
async function sendFilm(response: ServerResponse, sizeBytes: number): Promise<void> {
  const clip = await readFile(new URL('../../vectors/media/clip.mp4', import.meta.url));
  const head = Buffer.alloc(8);
  head.writeUInt32BE(sizeBytes - clip.byteLength);
  head.write('mdat', 4, 'latin1');
  response.writeHead(200, { 'content-type': 'video/mp4', 'content-length': String(sizeBytes) });
  const filler = Buffer.alloc(1024 * 1024, 0x5a);
  const pieces = function* (): Generator<Buffer> {
    yield clip;
    yield head;
    for (let left = sizeBytes - clip.byteLength - 8; left > 0; left -= filler.byteLength)
      yield filler.subarray(0, left);
  };
  await pipeline(Readable.from(pieces()), response);
}

function sendFile(response: ServerResponse, mediaType: string, bytes: Buffer): void {
  response.writeHead(200, { 'content-type': mediaType, 'content-length': String(bytes.byteLength) });
  response.end(bytes);
}

type FileFault = (response: ServerResponse, bytes: Buffer) => void;

/** Plans that spoil the file itself; under every other plan the file is good. */
const FILE_FAULTS: Partial<Record<FalJob['plan']['result'], FileFault>> = {
  'garbage-png': (response) =>
    sendFile(response, 'image/png', Buffer.concat([PNG_SIGNATURE, Buffer.alloc(2000, 0xab)])),
  'truncated-png': (response, bytes) =>
    sendFile(response, 'image/png', bytes.subarray(0, Math.floor(bytes.byteLength / 2))),
  'wrong-content-type': (response) =>
    sendFile(response, 'image/png', Buffer.from('<!doctype html><script>alert(1)</script>')),
  'endless-body': sendEndlessly,
  'slow-loris': trickle,
  'redirect-to-metadata': (response) => response.writeHead(302, { location: METADATA_URL }).end(),
};

function servePlanned(response: ServerResponse, job: FalJob, bytes: Buffer, mediaType: string): void {
  const fault = FILE_FAULTS[job.plan.result];
  if (fault === undefined) sendFile(response, mediaType, bytes);
  else fault(response, bytes);
}

function sendEndlessly(response: ServerResponse, bytes: Buffer): void {
  response.writeHead(200, { 'content-type': 'image/png' });
  const filler = Buffer.alloc(64 * 1024);
  const pump = (): void => {
    while (!response.destroyed && response.write(filler));
  };
  response.on('drain', pump);
  response.write(bytes);
  pump();
}

function trickle(response: ServerResponse, bytes: Buffer): void {
  response.writeHead(200, { 'content-type': 'image/png', 'content-length': String(bytes.byteLength) });
  let offset = 0;
  const timer = setInterval(() => response.write(bytes.subarray(offset, ++offset)), 100);
  response.on('close', () => clearInterval(timer));
}
