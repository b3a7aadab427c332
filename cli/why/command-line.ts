/** The command line that would help, ready for a shell. */
import type { Remedy } from '../../agent/explain/conclude.ts'
import type { Entry } from '../../proto/gen/spire/api/types/Entry.ts'
import { idText } from '../output/entry-text.ts'

type Flag = readonly [name: string, value: string]

/** @returns undefined when the entry to be changed is not at hand */
export function commandLine(
  remedy: Remedy,
  entries: ReadonlyMap<string, Entry>,
): string | undefined {
  switch (remedy.kind) {
    case 'create':
      return written('entry create', [
        ['-parentID', remedy.parentId],
        ['-spiffeID', remedy.id],
        ...remedy.selectors.map((one): Flag => ['-selector', one]),
      ])
    case 'prolong': {
      const entry = entries.get(remedy.entryId)
      return entry === undefined ? undefined : written('entry update', flagsOf(entry))
    }
    case 'evict':
      return written('agent evict', [['-spiffeID', remedy.agentId]])
    default:
      return remedy satisfies never
  }
}

/** All that makes the entry what it is, but for its end: an update replaces every field. */
function flagsOf(entry: Entry): readonly Flag[] {
  const { additional_attributes: more } = entry
  const each = (name: string, values: readonly string[]) =>
    values.map((value): Flag => [name, value])
  const ifSet = (name: string, value: string | number): readonly Flag[] =>
    value === '' || value === 0 ? [] : [[name, String(value)]]
  const ifTrue = (name: string, value: boolean | undefined): readonly Flag[] =>
    value === true ? [[name, '']] : []
  return [
    ['-entryID', entry.id],
    ['-parentID', idText(entry.parent_id)],
    ['-spiffeID', idText(entry.spiffe_id)],
    ...each(
      '-selector',
      entry.selectors.map(({ type, value }) => `${type}:${value}`),
    ),
    ...each('-federatesWith', entry.federates_with),
    ...each('-dns', entry.dns_names),
    ...ifSet('-x509SVIDTTL', entry.x509_svid_ttl),
    ...ifSet('-jwtSVIDTTL', entry.jwt_svid_ttl),
    ...ifSet('-hint', entry.hint),
    ...ifTrue('-admin', entry.admin),
    ...ifTrue('-downstream', entry.downstream),
    ...ifTrue('-storeSVID', entry.store_svid),
    ...ifTrue('-disableX509SVIDPrefetch', more?.disable_x509_svid_prefetch),
    ...ifTrue('-jwtSVIDIncludeJTI', more?.jwt_svid_include_jti),
  ]
}

function written(command: string, flags: readonly Flag[]): string {
  const words = flags.flatMap(([name, value]) => (value === '' ? [name] : [name, quoted(value)]))
  return ['steeple server', command, ...words].join(' ')
}

/** For a POSIX shell: what comes from elsewhere must stay one word and run nothing. */
function quoted(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
