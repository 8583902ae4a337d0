import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a claim-signing certificate has; each can be replaced by its name. */
const PROFILE: Readonly<Record<string, string>> = {
  basicConstraints: 'critical,CA:FALSE',
  keyUsage: 'critical,digitalSignature,nonRepudiation',
  extendedKeyUsage: '1.3.6.1.4.1.62558.2.1,1.3.6.1.5.5.7.3.36',
  subjectKeyIdentifier: 'hash',
  authorityKeyIdentifier: 'keyid',
};

/** For tests: a certification authority made with openssl (root and issuing certificate), by tools that are not ours. */
export class ClaimAuthority {
  private constructor(private readonly folder: string) {}

  static create(folder: string): ClaimAuthority {
    const authority = new ClaimAuthority(folder);
    mkdirSync(folder, { recursive: true });
    authority.openssl(
      'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -keyout root.key -out root.pem',
      ['-subj', '/O=Example Trust/CN=Example Root', '-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
    );
    authority.openssl(
      'req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout issuing.key -out issuing.csr',
      ['-subj', '/O=Example Trust/CN=Example Issuing CA'],
    );
    const extensions = {
      basicConstraints: 'critical,CA:TRUE,pathlen:0',
      keyUsage: 'critical,keyCertSign,cRLSign',
    };
    authority.sign(
      'issuing.csr',
      'root',
      'issuing.pem',
      { ...extensions, subjectKeyIdentifier: 'hash' },
      1800,
    );
    return authority;
  }

  get rootPem(): string {
    return this.read('root.pem');
  }

  /** The chain for a request: leaf, issuing certificate, root. */
  issue(requestPem: string, options: { readonly extension?: string; readonly days?: number } = {}): string {
    const [name = '', value = ''] = options.extension?.split(/=(.*)/s) ?? [];
    const extensions = name === '' ? PROFILE : { ...PROFILE, [name]: value };
    writeFileSync(join(this.folder, 'leaf.csr'), requestPem);
    this.sign('leaf.csr', 'issuing', 'leaf.pem', extensions, options.days ?? 90);
    return [this.read('leaf.pem'), this.read('issuing.pem'), this.rootPem].join('');
  }

  private sign(
    request: string,
    issuer: string,
    out: string,
    extensions: Readonly<Record<string, string>>,
    days: number,
  ): void {
    const lines = Object.entries(extensions).map(([name, value]) => `${name}=${value}`);
    writeFileSync(join(this.folder, 'extensions.cnf'), `${lines.join('\n')}\n`);
    const serial = `0x1${randomBytes(15).toString('hex')}`;
    this.openssl(
      `x509 -req -in ${request} -CA ${issuer}.pem -CAkey ${issuer}.key -out ${out} -days ${days} -sha256 -extfile extensions.cnf`,
      ['-set_serial', serial],
    );
  }

  private openssl(words: string, more: readonly string[] = []): void {
    execFileSync('openssl', [...words.split(' '), ...more], { cwd: this.folder, stdio: 'pipe' });
  }

  private read(name: string): string {
    return readFileSync(join(this.folder, name), 'utf8');
  }
}
