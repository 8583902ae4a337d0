import { stat } from 'node:fs/promises';
import { signableMediaType } from '../src/provenance/domain/media-types.js';
import { SharpMediaProbe } from '../src/assets/adapters/sharp-media-probe.js';
import { SigningWorkshop } from '../src/provenance/testing/signing-workshop.js';

/** Signs and reads back one file, and says how long that took and how much memory the process held at most. */
async function main([path = '', mediaType = '']: string[]): Promise<void> {
  const type = signableMediaType(mediaType);
  if (type === undefined) throw new Error('not a type that is signed');
  const workshop = await SigningWorkshop.create();
  await new SharpMediaProbe().probe({ path });
  const begin = performance.now();
  const signed = await workshop.sign({ path, mediaType: type });
  const signedAt = performance.now();
  const { verdict } = await workshop.verify(signed);
  const verifiedAt = performance.now();
  if (verdict !== 'intact_and_trusted') throw new Error(`it reads as ${verdict}`);
  const { size } = await stat(path);
  await workshop.close();
  console.log(
    JSON.stringify({
      sourceMiB: Math.round(size / 2 ** 20),
      signMs: Math.round(signedAt - begin),
      readBackMs: Math.round(verifiedAt - signedAt),
      // Kilobytes on Linux.
      peakMiB: Math.round(process.resourceUsage().maxRSS / 1024),
    }),
  );
}

main(process.argv.slice(2)).then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
