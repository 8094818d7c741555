/** Signers with keys in PEM, as securesystemslib and tuf-on-ci write them: ECDSA, RSA-PSS and ML-DSA. Each call makes another key. */
import { constants, createHash, generateKeyPairSync, sign as signWith } from 'node:crypto';
import { concatBytes, encodeUtf8 } from '../../../formats/bytes.ts';
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

export type MlDsaSize = '44' | '65' | '87';

/** What an ML-DSA key of TAP 21 signs for a message. */
export function mlDsaPayload(message: Uint8Array): Uint8Array {
  return concatBytes(encodeUtf8('tuf\u0001'), createHash('sha512').update(message).digest());
}

/** A signer of ML-DSA as TAP 21 has it. */
export function mlDsaSigner(size: MlDsaSize): Signer {
  const { publicKey, privateKey } = generateKeyPairSync(`ml-dsa-${size}`);
  const text = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const key = { keytype: 'ml-dsa', scheme: `ml-dsa-${size}/1`, public: text };
  return {
    key,
    keyid: keyIdOf(key),
    sign: (message) => Promise.resolve(signWith(undefined, mlDsaPayload(message), privateKey)),
  };
}
