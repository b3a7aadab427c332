/** `steeple analyze` on files of policies and workloads. */
import { describe, expect, test } from 'vitest'
import { documents, object, policyDir, policyText } from '../policy-dir.ts'
import { run } from '../run.ts'

const scheme = policyText('front', {
  rules: [{ from: [{ source: { principals: ['spiffe://cluster.local/ns/web/sa/front'] } }] }],
})
const fine = policyText('fine', {
  rules: [{ from: [{ source: { principals: ['cluster.local/ns/web/sa/front'] } }] }],
})
const loose = policyText('loose', {
  action: 'DENY',
  rules: [{ to: [{ operation: { paths: ['/a'], ports: ['80'] } }] }],
})
const everybody = policyText('everybody', { rules: [{}] })
const wrong = policyText('wrong', { rules: [{ when: [{ key: 'request.header', values: ['a'] }] }] })
const deployment = JSON.stringify({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'cart', namespace: 'shop' },
  spec: {
    template: {
      metadata: { labels: { app: 'cart' } },
      spec: { containers: [{ ports: [{ containerPort: 8080 }] }] },
    },
  },
})

async function analyze(text: string, more = '') {
  using dir = policyDir({ 'p.yaml': text })
  const ran = await run(`analyze ${dir.path}${more}`)
  return { ...ran, out: ran.out.replaceAll(dir.path, 'DIR') }
}

const codes = async (text: string, more = '') => {
  const { code, out } = await analyze(text, ` -output json${more}`)
  const told: { readonly findings: readonly { readonly code: string }[] } = JSON.parse(out)
  return { code, codes: told.findings.map((one) => one.code) }
}

test('a finding is told with its place, what happens, and what to write', async () => {
  expect(await analyze(scheme)).toEqual({
    code: 2,
    err: '',
    out: `DIR/p.yaml:1: error principal-scheme
  AuthorizationPolicy shop/front, spec.rules[0].from[0].source.principals
  No principal begins with spiffe://, so "spiffe://cluster.local/ns/web/sa/front" admits nobody.
  Write "cluster.local/ns/web/sa/front".

1 error, 0 warnings, 0 notes in 1 policy and 0 workloads.
`,
  })
})

test('nothing to tell ends with 0', async () => {
  expect(await analyze(fine)).toEqual({
    code: 0,
    err: '',
    out: 'Nothing to tell of 1 policy and 0 workloads.\n',
  })
})

describe('what a proxy would refuse', () => {
  test('is an error, and does not hide what else is wrong', async () => {
    expect(await codes(documents(wrong, scheme))).toEqual({
      code: 2,
      codes: ['invalid', 'principal-scheme'],
    })
  })

  test.for([
    ['the same name twice', documents(fine, fine), 'it is there already, at DIR/p.yaml:1'],
    ['another kind', object('Sidecar', 'a', {}), 'found "Sidecar", expected AuthorizationPolicy'],
    ['no YAML', 'a: [', 'not YAML'],
  ] as const)('is an error: %s', async ([, text, message]) => {
    const { code, out } = await analyze(text)
    expect(code).toBe(2)
    expect(out.toLowerCase()).toContain(message.toLowerCase())
  })

  test('a selector without labels is warned of', async () => {
    const text = policyText('a', {
      selector: { matchLabels: {} },
      rules: [{ when: [{ key: 'source.ip', values: ['10.0.0.1'] }] }],
    })
    expect(await codes(text)).toEqual({ code: 0, codes: ['selector-without-labels'] })
  })

  test('rules of DENY without a port are told once', async () => {
    const text = policyText('a', {
      action: 'DENY',
      rules: [{ to: [{ operation: { methods: ['GET'] } }] }],
    })
    expect(await codes(text)).toEqual({ code: 0, codes: ['deny-without-l4'] })
  })
})

test('workloads in the same files are what selectors and ports are checked by', async () => {
  const port = (value: string) =>
    policyText('p', { rules: [{ to: [{ operation: { ports: [value] } }] }] })
  expect(await codes(documents(port('80'), deployment))).toEqual({
    code: 2,
    codes: ['port-not-on-workload'],
  })
  expect(await codes(documents(port('8080'), deployment))).toEqual({ code: 0, codes: [] })
  expect(await codes(port('80'))).toEqual({ code: 0, codes: [] })
})

test.for([
  ['error', scheme, 2],
  ['never', scheme, 0],
  ['error', loose, 0],
  ['warning', loose, 2],
  ['warning', everybody, 0],
  ['info', everybody, 2],
] as const)('-failOn %s decides about the exit code', async ([level, text, code]) => {
  expect((await analyze(text, ` -failOn ${level}`)).code).toBe(code)
})

test('the mesh is what flags, or the configuration of a proxy, say', async () => {
  const remote = policyText('remote', {
    rules: [{ from: [{ source: { remoteIpBlocks: ['10.0.0.0/8'] } }] }],
  })
  expect((await codes(remote)).codes).toEqual(['remote-ip-without-hops'])
  expect((await codes(remote, ' -trustedHops 1')).codes).toEqual([])
  using dir = policyDir()
  const conf = dir.write(
    'proxy.conf',
    `proxy {
  mesh { trusted_hops = 1 }
  workload { namespace = "shop" }
  inbound "cart" { listen = "127.0.0.1:8443"  upstream = "127.0.0.1:8080"  protocol = "tcp" }
}`,
  )
  expect((await codes(remote, ` -config ${conf}`)).codes).toEqual([])
  expect((await codes(remote, ` -config ${conf} -trustedHops 0`)).codes).toEqual([
    'remote-ip-without-hops',
  ])
  const paths = policyText('paths', { rules: [{ to: [{ operation: { paths: ['/a'] } }] }] })
  expect((await codes(paths, ` -config ${conf}`)).codes).toEqual(['request-rule-on-tcp'])
  expect((await codes(fine, ' -trustDomain example.org')).codes).toEqual([])
  const { err } = await analyze(fine, ` -config ${conf}`)
  expect(err).toContain("leaves the trust domain to the proxy's SVID")
  expect((await analyze(fine, ` -config ${conf} -trustDomain example.org`)).err).toBe('')
})

test('several paths are read as one, and - is standard input', async () => {
  using dir = policyDir({ 'a.yaml': fine })
  const other = dir.write('b.txt', fine)
  const both = await run(['analyze', dir.path, other])
  expect([both.code, both.out]).toEqual([2, expect.stringContaining('is there already')])
  const input = await run('analyze -', { input: scheme })
  expect(input.out).toMatch(/^-:1: error principal-scheme\n/)
})

test.for([
  ['no path', 'analyze', 'expected <path>…, got nothing'],
  ['a path that is not there', 'analyze /nonexistent', 'no such file or directory'],
  [
    'a directory without policies',
    'analyze DIR',
    'nothing to read, expected .yaml, .yml or .json files',
  ],
  [
    'another level',
    'analyze DIR -failOn always',
    '-failOn is "always", expected error, warning, info, never',
  ],
  ['a trust domain that is none', 'analyze DIR -trustDomain A_B!', 'A_B!'],
] as const)('ends with 1 and says so: %s', async ([, line, message]) => {
  using dir = policyDir()
  const ran = await run(line.replace('DIR', dir.path))
  expect([ran.code, ran.out]).toEqual([1, ''])
  expect(ran.err).toContain(message)
})
