/** What a backup holds, and what whoever restores it must know, for people. */
import { X509Certificate } from 'node:crypto'
import type { VerifiedBackup } from '../../../server/backup/verify-backup.ts'
import type { Bundle } from '../../../spiffe/bundle.ts'
import { authorityIdOf } from '../../../spiffe/x509/key-id.ts'
import { formatUtc } from '../../output/go-time.ts'

export function backupText(backup: VerifiedBackup): string {
  const { manifest, counts, sha256, bundle, otherServers } = backup
  const lines = [
    `Backup of ${manifest.trustDomain}, made at ${formatUtc(manifest.createdAt)}`,
    `Digest: ${sha256}`,
    `Entries: ${counts.entries}`,
    `Agents: ${counts.nodes}`,
    `Bundles: ${counts.bundles}`,
    `Federation relationships: ${counts.federation_relationships}`,
    `CA keys: ${keysText(backup)}`,
    ...(otherServers.length === 0
      ? []
      : [`Other servers, whose keys are not in it: ${otherServers.join(', ')}`]),
    ...(bundle === undefined ? ['Bundle: none yet'] : bundleLines(bundle)),
  ]
  return lines.map((line) => `${line}\n`).join('')
}

function keysText({ keys, journal }: VerifiedBackup): string {
  if (keys === undefined) return 'none; the server that made it kept them in memory'
  if (journal?.x509.active === undefined) return `${keys.size}, of no active authority`
  return `${keys.size}; ${journal.x509.active.id} signs X.509-SVIDs`
}

function bundleLines({ x509Authorities, jwtAuthorities, sequenceNumber }: Bundle): string[] {
  const tainted = (is: boolean) => (is ? ', tainted' : '')
  return [
    `Bundle, at sequence number ${sequenceNumber}:`,
    ...x509Authorities.map(({ der, tainted: is }) => {
      const until = formatUtc(new Date(new X509Certificate(der).validTo))
      return `  X.509 authority ${authorityIdOf(der)}, until ${until}${tainted(is)}`
    }),
    ...jwtAuthorities.map(({ keyId, expiresAt, tainted: is }) => {
      const until = expiresAt === undefined ? '' : `, until ${formatUtc(expiresAt)}`
      return `  JWT authority ${keyId}${until}${tainted(is)}`
    }),
  ]
}

/** What a restore takes back without anybody having said so. */
export function staleText(
  { manifest, bundle }: VerifiedBackup,
  present: Bundle | undefined,
): string {
  const at = formatUtc(manifest.createdAt)
  const back = returningIds(bundle, present)
  const known =
    back.length === 0
      ? ''
      : `Warning: these authorities are not in the present bundle and come back: ${back.join(', ')}\n`
  return `${known}Warning: what was done after ${at} is not known to the backup. An authority that was revoked, an agent that was banned or evicted, and an entry that was deleted since then is there again: compare the bundle above, and repeat it.\n`
}

function returningIds(restored: Bundle | undefined, present: Bundle | undefined): string[] {
  if (restored === undefined || present === undefined) return []
  const idsOf = ({ x509Authorities, jwtAuthorities }: Bundle) => [
    ...x509Authorities.map(({ der }) => authorityIdOf(der)),
    ...jwtAuthorities.map(({ keyId }) => keyId),
  ]
  const now = new Set(idsOf(present))
  return idsOf(restored).filter((id) => !now.has(id))
}
