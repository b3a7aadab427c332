/** `steeple authz explain` beside the configuration of a proxy. */
import { describe, expect, test } from 'vitest'
import { policyDir, policyText } from '../policy-dir.ts'
import { run } from '../run.ts'

const FRONT = 'spiffe://cluster.local/ns/web/sa/front'
const front = policyText('front', {
  selector: { matchLabels: { app: 'cart' } },
  rules: [
    {
      from: [{ source: { principals: ['cluster.local/ns/web/sa/front'] } }],
      to: [{ operation: { paths: ['/basket'], methods: ['GET'] } }],
    },
  ],
})

describe('a configuration of the proxy', () => {
  async function configured(inbound: string, line: string) {
    using dir = policyDir()
    using policies = policyDir({ 'p.yaml': front })
    const conf = dir.write(
      'proxy.conf',
      `proxy {
  policy_dir = "${policies.path}"
  trust_domain = "cluster.local"
  mesh { federated_trust_domains = ["partner.example"] }
  workload { namespace = "shop"  labels { app = "cart" } }
  inbound "cart" { listen = "127.0.0.1:8443"  upstream = "127.0.0.1:8080" ${inbound} }
}`,
    )
    return await run(`authz explain -config ${conf} -path /basket ${line}`)
  }

  test('names policies, workload and port', async () => {
    const ran = await configured('', `-from ${FRONT}`)
    expect(ran).toMatchObject({ code: 0, err: '' })
    expect(ran.out).toContain('at port 8080 of a workload in shop with app=cart')
  })

  test('names ports at which no requests are seen', async () => {
    const ran = await configured('protocol = "tcp"', `-from ${FRONT}`)
    expect([ran.code, ran.out]).toEqual([1, ''])
    expect(ran.err).toContain('at a TCP port nobody sees requests: leave out path')
  })

  test('tells of a listener that takes mutual TLS alone', async () => {
    const ran = await configured('mtls = "strict"', '')
    expect(ran.code).toBe(2)
    expect(ran.out).toContain('Mutual TLS: STRICT, as the listener cart takes nothing else')
  })

  test.for([
    ['a trust domain that is not federated', '', 'spiffe://other.example/ns/web/sa/front'],
    ['a list of callers', 'authorize = ["spiffe://cluster.local/ns/web/sa/back"]', FRONT],
  ] as const)(
    'tells of callers that the listener does not deal with: %s',
    async ([, inbound, from]) => {
      const ran = await configured(inbound, `-from ${from} -output json`)
      expect(JSON.parse(ran.out)).toMatchObject({ decision: 'deny', why: 'listener', policies: [] })
    },
  )

  test('names external providers, which must be said to agree', async () => {
    using dir = policyDir()
    const ask = policyText('ask', { action: 'CUSTOM', provider: { name: 'opa' }, rules: [{}] })
    const conf = dir.write(
      'proxy.conf',
      `proxy {
  workload { namespace = "shop" }
  mesh { extension_provider "opa" { protocol = "grpc"  address = "127.0.0.1:9191" } }
  inbound "cart" { listen = "127.0.0.1:8443"  upstream = "127.0.0.1:8080"  mtls = "policy" }
}`,
    )
    const policies = dir.write('ask.yaml', ask)
    const told = async (line: string) => {
      const ran = await run(
        `authz explain -policies ${policies} -config ${conf} -output json ${line}`,
      )
      return { code: ran.code, ...JSON.parse(ran.out) }
    }
    expect(await told('')).toMatchObject({
      ...{ code: 2, why: 'provider-unasked' },
      reason: expect.stringContaining('needs the agreement of the provider opa'),
    })
    expect(await told('-extAuthz deny')).toMatchObject({
      ...{ code: 2, why: 'provider-refused' },
      reason: expect.stringContaining('asks the provider opa, which refuses'),
    })
    expect(await told('-extAuthz allow')).toMatchObject({ code: 0, why: 'no-allow-policy' })
  })

  test('lets policies judge callers of a federated trust domain', async () => {
    const ran = await configured('', '-from spiffe://partner.example/ns/web/sa/front -output json')
    expect(JSON.parse(ran.out)).toMatchObject({ decision: 'deny', why: 'no-allow-matched' })
  })

  test.for([
    ['trust domain', '-trustDomain', '-namespace shop', 'labels { app = "cart" }'],
    ['namespace', '-namespace', '-trustDomain cluster.local', 'labels { app = "cart" }'],
  ] as const)(
    'that leaves the %s to the SVID is not guessed at, for the answer would be wrong',
    async ([what, flag, given, workload]) => {
      using dir = policyDir()
      const policies = dir.write('p.yaml', front)
      const conf = dir.write(
        'proxy.conf',
        `proxy {
  workload { ${workload} }
  inbound "cart" { listen = "127.0.0.1:8443"  upstream = "127.0.0.1:8080" }
}`,
      )
      const line = `authz explain -policies ${policies} -config ${conf} -from ${FRONT} -path /basket`
      const ran = await run(`${line} ${given}`)
      expect([ran.code, ran.out]).toEqual([1, ''])
      expect(ran.err).toContain(`leaves the ${what} to the proxy's SVID`)
      expect(ran.err).toContain(`name it by ${flag}`)
      const both = await run(`${line} -namespace shop -trustDomain cluster.local`)
      expect(both).toMatchObject({ code: 0, err: '' })
    },
  )

  test('tells of captured connections at ports that no listener is for', async () => {
    using dir = policyDir()
    const policies = dir.write('p.yaml', front)
    const conf = dir.write('proxy.conf', 'proxy {\n capture { mtls = "strict" }\n}')
    const ran = await run(
      `authz explain -policies ${policies} -config ${conf} -namespace shop -label app=cart -port 9090`,
    )
    expect(ran.code).toBe(2)
    expect(ran.out).toContain('Mutual TLS: STRICT, as the listener capture takes nothing else')
  })
})
