import { randomUUID } from 'node:crypto';
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

  /** `POST /rest/storage/upload/initiate?storage_type=fal-cdn-v3` */
  async initiate(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = JSON.parse((await readRequestBody(request)).toString()) as Record<string, unknown>;
    const { content_type: mediaType, file_name: name } = body;
    if (typeof mediaType !== 'string' || typeof name !== 'string')
      return sendJson(response, 422, { detail: [] });
    const id = randomUUID();
    const lifecycle = request.headers['x-fal-object-lifecycle'];
    this.#uploads.set(id, { mediaType, lifecycle: lifecycle?.toString(), bytes: undefined });
    const safeName = encodeURIComponent(name);
    sendJson(response, 200, {
      upload_url: `${this.origin()}/upload/${id}?signature=fake`,
      file_url: `${this.origin()}/files/uploads/${id}/${safeName}`,
    });
  }

  /** `PUT /upload/<id>`: raw bytes, no credentials. */
  async receive(request: IncomingMessage, response: ServerResponse, id: string): Promise<void> {
    const upload = this.#uploads.get(id);
    if (upload === undefined) return sendJson(response, 404, { detail: 'unknown upload' });
    upload.bytes = await readRequestBody(request);
    sendJson(response, 200, {});
  }

  /** `GET /files/...` */
  async serve(response: ServerResponse, path: string): Promise<void> {
    const upload = this.#uploads.get(/^\/files\/uploads\/([0-9a-f-]{36})\//.exec(path)?.[1] ?? '');
    if (upload?.bytes !== undefined) return sendFile(response, upload.mediaType, upload.bytes);
    const match = /^\/files\/([0-9a-f-]{36})\/(\d)\.(png|jpeg)$/.exec(path);
    const job = match?.[1] === undefined ? undefined : this.findJob(match[1]);
    const picture = job?.pictures[Number(match?.[2])];
    if (job === undefined || picture === undefined) return sendJson(response, 404, { detail: 'Not Found' });
    const bytes = await renderPicture(picture);
    return servePlanned(response, job, bytes, `image/${picture.format}`);
  }
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
