/**
 * Names of published objects, as consistent snapshots lay them out (TUF specification 1.0.34, section 6.2).
 *
 * - `PRODUCT/metadata/VERSION.ROLE.json`, `PRODUCT/metadata/timestamp.json`, `PRODUCT/targets/RELEASE/COMPONENT/SHA256.FILE`.
 * - The parts have passed the allow-lists of `formats/names.ts` before they come here.
 */
import { hashedTargetPath, LOG_FOLDER, logProofPath, nameDecoder, parseTargetName } from '../formats/names.ts';

/** Where uploads lie, beside the products. */
const UPLOADS = 'incoming';

/** The product that the object `name` is of; undefined for what is of none, uploads above all. */
export function productOfObject(name: string): string | undefined {
  const product = nameDecoder(name.slice(0, Math.max(0, name.indexOf('/'))));
  return product.ok && product.value !== UPLOADS ? product.value : undefined;
}

/** The object of version `version` of a role. */
export function roleObject(product: string, role: string, version: number): string {
  return `${product}/metadata/${version}.${role}.json`;
}

/** The one object that is replaced. */
export function timestampObject(product: string): string {
  return `${product}/metadata/timestamp.json`;
}

/** A file of the product's log, by its name relative to the log. */
export function logObject(product: string, name: string): string {
  return `${product}/${LOG_FOLDER}/${name}`;
}

/** The proof of an entry. @param leaf the hash of its leaf, in hex. */
export function logProofObject(product: string, leaf: string): string {
  return `${product}/${logProofPath(leaf)}`;
}

/** The object of a target, or undefined if its name is not of our form. */
export function targetObject(
  product: string,
  target: { readonly name: string; readonly sha256: string },
): string | undefined {
  return parseTargetName(target.name) && `${product}/${hashedTargetPath(target)}`;
}
