import { Builder, CallbackSigner } from '@contentauth/c2pa-node';
import { type MediaFile, type SigningWorkshop } from './signing-workshop.js';

/** A picture whose XMP (`dcterms:provenance`) says that its manifest lies at an address. @returns its path */
export async function pictureWithRemoteManifest(
  workshop: SigningWorkshop,
  file: MediaFile,
  url: string,
): Promise<string> {
  const builder = Builder.withJson({ title: 'elsewhere', assertions: [] }, '{}');
  builder.setIntent({ create: 'http://c2pa.org/digitalsourcetype/empty' });
  builder.setNoEmbed(true);
  builder.setRemoteUrl(url);
  const { claimKey } = workshop.keystore;
  const signer = CallbackSigner.newSigner(
    {
      alg: 'es256',
      certs: [Buffer.from(claimKey.certificateChainPem)],
      reserveSize: 10_240,
      directCoseHandling: false,
    },
    (bytes) => claimKey.sign(bytes),
  );
  const path = workshop.newPath();
  await builder.signAsync(signer, { path: file.path, mimeType: file.mediaType }, { path });
  return path;
}
