/**
 * The tables of Firmament, as a list of migrations that only grows: what was once released is never edited.
 *
 * - Moments are text of one form (`formats/instant.ts`), which sorts as it runs.
 */
export const MIGRATIONS: readonly (readonly string[])[] = [
  [
    `CREATE TABLE firmament_devices (
       product text NOT NULL,
       device_id text NOT NULL,
       name text NOT NULL,
       release text NOT NULL,
       firmware_version text NOT NULL,
       slot text NOT NULL,
       identity text,
       identity_expires text,
       code text,
       first_seen text NOT NULL,
       last_seen text NOT NULL,
       PRIMARY KEY (product, device_id)
     )`,
    'CREATE INDEX firmament_devices_seen ON firmament_devices (last_seen DESC)',
  ],
  [
    `CREATE TABLE firmament_proposals (
       product text NOT NULL,
       id text NOT NULL,
       stored text NOT NULL,
       PRIMARY KEY (product, id)
     )`,
    `CREATE TABLE firmament_proposal_tokens (
       product text NOT NULL,
       token_sha256 text NOT NULL,
       id text NOT NULL,
       PRIMARY KEY (product, token_sha256)
     )`,
  ],
];
