import pg from 'pg';
import { newId } from '../../src/shared/ids.js';
import { Inspector } from './inspector.js';
import { createTestDatabase, type TestDatabase } from './test-database.js';

const PEOPLE = ['maker', 'editor', 'runner', 'reviewer', 'second'] as const;

/** An organization with people and assets, written round the program, to test what the database refuses by itself. */
export class HumanWorkRows {
  readonly organization = newId();
  readonly people = Object.fromEntries(PEOPLE.map((name) => [name, newId()])) as Record<
    (typeof PEOPLE)[number],
    string
  >;
  private readonly project = newId();
  private readonly clients: pg.Client[] = [];
  private settings = 0;

  private constructor(
    readonly database: TestDatabase,
    readonly inspector: Inspector,
  ) {}

  static async create(): Promise<HumanWorkRows> {
    const database = await createTestDatabase();
    const rows = new HumanWorkRows(database, await Inspector.open(database));
    const created = { created_at: new Date() };
    await rows.insert('organization', { name: 'o', ...created });
    await rows.insert('project', { id: rows.project, name: 'p', ...created });
    for (const id of Object.values(rows.people)) {
      const person = { kind: 'user', display_name: 'n', roles: ['creator', 'reviewer'] };
      await rows.insert('principal', { id, ...person, ...created });
    }
    return rows;
  }

  async drop(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.end()));
    await this.inspector.close();
    await this.database.drop();
  }

  async insert(table: string, columns: Record<string, unknown>): Promise<void> {
    const all = { organization_id: this.organization, ...columns };
    const names = Object.keys(all);
    const places = names.map((_, i) => `$${i + 1}`);
    await this.inspector.query(
      `INSERT INTO ${table} (${names.join(', ')}) VALUES (${places.join(', ')})`,
      Object.values(all),
    );
  }

  /** @returns its id, which is its hash as well */
  async makeAsset(
    createdBy: string,
    {
      parents = [],
      origin = 'upload',
      mode = 'live',
      runId,
      relationship = 'inputTo',
      kind = 'image',
      mediaType = 'image/png',
    }: {
      parents?: readonly string[];
      origin?: string;
      mode?: 'live' | 'test';
      runId?: string;
      relationship?: 'inputTo' | 'parentOf';
      kind?: 'image' | 'video' | 'audio' | 'model3d';
      mediaType?: string;
    } = {},
  ): Promise<string> {
    const id = newId();
    const hashes = {
      sha256: id,
      original_sha256: id,
      claim_sha256: id,
      manifest_sha256: id,
      manifest_label: id,
      kind,
      manifest_placement: 'embedded',
    };
    const media = {
      media_type: mediaType,
      original_media_type: mediaType,
      size_bytes: 1,
      width: 1,
      height: 1,
    };
    const what = {
      project_id: this.project,
      origin,
      mode,
      title: 't',
      entry_id: newId(),
      run_id: runId ?? null,
    };
    const made = { created_by: createdBy, created_at: new Date() };
    await this.insert('asset', { id, ...what, ...media, ...hashes, ...made });
    for (const [ordinal, parent] of parents.entries()) {
      const relation = { ordinal, parent_asset_id: parent, relationship };
      await this.insert('asset_parent', { asset_id: id, ...relation });
    }
    return id;
  }

  /** @returns its id */
  async contribute(
    assetId: string,
    parentId: string,
    contributor: string,
    { capture = 'declared_later', basis = 'modification' }: { capture?: string; basis?: string } = {},
  ): Promise<string> {
    const id = newId();
    await this.insert('contribution', {
      id,
      asset_id: assetId,
      parent_asset_id: parentId,
      contributor_id: contributor,
      action_type: 'RETOUCH',
      basis,
      capture,
      tool: 't',
      sealed_statement: 's',
      before_sha256: 'b',
      after_sha256: 'a',
      entry_id: newId(),
      created_at: new Date(),
    });
    return id;
  }

  /** The same by the application's own role. */
  contributeIn(client: pg.Client, assetId: string, contributor: string): Promise<unknown> {
    return client.query(
      `INSERT INTO contribution (organization_id, id, asset_id, parent_asset_id, contributor_id, action_type, basis,
                                 capture, tool, sealed_statement, before_sha256, after_sha256, entry_id, created_at)
       VALUES ($1, $2, $3, $3, $4, 'SELECTION', 'modification', 'automatic', 't', 's', 'b', 'a', $2, now())`,
      [this.organization, newId(), assetId, contributor],
    );
  }

  async withdraw(contributionId: string, by: string): Promise<void> {
    await this.insert('contribution_correction', {
      contribution_id: contributionId,
      ordinal: 1,
      id: newId(),
      kind: 'withdrawn',
      corrected_by: by,
      sealed_text: 's',
      entry_id: newId(),
      created_at: new Date(),
    });
  }

  async addPerson(kind: 'user' | 'service'): Promise<string> {
    const id = newId();
    const person = { id, kind, display_name: 'n', roles: ['creator'], created_at: new Date() };
    await this.insert('principal', person);
    return id;
  }

  async addUseCase(): Promise<string> {
    const id = newId();
    await this.insert('use_case', { id, project_id: this.project, name: `u-${id}`, created_at: new Date() });
    return id;
  }

  async setReview(
    useCaseId: string,
    needs: { approvals: 1 | 2; humanContribution?: boolean },
  ): Promise<void> {
    this.settings += 1;
    await this.insert('review_settings', {
      use_case_id: useCaseId,
      ordinal: this.settings,
      approvals: needs.approvals,
      human_contribution: needs.humanContribution ?? false,
      checklist: false,
      set_by: this.people.maker,
      entry_id: newId(),
      created_at: new Date(),
    });
  }

  /** A finished run. */
  async startRun(createdBy: string, useCaseId?: string): Promise<string> {
    const [id, clearance] = [newId(), newId()];
    const created = { created_by: createdBy, created_at: new Date() };
    const bytes = { input: Buffer.from('{}'), result: Buffer.from('{}') };
    await this.insert('clearance', { id: clearance, decision: 'allow', ...bytes, ...created });
    await this.insert('run', {
      id,
      project_id: this.project,
      use_case_id: useCaseId ?? (await this.addUseCase()),
      pipeline_name: 'p',
      pipeline_version: 1,
      definition: Buffer.from('{}'),
      sealed_inputs: 's',
      mode: 'live',
      state: 'SUCCEEDED',
      clearance_id: clearance,
      ...created,
    });
    return id;
  }

  /** A session of the application's own role, inside the organization, in an open transaction. */
  async begin(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.database.applicationUrl,
      options: '-c search_path=colophon',
    });
    this.clients.push(client);
    await client.connect();
    await client.query('BEGIN');
    await client.query(`SELECT set_config('app.organization_id', $1, true)`, [this.organization]);
    return client;
  }
}

/** `accepted`, or the SQLSTATE of the refusal. */
export function outcomeOf(statement: Promise<unknown>): Promise<string> {
  return statement.then(
    () => 'accepted',
    (error: unknown) => (error as { code: string }).code,
  );
}
