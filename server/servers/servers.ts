/**
 * The servers of the trust domain as one of them sees them: who there is, how far their authorities have come, and steps of
 * a guided rotation at any of them. What no server may still sign with is tainted and revoked from here, whoever made it.
 */
import type { Bundle } from '../../spiffe/bundle.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { ServerRegistry } from '../store/server-registry.ts'
import { askServers } from './ask-servers.ts'
import { authoritiesOf, type CarryOutDeps, carryOut, standingHere } from './carry-out.ts'
import type { Followers } from './followers.ts'
import { mayBeRetired } from './may-be-retired.ts'
import { idsToAsk, type ListedServer, listServer, type Overview, overviewOf } from './overview.ts'
import { decodeDone, decodeStanding, type Question, type StandingAnswer } from './question.ts'
import type { ServerDocument } from './server-document.ts'
import { placeIn, type RotatedKind } from './tell-standing.ts'

export interface TrustDomainServers {
  /** The key of this server. */
  readonly here: string
  list(): Promise<readonly ListedServer[]>
  overview(kind: RotatedKind): Promise<Overview & Followers>
  /**
   * A step at one server.
   * @returns the authority it was done to
   * @throws IdentityError UNAVAILABLE when the server does not answer; whatever it refuses
   */
  askFor(serverKey: string, question: RotationQuestion): Promise<string>
  /**
   * Taints or revokes an authority of any server that does not sign with it.
   * @param leftOut keys of servers that are gone for good, by the operator's word
   * @throws IdentityError PRECONDITION_FAILED when some server may sign with it
   */
  retire(
    step: 'taint' | 'revoke',
    kind: RotatedKind,
    id: string,
    leftOut: readonly string[],
  ): Promise<void>
  /** Forgets a server that is gone. @throws IdentityError NOT_FOUND, PRECONDITION_FAILED while it lives or is trusted */
  forget(serverKey: string): Promise<void>
  /** Forgets every server that is not there and of which nothing is in the bundle any more. @returns their keys */
  forgetSpent(): Promise<readonly string[]>
}

export type RotationQuestion = Exclude<Question, { readonly ask: 'standing' }>

export interface ServersDeps extends Omit<CarryOutDeps, 'followers'> {
  /** Undefined: there is one server. */
  readonly registry: ServerRegistry | undefined
  readonly here: string
  /** What this server says of itself. */
  document(): ServerDocument
  readonly bundle: { current(): Bundle; refresh(): Promise<void> }
  readonly hasUpstream: boolean
  allFollowers(): Promise<Followers>
  readonly clock: Clock
}

/** For how long a server must have been away before it is forgotten unasked: no restart takes a day. */
const SPENT_MS = 24 * 60 * 60 * 1_000

export function trustDomainServers(deps: ServersDeps): TrustDomainServers {
  const { registry, here } = deps
  const list = async () => {
    const self: ListedServer = { key: here, state: 'here', seenMsAgo: 0, document: deps.document() }
    const rows = (await registry?.list()) ?? []
    const others = rows.filter(({ key }) => key !== here).map((row) => listServer(row, here))
    return [self, ...others]
  }
  const overview = (kind: RotatedKind) => lookAtAll(kind, deps, list)
  return {
    here,
    list,
    overview,
    async askFor(serverKey, question) {
      const followers = async () => []
      if (serverKey === here) return doneIn(await carryOut(question, { ...deps, followers }))
      const known = (await list()).find(({ key }) => key === serverKey)
      if (registry === undefined || known === undefined) throw unknownServer(serverKey)
      const answer = (await askServers({ ...deps, registry }, [serverKey], question)).get(serverKey)
      if (answer !== undefined) return decodeDone(answer).authorityId
      throw new IdentityError('UNAVAILABLE', `server ${serverKey} does not answer; is it running?`)
    },
    async retire(step, kind, id, leftOut) {
      if (kind === 'x509' && deps.hasUpstream) throw belowUpstream()
      const authorities = authoritiesOf(kind, deps)
      const whose = mayBeRetired(id, await overview(kind), leftOut)
      const isOwn = whose === 'here'
      if (step === 'taint') await (isOwn ? authorities.taint(id) : authorities.taintOther(id))
      else await (isOwn ? authorities.revoke(id) : authorities.revokeOther(id))
    },
    async forget(serverKey) {
      const rows = (await registry?.list()) ?? []
      const row = rows.find(({ key }) => key === serverKey)
      if (serverKey === here) throw refusal(`server ${serverKey} is this one, and lives`)
      if (row === undefined || registry === undefined) throw unknownServer(serverKey)
      await deps.bundle.refresh()
      mustBeGone(listServer(row, here), deps)
      if (await registry.forget(serverKey, row.incarnation)) return
      throw refusal(`server ${serverKey} has come back`)
    },
    async forgetSpent() {
      await deps.bundle.refresh()
      const forgotten: string[] = []
      for (const row of (await registry?.list()) ?? []) {
        if (row.key === here || !isSpent(listServer(row, here), deps)) continue
        if (await registry?.forget(row.key, row.incarnation)) forgotten.push(row.key)
      }
      return forgotten
    },
  }
}

