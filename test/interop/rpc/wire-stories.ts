/** What no client library sends: bytes that are no message, fields that nobody knows, methods that are not there. */

import { cutShort, libraryWords } from './accepted.ts'
import { id } from './entry-requests.ts'
import { METHOD_NAMES, methodOf } from './methods.ts'
import type { Step } from './story.ts'

const bytes = (hex: string) => Buffer.from(hex, 'hex')
const entryRequest = methodOf('Entry/GetEntry').requestSerialize({ id: 'batch-4' })

/** Field 1 of wire type 7, which is none, and a varint without end. */
const NO_MESSAGES = ['0f', 'ffffffffffffffffffffff']
const unary = METHOD_NAMES.filter((name) => !methodOf(name).requestStream)
const get = (...parts: readonly Buffer[]): Step => ({
  call: 'Entry/GetEntry',
  with: Buffer.concat(parts),
})
const unknown = bytes('c23e0161')

const NOWHERE = [
  '/spire.api.server.entry.v1.Entry/Nonsense',
  '/spire.api.server.nonsense.v1.Nonsense/Get',
  '/nonsense',
  '/spire.api.agent.debug.v1.Debug/GetInfo',
  '/SpiffeWorkloadAPI/FetchX509SVID',
  '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
]

export const WIRE: readonly Step[] = [
  ...unary.map((call) => libraryWords({ call, with: bytes('0f') })),
  ...NO_MESSAGES.flatMap((hex) => [
    libraryWords({ as: 'nobody', call: 'Entry/GetEntry', with: bytes(hex) }),
    libraryWords({ as: 'nobody', call: 'Agent/AttestAgent', with: [bytes(hex)] }),
  ]),
  // A text of which two bytes are missing, and one that is not UTF-8.
  cutShort(get(bytes('0a0378'))),
  cutShort(get(bytes('0a02fffe'))),
  // A field 1000 that nobody knows, before and behind.
  get(unknown, entryRequest),
  get(entryRequest, unknown),
  // The last value of a field given twice counts.
  get(bytes('0a0178'), entryRequest),
  ...NOWHERE.flatMap((call) =>
    ['local', 'nobody', 'agent'].map((as) => libraryWords({ as, call, with: bytes('') })),
  ),
  libraryWords({ call: 'Entry/GetEntry', with: { id: 'x'.repeat(4 * 1024 * 1024) } }),
  libraryWords({
    call: 'Entry/ListEntries',
    with: { filter: { by_spiffe_id: id('/x'.repeat(3 * 1024 * 1024)) } },
  }),
]
