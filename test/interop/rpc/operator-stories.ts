/** What operators do with the running server: authorities rotated by hand, the level of the log, its state and health. */
import type { Message } from './methods.ts'
import { differing, type Recall, type Step } from './story.ts'

const call = (kind: string, verb: string, request: Step['with'] = {}): Step => ({
  call: `LocalAuthority/${verb}${kind}Authority`,
  with: request,
})
const state = (kind: string): Step => ({
  call: `LocalAuthority/Get${kind}AuthorityState`,
  keep: Object.fromEntries(
    ['active', 'prepared', 'old'].map((role) => [
      `${kind}-${role}`,
      (reply: Message) => (reply[role] as Message | null)?.authority_id,
    ]),
  ),
})
const on = (kind: string, verb: string, role: string): Step =>
  call(kind, verb, (recall: Recall) => ({ authority_id: recall(`${kind}-${role}`) }))
const WRONG_AUTHORITIES = [
  {},
  { authority_id: '' },
  { authority_id: 'nobody' },
  { authority_id: 'AB'.repeat(20) },
]

/** The whole life of an authority, and each step where it is not due. */
const rotation = (kind: 'X509' | 'JWT'): readonly Step[] => [
  state(kind),
  ...['Activate', 'Taint', 'Revoke'].flatMap((verb) => [
    ...WRONG_AUTHORITIES.map((wrong) => call(kind, verb, wrong)),
    on(kind, verb, 'active'),
  ]),
  call(kind, 'Prepare'),
  state(kind),
  on(kind, 'Taint', 'prepared'),
  on(kind, 'Revoke', 'prepared'),
  on(kind, 'Activate', 'prepared'),
  on(kind, 'Activate', 'prepared'),
  state(kind),
  ...['Activate', 'Taint', 'Revoke'].map((verb) => on(kind, verb, 'active')),
  on(kind, 'Activate', 'old'),
  on(kind, 'Revoke', 'old'),
  on(kind, 'Taint', 'old'),
  on(kind, 'Taint', 'old'),
  state(kind),
  {
    call: 'Bundle/GetBundle',
    with: { output_mask: { x509_authorities: true, jwt_authorities: true } },
  },
  on(kind, 'Revoke', 'old'),
  on(kind, 'Revoke', 'old'),
  on(kind, 'Taint', 'old'),
  differing(
    state(kind),
    ['replies.0.old'],
    'what is revoked is no authority any more; SPIRE shows it until the next is prepared',
  ),
  call(kind, 'Prepare'),
  call(kind, 'Prepare'),
  state(kind),
]

const WIT = ['Prepare', 'Activate', 'Taint', 'Revoke'].flatMap((verb) => [
  call('WIT', verb),
  call('WIT', verb, { authority_id: 'x' }),
])
const UPSTREAM = ['Taint', 'Revoke'].flatMap((verb) =>
  [{}, { subject_key_id: 'x' }].map(
    (request): Step => ({ call: `LocalAuthority/${verb}X509UpstreamAuthority`, with: request }),
  ),
)

export const AUTHORITIES: readonly Step[] = [
  ...rotation('X509'),
  ...rotation('JWT'),
  { call: 'LocalAuthority/GetWITAuthorityState' },
  ...WIT,
  ...UPSTREAM,
]

const level = (new_level: string | number): Step => ({
  call: 'Logger/SetLogLevel',
  with: { new_level },
})

export const RUNNING_SERVER: readonly Step[] = [
  { call: 'Logger/GetLogger' },
  { call: 'Logger/SetLogLevel' },
  ...[
    'UNSPECIFIED',
    'PANIC',
    'FATAL',
    'ERROR',
    'WARN',
    'INFO',
    'DEBUG',
    'TRACE',
    8,
    99,
    -1,
  ].flatMap((one): readonly Step[] => [level(one), { call: 'Logger/GetLogger' }]),
  { call: 'Logger/ResetLogLevel' },
  { call: 'Logger/GetLogger' },
  { call: 'Health/Check' },
  { call: 'Health/Check', with: { service: 'nonsense' } },
  { call: 'Health/Check', with: { service: 'spire.api.server.entry.v1.Entry' } },
  // SPIRE keeps its answer for some seconds: the first one came before there were more agents.
  { call: 'Debug/GetInfo', until: ({ replies }) => Number(replies[0]?.agents_count) > 1 },
]
