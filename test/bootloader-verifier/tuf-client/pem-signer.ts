/** Signers with keys in PEM, as securesystemslib and tuf-on-ci write them: ECDSA and RSA-PSS. Each call makes another key. */
import { constants, generateKeyPairSync, sign as signWith } from 'node:crypto';
import { keyIdOf } from '../../../formats/tuf-key.ts';
import type { Signer } from '../../../signer/signer.ts';

/** A signer of `scheme`, which ends in the number of its digest or curve. @param bits of an RSA key; without them it is ECDSA. */
export function pemSigner(scheme: string, bits?: number): Signer {
  const { publicKey, privateKey } =
    bits === undefined
      ? generateKeyPairSync('ec', { namedCurve: scheme.endsWith('384') ? 'P-384' : 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: bits });
  const keytype = bits === undefined ? 'ecdsa' : 'rsa';
  const key = { keytype, scheme, public: publicKey.export({ type: 'spki', format: 'pem' }).toString() };
  const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
  const signing = bits === undefined ? { key: privateKey } : { key: privateKey, ...padding };
  return {
    key,
    keyid: keyIdOf(key),
    sign: (message) => Promise.resolve(signWith(`sha${scheme.slice(-3)}`, message, signing)),
  };
}
