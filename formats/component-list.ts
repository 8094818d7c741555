/**
 * The components of a release as a workflow lists them: what they are, and the paths of their files.
 *
 * - It becomes a proposal once every file was read; the last part of each path is the file's name there.
 * - Unknown members are refused. Specified in `docs/formats/proposal.md`.
 */
import { decodeJson, integer, list, object, text, type Decoder } from './decode.ts';
import { firmwareVersionDecoder, nameDecoder } from './names.ts';
import { PROPOSAL_BYTES_MAX, STATEMENTS_MAX } from './proposal.ts';
import { COMPONENTS_MAX, installerDecoder, type Installer } from './release.ts';
import { reject, type Verdict } from './verdict.ts';

/** A component whose image and statements are paths of files. */
export type ListedComponent = {
  readonly component: string;
  readonly firmwareVersion: string;
  readonly securityCounter: number;
  readonly hardwareIds: readonly string[];
  readonly installer: Installer;
  readonly image: string;
  readonly statements: readonly string[];
};

const HARDWARE_IDS_MAX = 32;
const pathDecoder: Decoder<string> = text(1_024, /[^\p{Cc}]+/u);

const listedDecoder: Decoder<ListedComponent> = object('refused', {
  component: nameDecoder,
  firmwareVersion: firmwareVersionDecoder,
  securityCounter: integer(0),
  hardwareIds: list(nameDecoder, HARDWARE_IDS_MAX, 1),
  installer: installerDecoder,
  image: pathDecoder,
  statements: list(pathDecoder, STATEMENTS_MAX),
});

/** Parses the list of a workflow. @returns it, or `PROPOSAL_MALFORMED` with the place of the fault. Never throws. */
export function parseComponentList(bytes: Uint8Array): Verdict<readonly ListedComponent[], 'PROPOSAL_MALFORMED'> {
  const components = decodeJson(bytes, PROPOSAL_BYTES_MAX, list(listedDecoder, COMPONENTS_MAX, 1));
  return components.ok ? components : reject('PROPOSAL_MALFORMED', `${components.code}: ${components.detail}`);
}
