/** X.509 and JWT authorities that are prepared and activated. What was acknowledged is in its slot, and in the bundle. */
import type { Bundle } from '../../proto/gen/spire/api/types/Bundle.ts'
import { type Admin, ask, call, deadline, outcomeOf } from './clients.ts'
import { ANY_CONTENT, createRecord } from './record.ts'
import type { Up, WriteStream } from './stream.ts'

interface Id {
  readonly authority_id: string
}
interface Slots {
  readonly active: Id | null
  readonly prepared: Id | null
}

type Ask = <Reply>(
  method: 'State' | 'Prepare' | 'Activate',
  id?: string,
) => ReturnType<typeof ask<Reply>>

const askX509 = ({ authority }: Admin): Ask =>
  function askX509Authority<Reply>(method: Parameters<Ask>[0], id = '') {
    // Cast: the three replies have their own types, and the caller says which it wants.
    return ask<Reply>((done) => {
      const reply = done as unknown as (error: unknown, reply?: unknown) => void
      if (method === 'State') return authority.GetX509AuthorityState({}, deadline(), reply)
      if (method === 'Prepare') return authority.PrepareX509Authority({}, deadline(), reply)
      return authority.ActivateX509Authority({ authority_id: id }, deadline(), reply)
    })
  }

const askJwt = ({ authority }: Admin): Ask =>
  function askJwtAuthority<Reply>(method: Parameters<Ask>[0], id = '') {
    // Cast: as above.
    return ask<Reply>((done) => {
      const reply = done as unknown as (error: unknown, reply?: unknown) => void
      if (method === 'State') return authority.GetJWTAuthorityState({}, deadline(), reply)
      if (method === 'Prepare') return authority.PrepareJWTAuthority({}, deadline(), reply)
      return authority.ActivateJWTAuthority({ authority_id: id }, deadline(), reply)
    })
  }

export const readBundle = (admin: Admin): Promise<Bundle> =>
  call<Bundle>((done) => admin.bundle.GetBundle({}, deadline(), done))

/** The authorities of one kind, as texts that tell them apart. */
function authoritiesOf(kind: 'x509' | 'jwt', bundle: Bundle): readonly string[] {
  return kind === 'x509'
    ? bundle.x509_authorities.map(({ asn1 }) => asn1.toString('base64'))
    : bundle.jwt_authorities.map(({ key_id: id }) => id)
}

async function read<Reply>(asked: ReturnType<typeof ask<Reply>>): Promise<Reply> {
  const outcome = await asked
  if (outcome.kind === 'acknowledged') return outcome.reply
  throw new Error(`the authorities cannot be read: ${JSON.stringify(outcome)}`)
}

/**
 * @param isKnown whether the agent has written down this authority (DER as base64; a key ID): one that is activated before
 * its agents know it cuts them off, on any server, killed or not
 */
export function authorityStream(
  kind: 'x509' | 'jwt',
  isKnown: (authority: string) => boolean,
): WriteStream {
  const record = createRecord(`${kind} authority`)
  // Made by the server itself when it first started.
  record.attempt('active', ANY_CONTENT)
  const published = new Set<string>()
  const asking = kind === 'x509' ? askX509 : askJwt

  const prepare = async ({ admin, fault }: Up) => {
    const attempt = record.attempt('prepared', ANY_CONTENT)
    const outcome = await asking(admin)<{ prepared_authority: Id | null }>('Prepare')
    if (outcome.kind === 'unanswered') return false
    if (outcome.kind === 'refused') {
      attempt.refuse()
      fault(`a new ${kind} authority was refused: ${outcome.why}`)
      return true
    }
    attempt.acknowledge(outcome.reply.prepared_authority?.authority_id)
    const known = authoritiesOf(kind, await readBundle(admin).catch(() => EMPTY))
    for (const one of known) published.add(one)
    return true
  }
  const activate = async ({ admin, fault }: Up, id: string) => {
    const active = record.attempt('active', id)
    const prepared = record.attempt('prepared', undefined)
    const outcome = await asking(admin)('Activate', id)
    if (outcome.kind === 'unanswered') return false
    if (outcome.kind === 'refused') {
      active.refuse()
      prepared.refuse()
      fault(`the prepared ${kind} authority ${id} could not be activated: ${outcome.why}`)
      return true
    }
    active.acknowledge()
    prepared.acknowledge()
    return true
  }
  return {
    async step(up) {
      const id = record.sure('prepared')
      if (id === undefined) return await prepare(up)
      const now = await outcomeOf(readBundle(up.admin))
      if (now.kind !== 'acknowledged') return false
      return authoritiesOf(kind, now.reply).every(isKnown) ? await activate(up, id) : true
    },
    async check({ admin }) {
      const { active, prepared } = await read(asking(admin)<Slots>('State'))
      const found = Object.entries({ active, prepared }).flatMap(([slot, id]) =>
        id?.authority_id ? [[slot, id.authority_id] as const] : [],
      )
      const now = authoritiesOf(kind, await readBundle(admin))
      const lost = [...published].filter((one) => !now.includes(one))
      for (const one of now) published.add(one)
      return [
        ...record.judge(new Map(found)),
        ...lost.map((one) => `${kind} authority ${one.slice(0, 40)} is gone from the bundle`),
      ]
    },
    counts: () => record,
  }
}

const EMPTY = { x509_authorities: [], jwt_authorities: [] } as unknown as Bundle
