/**
 * `--proposer PRODUCT,ISSUER,SUBJECT`: whose tokens may propose for a product.
 *
 * - The three stand together, for a subject means something only at its issuer.
 * - An issuer is an https address; http only on this machine, for trying out. No query and no credentials.
 * - A subject names its organisation: a pattern may not begin with a star, nor have one in what stands before the first slash.
 */
import { InvalidArgumentError } from 'commander';
import { proposalProductDecoder } from '../formats/proposal.ts';
import { claimDecoder } from '../formats/stored-proposal.ts';
import type { ProposerRule } from '../ota-server/proposer-rule.ts';

const LOOPBACK = ['127.0.0.1', '[::1]', 'localhost'];
const FORM = 'PRODUCT,https://ISSUER,SUBJECT is expected';

/** The rule in `value`. @throws InvalidArgumentError if it is none. */
export function proposerValue(value: string): ProposerRule {
  const [, name = '', issuer = '', pattern = ''] = /^([^,]*),([^,]*),(.*)$/s.exec(value) ?? [];
  const product = proposalProductDecoder(name);
  if (!product.ok) throw new InvalidArgumentError(`${FORM}: ${product.detail}`);
  if (!isIssuer(issuer)) throw new InvalidArgumentError(`${FORM}: the issuer is no https address`);
  const subject = claimDecoder(pattern);
  const owner = pattern.split('/')[0] ?? '';
  if (!subject.ok || /[*?]/.test(owner)) throw new InvalidArgumentError(`${FORM}: the subject names no owner`);
  return { product: product.value, issuer, subject: subject.value };
}

function isIssuer(issuer: string): boolean {
  if (!URL.canParse(issuer)) return false;
  const { protocol, hostname, username, password, search, hash } = new URL(issuer);
  const isPlain = username === '' && password === '' && search === '' && hash === '';
  return isPlain && (protocol === 'https:' || (protocol === 'http:' && LOOPBACK.includes(hostname)));
}
