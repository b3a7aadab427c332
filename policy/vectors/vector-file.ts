/**
 * The form of a file of decision vectors: policies, requests, and what must come out. Sections that are missing are
 * empty. A case with a field that is not known here is not run, since it would be run without what it asks for.
 */
import { z } from 'zod'
import { IdentityError } from '../../spiffe/error.ts'
import { PATH_NORMALIZATIONS } from '../normalize-path.ts'

const about = {
  title: z.string().optional(),
  note: z.string().optional(),
  about: z.string().optional(),
  /** Where the expectation comes from. */
  upstream: z.unknown().optional(),
}

const port = z.number().int().min(0).max(65_535)
const labels = z.record(z.string(), z.string())
const object = z.record(z.string(), z.unknown())
const normalization = z.enum(PATH_NORMALIZATIONS)

export const request = z.strictObject({
  source: z.strictObject({
    /** Without `spiffe://`; absent for plaintext. */
    principal: z.string().optional(),
    ip: z.string(),
    remoteIp: z.string().optional(),
  }),
  destination: z.strictObject({ ip: z.string(), port }),
  sni: z.string().optional(),
  method: z.string().optional(),
  path: z.string().optional(),
  host: z.string().optional(),
  headers: z.record(z.string(), z.union([z.string(), z.array(z.string())])).optional(),
  /** Claims of a token that has been accepted. */
  jwt: object.optional(),
  /** What the external provider says when it is asked. */
  extAuthz: z.enum(['allow', 'deny']).optional(),
})

const decision = z.strictObject({
  ...about,
  id: z.string(),
  engine: z.enum(['http', 'tcp', 'ztunnel', 'waypoint']),
  policies: z.array(z.union([z.string(), object])),
  destination: z.strictObject({
    namespace: z.string(),
    service: z.string().optional(),
    labels: labels.optional(),
    ip: z.string().optional(),
    /** Name of the waypoint's Gateway. */
    waypoint: z.string().optional(),
  }),
  request,
  trustDomain: z.string().optional(),
  trustDomainAliases: z.array(z.string()).optional(),
  pathNormalization: normalization.optional(),
  spaceDelimitedClaims: z.array(z.string()).optional(),
  expect: z.strictObject({
    decision: z.enum(['allow', 'deny']),
    why: z.string().optional(),
    httpStatus: z.number().optional(),
    body: z.string().optional(),
    connection: z.string().optional(),
  }),
})

const portExpectation = z.strictObject({
  mode: z.string(),
  plaintext: z.string().optional(),
  mutualTls: z.string().optional(),
})

const peerAuthentication = z.strictObject({
  ...about,
  id: z.string(),
  workload: z.strictObject({ namespace: z.string(), labels }),
  policies: z.array(object),
  expect: z.strictObject({
    mode: z.string(),
    portModes: z.record(z.string(), z.string()).optional(),
    perPort: z.record(z.string(), portExpectation).optional(),
  }),
})

const requestAuthentication = z.strictObject({
  ...about,
  id: z.string(),
  token: z.string(),
  expect: z.strictObject({
    status: z.number(),
    body: z.string().optional(),
    upstreamAuthorizationHeader: z.string().optional(),
  }),
})

const validation = z.strictObject({
  ...about,
  id: z.string(),
  object: z.unknown().optional(),
  expect: z.enum(['accept', 'warn', 'reject']),
})

const pathNormalization = z.strictObject({
  ...about,
  option: normalization,
  in: z.string(),
  /** Null, or absent: the request is answered 400. */
  out: z.string().nullish(),
})

const cases = z.array(z.unknown()).default([])

const vectorFile = z.object({
  policies: z.record(z.string(), object).default({}),
  cases,
  peerAuthenticationCases: cases,
  requestAuthenticationCases: cases,
  validationCases: cases,
  pathNormalizationCases: cases,
})

export type VectorFile = z.infer<typeof vectorFile>
export type DecisionCase = z.infer<typeof decision>
export type PeerAuthenticationCase = z.infer<typeof peerAuthentication>
export type RequestAuthenticationCase = z.infer<typeof requestAuthentication>
export type ValidationCase = z.infer<typeof validation>
export type PathNormalizationCase = z.infer<typeof pathNormalization>

/** @throws IdentityError CONFIG_INVALID when the document is no such file; its cases are read one by one */
export function readVectorFile(document: unknown): VectorFile {
  const read = vectorFile.safeParse(document)
  if (read.success) return read.data
  throw new IdentityError(
    'CONFIG_INVALID',
    `not a file of policy vectors: ${mistakesIn(read.error)}; expected sections of cases`,
  )
}

export type ReadCase<T> =
  | { readonly kind: 'case'; readonly vector: T }
  | { readonly kind: 'unknown'; readonly id: string; readonly why: string }

const reader =
  <T>(schema: z.ZodType<T>) =>
  (value: unknown, at: number): ReadCase<T> => {
    const read = schema.safeParse(value)
    if (read.success) return { kind: 'case', vector: read.data }
    const named = z.object({ id: z.string() }).safeParse(value)
    const id = named.success ? named.data.id : `number ${at}`
    return { kind: 'unknown', id, why: mistakesIn(read.error) }
  }

/** What to read the cases of each section with. */
export const READ_CASE = {
  cases: reader(decision),
  peerAuthenticationCases: reader(peerAuthentication),
  requestAuthenticationCases: reader(requestAuthentication),
  validationCases: reader(validation),
  pathNormalizationCases: reader(pathNormalization),
}

const mistakesIn = ({ issues }: z.ZodError): string =>
  issues.map(({ path, message }) => `${path.join('.') || 'it'}: ${message}`).join('; ')