async function lookAtAll(
  kind: RotatedKind,
  deps: ServersDeps,
  list: () => Promise<readonly ListedServer[]>,
): Promise<Overview & Followers> {
  const { registry, here, bundle, clock } = deps
  await bundle.refresh()
  const servers = await list()
  const asked = idsToAsk(kind, bundle.current(), servers)
  const followed = await deps.allFollowers()
  const { followers } = followed
  const living = servers.flatMap(({ key, state }) => (state === 'living' ? [key] : []))
  const question: Question = { ask: 'standing', kind, ids: [...asked] }
  const [own, texts] = await Promise.all([
    standingHere(kind, asked, { ...deps, followers: async () => followers }),
    registry === undefined ? new Map() : askServers({ ...deps, registry }, living, question),
  ])
  const answers = new Map<string, StandingAnswer>([[here, own]])
  for (const [key, text] of texts) {
    // Whose answer says nothing counts as one that did not answer.
    const answer = readable(text)
    if (answer !== undefined) answers.set(key, answer)
  }
  const now = clock.now()
  const current = bundle.current()
  return {
    ...overviewOf({ kind, servers, answers, asked, bundle: current, followers, now }),
    ...followed,
  }
}

function readable(text: string): StandingAnswer | undefined {
  try {
    return decodeStanding(text)
  } catch (error) {
    if (error instanceof IdentityError) return undefined
    throw error
  }
}

/** One that just went may come back for its journal: what it had must have been known, and be gone. */
function isSpent(server: ListedServer, deps: ServersDeps): boolean {
  const { document } = server
  const had = [document?.x509.active, document?.jwt.active].some((id) => id !== undefined)
  if (!had || server.seenMsAgo < SPENT_MS) return false
  try {
    mustBeGone(server, deps)
    return true
  } catch (error) {
    if (error instanceof IdentityError) return false
    throw error
  }
}

/** Fails closed: what is trusted might be signed with by whoever has its keys. */
function mustBeGone({ key, state, document }: ListedServer, deps: ServersDeps): void {
  if (state === 'living') throw refusal(`server ${key} lives; stop it first`)
  if (document === undefined) {
    throw refusal(
      `what server ${key} signs with cannot be read; was it of a newer version? forget it with one that can`,
    )
  }
  const kinds = deps.hasUpstream ? (['jwt'] as const) : (['x509', 'jwt'] as const)
  const bundle = deps.bundle.current()
  for (const kind of kinds) {
    const slots = Object.values(document[kind])
    const id = slots.find((one) => one !== undefined && placeIn(bundle, kind, one) !== 'absent')
    if (id === undefined) continue
    const command = `steeple authority rotate ${kind} -authorityID ${id} -without ${key} -yes`
    throw refusal(`authority ${id} of server ${key} is in the bundle; take it out with: ${command}`)
  }
}

function doneIn(answer: object): string {
  if ('authorityId' in answer && typeof answer.authorityId === 'string') return answer.authorityId
  throw new Error('a step was answered with something else')
}

function refusal(message: string): IdentityError {
  return new IdentityError('PRECONDITION_FAILED', message)
}

function unknownServer(key: string): IdentityError {
  return new IdentityError(
    'NOT_FOUND',
    `there is no server ${key}; steeple servers list shows them`,
  )
}

function belowUpstream(): IdentityError {
  return refusal('the root is that of the upstream authority; taint and revoke it there')
}
