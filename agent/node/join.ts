/**
 * How the agent gets its SVID at start: from its data directory if the last run left a usable one, else by node
 * attestation. A refusal that no retry can change ends it at once; everything else is tried again for a minute.
 */
import type { KeyObject } from 'node:crypto'
import type { Log } from '../../log/open-log.ts'
import { type Bundle, emptyBundle } from '../../spiffe/bundle.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { type ErrorCode, IdentityError, reasonOf } from '../../spiffe/error.ts'
import type { TrustDomain } from '../../spiffe/id.ts'
import { generateKey } from '../../spiffe/key.ts'
import type { Random } from '../../spiffe/random.ts'
import { parseCertificate } from '../../spiffe/x509/certificate.ts'
import { createBackoff } from '../backoff.ts'
import { failureFields } from '../failure-fields.ts'
import { findKey, type KeyStore, otherKeyId } from '../keys/key-store.ts'
import { type AgentSvid, agentSvid } from './agent-svid.ts'
import { type Attested, attestNode } from './attest.ts'
import type { NodeAttestor } from './node-attestor.ts'
import { nextAttempt, type RebootstrapPolicy, rebootstrapStep } from './rebootstrap.ts'
import { connectServer, type ServerAddress } from './server-connection.ts'
import { isUnknownServer, type ServerTrust } from './server-credentials.ts'
import type { NodeState, TrustBegins } from './state.ts'

export interface JoinDeps {
  readonly server: ServerAddress
  readonly trustDomain: TrustDomain
  readonly attestor: NodeAttestor
  readonly keys: KeyStore
  readonly state: NodeState
  readonly rebootstrap: RebootstrapPolicy
  /** Asked at every attempt: the file may have been put right meanwhile. */
  bootstrapTrust(begins: TrustBegins): Promise<ServerTrust>
  /** Keeps on disk how far the way to the server's trust is. */
  noteTrust(begins: TrustBegins): Promise<void>
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Around each attestation, for whoever counts and times them. */
  measureAttestation?<T>(attestation: () => Promise<T>): Promise<T>
}

/** SPIRE's: the first pause, and for how long attempts are begun. */
const FIRST_PAUSE_MS = 5_000
const MAX_PAUSE_MS = 20_000
const PATIENCE_MS = 60_000
/** That answer, and say that they cannot, before the pause. */
const MAX_SERVERS_PER_ATTEMPT = 3
/** Whoever may trust anew has a delay to wait for, and a bundle that may be put right. */
const REBOOTSTRAP_PATIENCE_MS = 24 * 3_600_000

/** Answers that stay the same however often the same question is put. */
const FINAL: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'CONFIG_INVALID',
  'REQUEST_INVALID',
  'PRECONDITION_FAILED',
  'NOT_AUTHORIZED',
  'NOT_IMPLEMENTED',
  'AGENT_BANNED',
])

/** @throws IdentityError saying what was tried, what came of it, and what to do */
export async function joinTrustDomain(deps: JoinDeps, signal: AbortSignal): Promise<Attested> {
  const restored = restore(deps)
  if (restored !== undefined) return restored
  const { keys, clock, log } = deps
  const keyId = otherKeyId(undefined)
  const key = await generateKey('ec-p256')
  await keys.put(keyId, key)
  const backoff = createBackoff({
    initialMs: FIRST_PAUSE_MS,
    capMs: MAX_PAUSE_MS,
    random: deps.random,
  })
  const patienceMs = deps.rebootstrap.mode === 'never' ? PATIENCE_MS : REBOOTSTRAP_PATIENCE_MS
  const giveUpAt = clock.now().getTime() + patienceMs
  const progress: Progress = { begins: deps.state.trustBegins }
  for (;;) {
    try {
      const attested = await attestOnce(deps, progress, key, signal)
      const { id, reattestable } = attested.svid
      log.info({ spiffe_id: id, reattestable }, 'Node attestation was successful')
      return attested
    } catch (error) {
      signal.throwIfAborted()
      const pauseMs = backoff.next()
      const isOver = clock.now().getTime() + pauseMs > giveUpAt
      if (isOver || (error instanceof IdentityError && FINAL.has(error.code)))
        throw failed(error, deps.attestor)
      log.warn(
        { ...failureFields(error), retry_ms: Math.round(pauseMs) },
        'Node attestation failed; it will be tried again',
      )
      await clock.sleep(pauseMs, signal)
      signal.throwIfAborted()
    }
  }
}

/** The stored SVID, if it is still good for something. */
function restore({ state, keys, trustDomain, clock, log }: JoinDeps): Attested | undefined {
  const [leaf] = state.svidChain
  if (leaf === undefined || state.authorities.length === 0) return undefined
  const found = findKey(keys, parseCertificate(leaf).spki)
  if (found === undefined) {
    const why = keys.persistent ? 'keys.json does not hold its key' : 'its key was kept in memory'
    log.info({ why }, 'The stored agent SVID cannot be used; the node will be attested again')
    return undefined
  }
  const svid = storedSvid(state, found.key, trustDomain)
  if (svid.expiresAt <= clock.now()) {
    const fields = { spiffe_id: svid.id, expired_at: svid.expiresAt }
    log.warn(fields, 'The stored agent SVID has expired; the node will be attested again')
    return undefined
  }
  log.info({ spiffe_id: svid.id, expires_at: svid.expiresAt }, 'Agent SVID loaded')
  return { svid, bundle: storedBundle(state, trustDomain), isNew: false }
}

