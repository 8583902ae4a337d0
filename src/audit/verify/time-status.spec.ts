import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { OctetString } from 'asn1js';
import { AlgorithmIdentifier, MessageImprint } from 'pkijs';
import { AuthorityKeys } from '../../../test/fakes/time-stamp-authority/authority-keys.js';
import { type Fault } from '../../../test/fakes/time-stamp-authority/fault-plan.js';
import { makeToken } from '../../../test/fakes/time-stamp-authority/make-token.js';
import { signedAsset } from '../../../test/vectors/tlog/entry-examples.js';
import { MemoryLog, readGolden } from '../../../test/vectors/tlog/vectors.js';
import { signCheckpoint } from '../core/checkpoint.js';
import { verifierFromVkey } from '../core/cosignature.js';
import { buildEntry } from '../core/entry.js';
import { ed25519Signer, parsePrivateKey } from '../core/note-key.js';
import { inclusionProofFromTiles } from '../core/tile-reading.js';
import { formatTlogProof } from '../core/tlog-proof.js';
import { checkTimeStamps, stampedText } from './time-status.js';
import { type EntryStatus, verifyEntry } from './verify-entry.js';

const golden = readGolden();
const trust = { origin: golden.log.name, log: verifierFromVkey(golden.log.vkey) };
const now = new Date();

let keys: AuthorityKeys;
beforeAll(async () => {
  keys = await AuthorityKeys.create();
});

/** A log whose last entry says that it was made at the given time, with its proof. */
async function proved(at: Date, entries = 3): Promise<{ entry: Buffer; proof: Buffer }> {
  const entry = Buffer.from(buildEntry({ ...signedAsset, at: at.toISOString() }).bytes);
  const log = new MemoryLog();
  await log.appendGolden(entries);
  await log.append([entry]);
  const { size } = log.range;
  const { proof } = await inclusionProofFromTiles(log, entries, size, log.range.root());
  const checkpoint = await signCheckpoint({ origin: trust.origin, size, root: log.range.root() }, [
    ed25519Signer(parsePrivateKey(golden.log.skey)),
  ]);
  return { entry, proof: formatTlogProof({ index: entries, hashes: proof, checkpoint }) };
}

async function tokenOver(proof: Buffer, fault?: Fault): Promise<Uint8Array> {
  const imprint = new MessageImprint({
    hashAlgorithm: new AlgorithmIdentifier({ algorithmId: '2.16.840.1.101.3.4.2.1' }),
    hashedMessage: new OctetString({ valueHex: createHash('sha256').update(stampedText(proof)).digest() }),
  });
  const identity = await keys.identity(fault);
  return makeToken({ messageImprint: imprint, certReq: true, genTime: now }, identity, fault);
}

const timesOf = ({ statuses }: { statuses: readonly EntryStatus[] }) =>
  statuses.filter(({ subject }) => subject === 'time');
const timeTrust = () => ({ rootsPem: keys.rootPem });

describe('an entry with a time-stamp', () => {
  it('is proved to have existed at or before that time, according to the authority', async () => {
    const { entry, proof } = await proved(now);
    const timeStamps = await checkTimeStamps([await tokenOver(proof)], stampedText(proof), timeTrust());
    const result = verifyEntry({ entry, proof, timeStamps }, trust);
    expect(result.ok).toBe(true);
    const [stamped, own, ...more] = timesOf(result);
    expect(stamped).toEqual({
      subject: 'time',
      outcome: 'proved',
      text: `The entry existed at or before ${now.toISOString()} (give or take 1.5 s) according to Fake TSA, Fake. Whether the certificate of that authority was revoked was not looked up.`,
    });
    expect(own).toMatchObject({
      outcome: 'not_proved',
      text: expect.stringContaining("operator's clock"),
    });
    expect(more).toEqual([]);
  });

  it('is bounded by each of several authorities, and one unknown to the reader spoils nothing', async () => {
    const { entry, proof } = await proved(now);
    const tokens = [await tokenOver(proof), await tokenOver(proof, 'unknown-issuer')];
    const timeStamps = await checkTimeStamps(tokens, stampedText(proof), timeTrust());
    const result = verifyEntry({ entry, proof, timeStamps }, trust);
    expect(result.ok).toBe(true);
    expect(timesOf(result).map(({ outcome }) => outcome)).toEqual(['proved', 'not_proved', 'not_proved']);
    expect(timesOf(result)[1]?.text).toContain('by nobody whose time you trust');
  });

  it('is not bounded where the reader names no authority', async () => {
    const { entry, proof } = await proved(now);
    const timeStamps = await checkTimeStamps([await tokenOver(proof)], stampedText(proof));
    const result = verifyEntry({ entry, proof, timeStamps }, trust);
    expect(result.ok).toBe(true);
    expect(timesOf(result)[0]).toMatchObject({ outcome: 'not_proved' });
  });

  it.each<Fault>(['bad-signature', 'wrong-eku', 'expired-certificate', 'missing-ess-cert-id'])(
    'fails for a token with the fault %s, though its proof holds',
    async (fault) => {
      const { entry, proof } = await proved(now);
      const timeStamps = await checkTimeStamps(
        [await tokenOver(proof, fault)],
        stampedText(proof),
        timeTrust(),
      );
      const result = verifyEntry({ entry, proof, timeStamps }, trust);
      expect(result.ok).toBe(false);
      expect(timesOf(result)[0]).toMatchObject({ outcome: 'failed' });
    },
  );

  it('fails for a good token over another tree head', async () => {
    const { entry, proof } = await proved(now);
    const other = await proved(now, 5);
    const token = await tokenOver(other.proof);
    const checkedAgainstOther = await checkTimeStamps([token], stampedText(other.proof), timeTrust());
    const swapped = verifyEntry({ entry, proof, timeStamps: checkedAgainstOther }, trust);
    expect(timesOf(swapped)[0]).toMatchObject({ outcome: 'failed' });
    expect(timesOf(swapped)[0]?.text).toContain('another tree head');
    const checked = await checkTimeStamps([token], stampedText(proof), timeTrust());
    expect(timesOf(verifyEntry({ entry, proof, timeStamps: checked }, trust))[0]?.text).toContain(
      'other bytes',
    );
  });

  it('fails when it names a time later than the time-stamp: it was post-dated', async () => {
    const { entry, proof } = await proved(new Date(now.getTime() + 3_600_000));
    const timeStamps = await checkTimeStamps([await tokenOver(proof)], stampedText(proof), timeTrust());
    const result = verifyEntry({ entry, proof, timeStamps }, trust);
    expect(result.ok).toBe(false);
    expect(timesOf(result)[0]?.text).toContain('post-dated');
  });

  it('proves nothing about an entry that is not in the log', async () => {
    const { entry, proof } = await proved(now);
    const timeStamps = await checkTimeStamps([await tokenOver(proof)], stampedText(proof), timeTrust());
    entry[entry.length - 3] = (entry[entry.length - 3] ?? 0) ^ 1;
    const result = verifyEntry({ entry, proof, timeStamps }, trust);
    expect(result.ok).toBe(false);
    expect(timesOf(result)[0]).toMatchObject({ outcome: 'not_proved' });
    expect(timesOf(result)[0]?.text).toContain('not shown to be covered');
  });

  it('is not read with more than 16 tokens', async () => {
    const tokens = Array.from({ length: 17 }, () => new Uint8Array(1));
    await expect(checkTimeStamps(tokens, Buffer.from('x'), timeTrust())).rejects.toMatchObject({
      code: 'limit_exceeded',
    });
  });
});
