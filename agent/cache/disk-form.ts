/** How entries, bundles and SVIDs are written to the agent's disk, and read back: nothing is taken over unparsed. */
import { z } from 'zod'
import type { Bundle } from '../../spiffe/bundle.ts'
import { fromUnixSeconds, unixSeconds } from '../../spiffe/clock.ts'
import { parseSpiffeId, parseTrustDomain } from '../../spiffe/id.ts'
import { parsePkcs8, spkiOf } from '../../spiffe/key.ts'
import { parseSelector } from '../../spiffe/selector.ts'
import { parseCertificate } from '../../spiffe/x509/certificate.ts'
import { isOfTheFuture } from '../renewal-time.ts'
import type { Knowledge } from './knowledge.ts'
import { type X509Svid, type X509SvidContext, x509Svid } from './x509-svid.ts'

const ENTRY = z.object({
  entry_id: z.string(),
  spiffe_id: z.string(),
  hint: z.string(),
  created_at: z.number(),
  federates_with: z.array(z.string()),
  selectors: z.array(z.string()),
  revision: z.number(),
  store_svid: z.boolean(),
  prefetch: z.boolean(),
  jti: z.boolean(),
  /** Missing in older files: fails closed, until the server has sent the entry anew. */
  privileged: z.boolean().optional(),
})

/** The server has none like it, so it sends the entry again. */
const NO_REVISION = -1

const BUNDLE = z.object({
  trust_domain: z.string(),
  x509_authorities: z.array(z.object({ asn1: z.base64(), tainted: z.boolean() })),
  jwt_authorities: z.array(
    z.object({
      key_id: z.string(),
      public_key: z.base64(),
      expires_at: z.number().optional(),
      tainted: z.boolean(),
    }),
  ),
  refresh_hint: z.number(),
  sequence_number: z.number(),
})

export const KNOWLEDGE = z.object({
  version: z.literal(1),
  /** Whose it is: another agent's entries are not ours. */
  agent_id: z.string(),
  entries: z.array(ENTRY),
  bundle: BUNDLE,
  federated: z.array(BUNDLE),
})

export const SVID = z.object({
  entry_id: z.string(),
  spiffe_id: z.string(),
  revision: z.number(),
  chain: z.array(z.base64()).min(1),
  key: z.base64(),
})

export function writeKnowledge(agentId: string, known: Knowledge): z.infer<typeof KNOWLEDGE> {
  return {
    version: 1,
    agent_id: agentId,
    entries: [...known.entries.values()].map((entry) => ({
      entry_id: entry.entryId,
      spiffe_id: entry.id,
      hint: entry.hint,
      created_at: entry.createdAt,
      federates_with: [...entry.federatesWith],
      selectors: [...entry.selectors],
      revision: entry.revision,
      store_svid: entry.storeSvid,
      prefetch: entry.prefetch,
      jti: entry.jti,
      privileged: entry.privileged,
    })),
    bundle: writeBundle(known.bundle),
    federated: [...known.federated.values()].map(writeBundle),
  }
}

/** @throws IdentityError when something in it does not parse */
export function readKnowledge(file: z.infer<typeof KNOWLEDGE>): Knowledge {
  const entries = file.entries.map((entry) => ({
    entryId: entry.entry_id,
    id: parseSpiffeId(entry.spiffe_id),
    hint: entry.hint,
    createdAt: entry.created_at,
    federatesWith: entry.federates_with.map(parseTrustDomain),
    selectors: entry.selectors.map(parseSelector),
    revision: entry.privileged === undefined ? NO_REVISION : entry.revision,
    storeSvid: entry.store_svid,
    prefetch: entry.prefetch,
    jti: entry.jti,
    privileged: entry.privileged ?? true,
  }))
  const federated = file.federated.map(readBundle)
  return {
    entries: new Map(entries.map((entry) => [entry.entryId, entry])),
    bundle: readBundle(file.bundle),
    federated: new Map(federated.map((bundle) => [bundle.trustDomain, bundle])),
  }
}

export function writeSvid(svid: X509Svid): z.infer<typeof SVID> {
  return {
    entry_id: svid.entryId,
    spiffe_id: svid.id,
    revision: svid.revision,
    chain: svid.chain.map(toBase64),
    key: toBase64(svid.key),
  }
}

/** @throws IdentityError when key, chain and ID do not belong together */
export function readSvid(file: z.infer<typeof SVID>, context: X509SvidContext): X509Svid {
  const key = fromBase64(file.key)
  const parts = {
    entryId: file.entry_id,
    id: parseSpiffeId(file.spiffe_id),
    revision: file.revision,
    chain: file.chain.map(fromBase64),
    key,
    spki: spkiOf(parsePkcs8(key)),
  }
  const svid = x509Svid(parts, context)
  const [leaf] = parts.chain
  const isEarly = leaf !== undefined && isOfTheFuture(parseCertificate(leaf).notBefore, context.now)
  // The clock was set back while the agent was down.
  return isEarly ? { ...svid, renewAt: context.now } : svid
}

function writeBundle(bundle: Bundle): z.infer<typeof BUNDLE> {
  return {
    trust_domain: bundle.trustDomain,
    x509_authorities: bundle.x509Authorities.map(({ der, tainted }) => ({
      asn1: toBase64(der),
      tainted,
    })),
    jwt_authorities: bundle.jwtAuthorities.map((authority) => ({
      key_id: authority.keyId,
      public_key: toBase64(authority.publicKey),
      tainted: authority.tainted,
      ...(authority.expiresAt === undefined
        ? {}
        : { expires_at: unixSeconds(authority.expiresAt) }),
    })),
    refresh_hint: bundle.refreshHintSeconds,
    sequence_number: bundle.sequenceNumber,
  }
}

function readBundle(file: z.infer<typeof BUNDLE>): Bundle {
  return {
    trustDomain: parseTrustDomain(file.trust_domain),
    x509Authorities: file.x509_authorities.map(({ asn1, tainted }) => ({
      der: fromBase64(asn1),
      tainted,
    })),
    jwtAuthorities: file.jwt_authorities.map((authority) => ({
      keyId: authority.key_id,
      publicKey: fromBase64(authority.public_key),
      expiresAt:
        authority.expires_at === undefined ? undefined : fromUnixSeconds(authority.expires_at),
      tainted: authority.tainted,
    })),
    refreshHintSeconds: file.refresh_hint,
    sequenceNumber: file.sequence_number,
  }
}

const toBase64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
const fromBase64 = (text: string) => Buffer.from(text, 'base64')
