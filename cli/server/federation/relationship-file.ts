/**
 * Federations as SPIRE's `-data` files carry them. Members are read as those of entries: by names without case,
 * unknown ones are told of, wrong ones refused.
 */
import type { BundleInput } from '../../../proto/gen/spire/api/types/Bundle.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { quote } from '../../output/go-quote.ts'
import { attempting } from '../../rpc/endpoint.ts'
import type { Terminal } from '../../terminal.ts'
import { readBundle } from '../bundle/read-bundle.ts'
import { readInputFile } from '../input-file.ts'
import { parseJson } from '../json-file.ts'
import { listOf, membersOf, textOf } from '../json-members.ts'
import { type Described, type Requested, toRelationship } from './relationship.ts'

/** @throws IdentityError in the words of SPIRE */
export async function relationshipsOfFile(
  path: string,
  terminal: Terminal,
): Promise<readonly Requested[]> {
  const content = await readInputFile(path, terminal)
  const unknown: string[] = []
  const described = await attempting(
    'failed to parse JSON',
    (async () => parseRelationshipFile(parseJson(content, path), unknown))(),
  )
  for (const place of unknown) {
    terminal.complain(`Warning: ${place} is no member of a federation relationship, ignored\n`)
  }
  const relationships: Requested[] = []
  for (const [index, one] of described.entries()) {
    relationships.push(await attempting(`could not parse item ${index}`, toRelationship(one)))
  }
  return relationships
}

const MEMBERS = [
  'trustDomain',
  'bundleEndpointURL',
  'bundleEndpointProfile',
  'endpointSPIFFEID',
  'trustDomainBundle',
  'trustDomainBundleFormat',
] as const
const NAMES = MEMBERS.map((name) => name.toLowerCase())

/** @param unknown is given the places of members that mean nothing */
export function parseRelationshipFile(document: unknown, unknown: string[]): readonly Described[] {
  const root = membersOf(document, '', ['federationrelationships'], unknown)
  const items = root.get('federationrelationships')
  return listOf(items, 'federationRelationships', (value, place) => {
    const members = membersOf(value, place, NAMES, unknown)
    const at = (name: (typeof MEMBERS)[number]) =>
      textOf(members.get(name.toLowerCase()), `${place}.${name}`)
    const trustDomain = at('trustDomain')
    const format = at('trustDomainBundleFormat')
    const bundle = members.get('trustdomainbundle')
    return {
      trustDomain,
      url: at('bundleEndpointURL'),
      profile: at('bundleEndpointProfile'),
      endpointId: at('endpointSPIFFEID'),
      readBundle: () =>
        attempting(
          'cannot parse bundle raw message',
          (async () => bundleOfMember(bundle, format, trustDomain))(),
        ),
    }
  })
}

/** PEM stands there as text, a SPIFFE bundle as the document itself. */
function bundleOfMember(
  value: unknown,
  format: string,
  trustDomain: string,
): BundleInput | undefined {
  if (value === undefined || value === null) return undefined
  switch (format) {
    case 'pem':
      return readBundle(textOf(value, 'the PEM of a bundle'), format, trustDomain)
    case 'spiffe':
      return readBundle(JSON.stringify(value), format, trustDomain)
    default:
      throw new IdentityError('REQUEST_INVALID', `bundle format ${quote(format)} is unsupported`)
  }
}
