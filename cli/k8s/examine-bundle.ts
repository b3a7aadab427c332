/** Whether agents find the bundle by which they know the server: there, readable, current. */
import { IdentityError } from '../../spiffe/error.ts'
import { parseCertificate } from '../../spiffe/x509/certificate.ts'
import type { Examined, Finding } from './check.ts'
import type { Workload } from './installation.ts'

/** @returns DER of each certificate; what is between them is left out */
export function readPem(text: string): readonly Buffer[] {
  return [
    ...text.matchAll(/-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END CERTIFICATE-----/g),
  ].map(([, base64 = '']) => Buffer.from(base64, 'base64'))
}

export interface PublishedBundle {
  readonly namespace: string
  readonly configMap: string
  readonly key: string
  /** Undefined when the key is not there. */
  readonly text: string | undefined
}

/** @param current authorities of the server, as DER; undefined when it does not tell */
export function examineBundle(
  { namespace, configMap, key, text }: PublishedBundle,
  current: readonly Buffer[] | undefined,
  server: Workload,
  now: Date,
): Examined {
  const subject = `ConfigMap ${namespace}/${configMap}`
  const findings: Finding[] = []
  const remedy = `read the log of the server for why it does not publish: kubectl logs -n ${server.namespace} statefulset/${server.name}`
  const problem = (what: string) =>
    findings.push({ severity: 'problem', subject, problem: what, remedy })
  if (text === undefined) {
    problem(`it has no key ${key}: no new agent can start`)
    return { seen: '', findings }
  }
  const published = readPem(text)
  const living = published.filter((der) => isLiving(der, now))
  if (published.length === 0) problem(`its key ${key} holds no certificate in PEM`)
  else if (living.length === 0) problem(`all authorities in its key ${key} have ended`)
  const has = (list: readonly Buffer[], der: Buffer) => list.some((other) => other.equals(der))
  const missing = (current ?? []).filter((der) => !has(published, der))
  if (published.length > 0 && missing.length > 0) {
    problem(`it lacks ${missing.length} of the ${current?.length} authorities of the server`)
  }
  return { seen: `${living.length} authorities in ${subject}`, findings }
}

/** What cannot be read vouches for nobody. */
function isLiving(der: Buffer, now: Date): boolean {
  try {
    const { notBefore, notAfter } = parseCertificate(der)
    return notBefore <= now && now < notAfter
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    return false
  }
}
