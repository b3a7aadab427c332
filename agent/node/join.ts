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
import { connectServer, type ServerAddress } from './server-connection.ts'
import type { ServerTrust } from './server-credentials.ts'
import type { NodeState } from './state.ts'

export interface JoinDeps {
  readonly server: ServerAddress
  readonly trustDomain: TrustDomain
  readonly attestor: NodeAttestor
  readonly keys: KeyStore
  readonly state: NodeState
  /** `insecure_bootstrap`: there is no other bundle than the one of the first answer. */
  readonly isInsecure: boolean
  /** Asked at every attempt: the file may have been put right meanwhile. */
  bootstrapTrust(): Promise<ServerTrust>
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
  const giveUpAt = clock.now().getTime() + PATIENCE_MS
  for (;;) {
    try {
      const attested = await attestOnce(deps, key, signal)
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

/** By the bundle of the last run first: it may be newer than the configured one, or older than the server. */
async function attestOnce(deps: JoinDeps, key: KeyObject, signal: AbortSignal): Promise<Attested> {
  const { state, trustDomain, log } = deps
  if (state.authorities.length > 0) {
    const bundle = storedBundle(state, trustDomain)
    try {
      return await attestOver(deps, { kind: 'bundle', bundle: () => bundle }, key, signal)
    } catch (error) {
      const isUntrusted = error instanceof IdentityError && error.code === 'CERTIFICATE_UNTRUSTED'
      // Whom an insecure bootstrap believed once is believed from then on, and nobody else.
      if (!isUntrusted || deps.isInsecure) throw error
      log.info(
        failureFields(error),
        'The stored bundle does not fit the server; trying the configured one',
      )
    }
  }
  const trust = await deps.bootstrapTrust()
  if (trust.kind === 'insecure') {
    log.warn(
      'INSECURE BOOTSTRAP: the server is not verified. Whoever answers at server_address will be believed from now on. Use trust_bundle_path or trust_bundle_url in production',
    )
  }
  return await attestOver(deps, trust, key, signal)
}

async function attestOver(
  deps: JoinDeps,
  trust: ServerTrust,
  key: KeyObject,
  signal: AbortSignal,
): Promise<Attested> {
  const { server, trustDomain, attestor, clock } = deps
  using connection = connectServer({ ...server, trustDomain, trust, clock })
  try {
    const lease = connection.lease()
    const attest = () => attestNode({ lease, attestor, key, trustDomain, clock, signal })
    const { measureAttestation } = deps
    return await (measureAttestation === undefined ? attest() : measureAttestation(attest))
  } catch (error) {
    throw connection.explain(error)
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
    return 'check server_address, trust_domain, and that the trust bundle is the one that the server shows now ("bundle show")'
  }
  return undefined
}
