/** The flags by which a federation is described, or the file that describes several: never both. */
import { IdentityError } from '../../../spiffe/error.ts'
import type { FlagValues } from '../../flag/flag.ts'
import { choice, path, text } from '../../flag/kinds.ts'
import { attempting } from '../../rpc/endpoint.ts'
import type { Terminal } from '../../terminal.ts'
import { readBundle } from '../bundle/read-bundle.ts'
import { operatorFlags } from '../flags.ts'
import { readInputFile } from '../input-file.ts'
import { type Requested, toRelationship } from './relationship.ts'
import { relationshipsOfFile } from './relationship-file.ts'

const PEM = 'pem'

export const relationshipFlags = {
  ...operatorFlags,
  trustDomain: text('trust domain to federate with, e.g. partner.org'),
  bundleEndpointURL: text('where its bundle is fetched: an https URL'),
  bundleEndpointProfile: choice('how that place proves itself', ['https_web', 'https_spiffe']),
  endpointSpiffeID: text('SPIFFE ID of that place, for https_spiffe'),
  trustDomainBundlePath: path('file with the bundle to begin with'),
  trustDomainBundleFormat: choice('form of that file', ['pem', 'spiffe'], PEM),
  data: path('file with {"federationRelationships": [...]}, or - for standard input'),
}

/** @throws IdentityError in the words of SPIRE */
export async function relationshipsOfFlags(
  flags: FlagValues<typeof relationshipFlags>,
  terminal: Terminal,
): Promise<readonly Requested[]> {
  if (flags.data !== '') {
    if (describesOne(flags)) {
      throw new IdentityError(
        'REQUEST_INVALID',
        "cannot use other flags to specify relationship fields when 'data' flag is set",
      )
    }
    return await relationshipsOfFile(flags.data, terminal)
  }
  const relationship = await toRelationship({
    trustDomain: flags.trustDomain,
    url: flags.bundleEndpointURL,
    profile: flags.bundleEndpointProfile,
    endpointId: flags.endpointSpiffeID,
    readBundle: () => bundleOfFlags(flags, terminal),
  })
  return [relationship]
}

function describesOne(flags: FlagValues<typeof relationshipFlags>): boolean {
  const { trustDomain, bundleEndpointURL, bundleEndpointProfile, endpointSpiffeID } = flags
  const given = [trustDomain, bundleEndpointURL, bundleEndpointProfile, endpointSpiffeID]
  return (
    given.some((value) => value !== '') ||
    flags.trustDomainBundlePath !== '' ||
    flags.trustDomainBundleFormat !== PEM
  )
}

async function bundleOfFlags(
  {
    trustDomain,
    trustDomainBundlePath: path,
    trustDomainBundleFormat: format,
  }: FlagValues<typeof relationshipFlags>,
  terminal: Terminal,
) {
  if (path === '') return undefined
  const content = await attempting('cannot read bundle file', readInputFile(path, terminal))
  return await attempting(
    'cannot parse bundle file',
    // As SPIRE: whatever is not pem is read as a SPIFFE bundle.
    (async () => readBundle(content, format === PEM ? format : 'spiffe', trustDomain))(),
  )
}