function storedSvid(state: NodeState, key: KeyObject, trustDomain: TrustDomain): AgentSvid {
  const { svidChain: chain, reattestable } = state
  try {
    return agentSvid({ chain, key, reattestable, trustDomain })
  } catch (error) {
    const why = `agent-data.json in data_dir cannot be used: ${reasonOf(error)}; give this agent a data_dir of its own`
    throw new IdentityError('CONFIG_INVALID', why, { cause: error })
  }
}

function storedBundle({ authorities }: NodeState, trustDomain: TrustDomain): Bundle {
  const x509Authorities = authorities.map((der) => ({ der, tainted: false }))
  return { ...emptyBundle(trustDomain), x509Authorities }
}

interface Progress {
  begins: TrustBegins | undefined
}

/** By the bundle of the last run, and by the configured one only when there is no other, or it is time to trust anew. */
async function attestOnce(
  deps: JoinDeps,
  progress: Progress,
  key: KeyObject,
  signal: AbortSignal,
): Promise<Attested> {
  const { state, trustDomain, clock, log } = deps
  const isKnown = state.authorities.length > 0
  if (isKnown) {
    const bundle = storedBundle(state, trustDomain)
    try {
      return await attestOver(deps, { kind: 'bundle', bundle: () => bundle }, key, signal)
    } catch (error) {
      if (!isUnknownServer(error) || !(await mayBeginAnew(deps, progress))) throw error
      log.warn(
        failureFields(error),
        'The stored bundle does not vouch for the server; rebootstrapping',
      )
    }
  }
  const begins = nextAttempt(progress.begins, isKnown ? 'rebootstrap' : 'bootstrap', clock.now())
  progress.begins = begins
  await deps.noteTrust(begins)
  const trust = await deps.bootstrapTrust(begins)
  if (trust.kind === 'insecure') {
    log.warn(
      'INSECURE BOOTSTRAP: the server is not verified. Whoever answers at server_address will be believed from now on. Use trust_bundle_path or trust_bundle_url in production',
    )
  }
  return await attestOver(deps, trust, key, signal)
}

/** Fails closed: without the operator's word, and before its time, the stored bundle is the only one. */
async function mayBeginAnew(deps: JoinDeps, progress: Progress): Promise<boolean> {
  const now = deps.clock.now()
  const begins = progress.begins ?? { mode: 'rebootstrap', since: now, attempts: 0 }
  const step = rebootstrapStep(deps.rebootstrap, begins.since, now)
  if (step.kind === 'never') return false
  if (progress.begins === undefined) await deps.noteTrust(begins)
  progress.begins = begins
  if (step.kind === 'begin') return true
  const fields = { time_left_ms: step.leftMs }
  deps.log.info(fields, 'The stored bundle does not vouch for the server; waiting to rebootstrap')
  return false
}

async function attestOver(
  deps: JoinDeps,
  trust: ServerTrust,
  key: KeyObject,
  signal: AbortSignal,
): Promise<Attested> {
  const { server, trustDomain, attestor, clock, random } = deps
  using connection = connectServer({ ...server, trustDomain, trust, clock, random })
  for (let tried = 1; ; tried++) {
    const lease = connection.lease()
    try {
      const attest = () => attestNode({ lease, attestor, key, trustDomain, clock, signal })
      const { measureAttestation } = deps
      return await (measureAttestation === undefined ? attest() : measureAttestation(attest))
    } catch (error) {
      const explained = connection.explain(error)
      const mayGoOn = tried < MAX_SERVERS_PER_ATTEMPT && connection.hasOthers() && !signal.aborted
      if (!mayGoOn || !connection.leave(lease, error)) throw explained
      deps.log.warn(failureFields(explained), 'Node attestation failed; another server is asked')
    }
  }
}

function failed(error: unknown, attestor: NodeAttestor): unknown {
  if (!(error instanceof IdentityError)) return error
  const advice = adviceOn(error, attestor)
  const message = `node attestation failed: ${error.message}${advice === undefined ? '' : `; ${advice}`}`
  return new IdentityError(error.code, message, { cause: error })
}

function adviceOn({ code }: IdentityError, attestor: NodeAttestor): string | undefined {
  // The server took the attestation itself amiss, e.g. a token that was used before.
  if (code === 'REQUEST_INVALID') return attestor.advice
  if (code === 'CERTIFICATE_UNTRUSTED') {
    return 'check server_address, trust_domain, and that the trust bundle is the one that the server shows now ("bundle show"); an agent that has met the server believes its own agent-data.json in data_dir, unless rebootstrap_mode lets it begin anew'
  }
  return undefined
}
