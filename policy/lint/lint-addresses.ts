/** Findings about addresses. */
import { parseIpAddress, parseIpBlock } from '../ip-block.ts'
import { type Finding, quoted } from './finding.ts'
import type { Linted } from './surroundings.ts'
import { fieldsOfPolicy, found, type WrittenField } from './written-field.ts'

const REMOTE_IP = 'remote.ip'
const ADDRESSES = ['source.ip', REMOTE_IP, 'destination.ip']

export function lintAddresses({ snapshot }: Linted): readonly Finding[] {
  const { trustedHops } = snapshot.mesh
  return snapshot.authorizationPolicies
    .flatMap(fieldsOfPolicy)
    .filter(({ attribute }) => ADDRESSES.includes(attribute))
    .flatMap((field) => [
      ...(field.attribute === REMOTE_IP && trustedHops === 0 ? [remoteWithoutHops(field)] : []),
      ...field.values.flatMap((value) => hostBits(field, value)),
    ])
}

function remoteWithoutHops(field: WrittenField): Finding {
  return found(
    field,
    'remote-ip-without-hops',
    'warning',
    'no hop in front is trusted, so X-Forwarded-For is not believed and this is the address of the direct peer',
    'set trusted_hops of the mesh to the number of proxies in front, or write ipBlocks',
  )
}

/** Bits behind the prefix are ignored: somebody who wrote one address gets all of its block. */
function hostBits(field: WrittenField, value: string): readonly Finding[] {
  const [address = '', bits] = value.split('/')
  const block = parseIpBlock(value)
  const written = parseIpAddress(address)
  if (bits === undefined || block === undefined || written === undefined) return []
  if (written.words.every((word, at) => word === block.words[at])) return []
  return [
    found(
      field,
      'address-host-bits',
      'info',
      `${quoted(value)} is the whole block of ${bits} bits around that address`,
      `write ${quoted(address)} for the address alone, or the block's own first address`,
    ),
  ]
}
