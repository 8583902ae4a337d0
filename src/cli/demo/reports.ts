import { setTimeout as delay } from 'node:timers/promises';
import { type DemoClient, DemoFailure } from './demo-client.js';
import { type Progress, type StepDisplay } from './progress.js';

export interface Report {
  readonly id: string;
  /** As it is called in the output folder. */
  readonly fileName: string;
  readonly bytes: Buffer;
}

interface ReportAnswer {
  readonly id: string;
  readonly state: string;
  readonly progress: number;
  readonly errorCode: string | null;
}

const REPORTS = [
  { format: 'pdf', title: 'Make the dossier for people (PDF)', fileName: 'dossier.pdf' },
  { format: 'json', title: 'Make the dossier for machines (JSON)', fileName: 'dossier.json' },
  { format: 'bundle', title: 'Make the evidence bundle (zip)', fileName: 'evidence.zip' },
] as const;

const POLL_MS = 100;
const DEADLINE_MS = 60_000;

/** The dossier of an asset in every format. */
export async function makeReports(
  client: DemoClient,
  assetId: string,
  progress: Progress,
): Promise<Report[]> {
  const made: Report[] = [];
  for (const { format, title, fileName } of REPORTS) {
    made.push(await progress.step(title, (display) => make(client, { format, assetId }, fileName, display)));
  }
  return made;
}

async function make(
  client: DemoClient,
  request: { readonly format: string; readonly assetId: string },
  fileName: string,
  display: StepDisplay,
): Promise<Report> {
  const { id } = await client.post<ReportAnswer>('/v1/reports', { kind: 'asset', ...request });
  const deadline = Date.now() + DEADLINE_MS;
  while (Date.now() < deadline) {
    const { state, progress, errorCode } = await client.get<ReportAnswer>(`/v1/reports/${id}`);
    display.detail(`${Math.round(progress * 100)} %`);
    if (state === 'FAILED')
      throw new DemoFailure(`the report ${fileName} failed: ${errorCode ?? 'no reason given'}`);
    if (state === 'DONE') {
      const bytes = await client.download(`/v1/reports/${id}/content`);
      display.detail(`${fileName}, ${Math.ceil(bytes.length / 1024).toLocaleString('en-US')} KiB`);
      return { id, fileName, bytes };
    }
    await delay(POLL_MS);
  }
  throw new DemoFailure(`the report ${fileName} was not ready after ${DEADLINE_MS / 1000} s`);
}
