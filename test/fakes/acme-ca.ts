/**
 * An ACME server in memory: takes only requests that are signed, for their own URL, with a nonce of its own that was
 * not used before, and signs what is asked for. Every answer can be bent, so that each rule can be broken alone.
 */
import { createPublicKey, type JsonWebKey, type KeyObject, verify } from 'node:crypto'
import type { AcmeRequest, Exchange } from '../../acme/transport.ts'
import type { Clock } from '../../spiffe/clock.ts'
import { parseCsr } from '../../spiffe/x509/csr.ts'
import { toPem } from '../../spiffe/x509/pem.ts'
import { type CertificateFields, makeCertificate } from './certificate.ts'

export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly json?: unknown
  readonly text?: string
}

export interface FakeAcmeOptions {
  readonly clock: Clock
  readonly lifetimeMs?: number
  /** Instead of the answer to a step, e.g. `/order`; undefined leaves it. */
  readonly bend?: (step: string, answer: Answer) => Answer | undefined
  /** What a certificate says otherwise than was asked. */
  readonly sign?: CertificateFields
}

export const FAKE_ACME = 'https://ca.test'

export const refusal = (kind: string, detail: string, status = 400): Answer => ({
  status,
  json: { type: `urn:ietf:params:acme:error:${kind}`, detail },
})

export function fakeAcme({ clock, lifetimeMs = 90 * 86_400_000, bend, sign }: FakeAcmeOptions) {
  const asked: string[] = []
  const nonces = new Set<string>()
  let account: KeyObject | undefined
  let domain = ''
  let isProved = false
  let chain: string | undefined
  const at = (step: string) => `${FAKE_ACME}${step}`
  const order = () => ({
    status: chain !== undefined ? 'valid' : isProved ? 'ready' : 'pending',
    ...{ authorizations: [at('/authz/1')], finalize: at('/finalize/1') },
    ...(chain === undefined ? {} : { certificate: at('/certificate/1') }),
  })
  const issue = async (csr: string) => {
    const { publicKey, dnsNames } = parseCsr(Buffer.from(csr, 'base64url'))
    const notBefore = clock.now()
    const notAfter = new Date(notBefore.getTime() + lifetimeMs)
    const ca = await makeCertificate(undefined, { isCa: true, notBefore, notAfter })
    const asks = { key: publicKey, dnsNames, notBefore, notAfter }
    const { certificate } = await makeCertificate(ca, { ...asks, ...sign })
    chain = [certificate, ca.certificate].map((der) => toPem('CERTIFICATE', der)).join('\n')
  }
  const steps: Readonly<
    Record<string, (payload: Record<string, unknown>) => Promise<Answer> | Answer>
  > = {
    '/account': () => ({ status: 201, headers: { location: at('/account/1') }, json: {} }),
    '/order': ({ identifiers }) => {
      // Cast: the fake believes what its own test sends.
      domain = (identifiers as [{ value: string }])[0].value
      chain = undefined
      isProved = false
      return { status: 201, headers: { location: at('/order/1') }, json: order() }
    },
    '/order/1': () => ({ status: 200, json: order() }),
    '/authz/1': () => ({
      status: 200,
      json: {
        status: isProved ? 'valid' : 'pending',
        identifier: { type: 'dns', value: domain },
        challenges: [{ type: 'tls-alpn-01', url: at('/challenge/1'), token: 'a-token' }],
      },
    }),
    '/challenge/1': () => {
      isProved = true
      return { status: 200, json: {} }
    },
    '/finalize/1': async ({ csr }) => {
      await issue(String(csr))
      return { status: 200, json: order() }
    },
    '/certificate/1': () => ({ status: 200, text: chain ?? '' }),
  }
  /** Whose request it is, or why it is refused. */
  const judge = ({ url, body = '' }: AcmeRequest): Record<string, unknown> | Answer => {
    const { protected: head, payload, signature } = JSON.parse(body)
    const { alg, nonce, url: meant, jwk } = JSON.parse(String(Buffer.from(head, 'base64url')))
    // Cast: the fake believes what its own test sends.
    account ??= createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' })
    const key = { key: account, dsaEncoding: 'ieee-p1363' } as const
    const data = Buffer.from(`${head}.${payload}`)
    const isSigned = verify('sha256', data, key, Buffer.from(signature, 'base64url'))
    if (!isSigned || alg !== 'ES256' || meant !== url) return refusal('malformed', 'bad signature')
    if (!nonces.delete(nonce)) return refusal('badNonce', 'not a nonce of mine')
    return payload === '' ? {} : JSON.parse(String(Buffer.from(payload, 'base64url')))
  }
  const reply = async (request: AcmeRequest, step: string): Promise<Answer> => {
    if (step === '/directory') {
      const names = { newNonce: at('/nonce'), newAccount: at('/account'), newOrder: at('/order') }
      return { status: 200, json: names }
    }
    if (step === '/nonce') return { status: 200 }
    const payload = judge(request)
    if ('status' in payload) return payload as unknown as Answer // Cast: only a refusal has one.
    return (await steps[step]?.(payload)) ?? refusal('malformed', `no ${step} here`, 404)
  }
  const exchange: Exchange = async (request) => {
    const step = new URL(request.url).pathname
    asked.push(step)
    const right = await reply(request, step)
    const { status, headers = {}, json, text } = bend?.(step, right) ?? right
    const nonce = `nonce-${asked.length}`
    nonces.add(nonce)
    const all: Readonly<Record<string, string>> = { 'replay-nonce': nonce, ...headers }
    return {
      status,
      header: (name) => all[name] || undefined,
      body: text ?? JSON.stringify(json) ?? '',
    }
  }
  return { exchange, asked, directoryUrl: at('/directory') }
}
