/** `steeple authz explain` on policies in files. */
import { describe, expect, test } from 'vitest'
import { documents, object, policyDir, policyText } from '../policy-dir.ts'
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
const noAdmin = policyText('no-admin', {
  action: 'DENY',
  rules: [{ to: [{ operation: { paths: ['/admin*'], ports: ['8080'] } }] }],
})
const strict = object('PeerAuthentication', 'strict', { mtls: { mode: 'STRICT' } })
const disabled = object('PeerAuthentication', 'off', { mtls: { mode: 'DISABLE' } })
const cart = '-namespace shop -label app=cart -port 8080'

async function explain(policies: string, line: string, more: readonly string[] = []) {
  using dir = policyDir({ 'policies.yaml': policies })
  const words = `authz explain -policies ${dir.path} ${line}`.split(' ')
  return await run([...words.filter((word) => word !== ''), ...more])
}

const json = async (policies: string, line: string, more: readonly string[] = []) => {
  const { code, out, err } = await explain(policies, `${line} -output json`, more)
  return { code, err, ...JSON.parse(out) }
}

test('a request that passes is told with every clause, and the rule that admits it', async () => {
  const ran = await explain(documents(front, noAdmin), `${cart} -from ${FRONT} -path /basket`)
  expect(ran).toEqual({
    code: 0,
    err: '',
    out: `GET /basket at port 8080 of a workload in shop with app=cart
  by ${FRONT} from 127.0.0.1
  path as rules see it: /basket

Mutual TLS: PERMISSIVE, the default, as no PeerAuthentication applies

DENY shop/no-admin: does not match
  rule 0: does not match
    no  to[0].operation.paths: /admin*; seen /basket
    yes to[0].operation.ports: 8080; seen 8080

ALLOW shop/front: matches
  rule 0: matches
    yes from[0].source.principals: cluster.local/ns/web/sa/front; seen cluster.local/ns/web/sa/front
    yes to[0].operation.methods: GET; seen GET
    yes to[0].operation.paths: /basket; seen /basket

ALLOWED: rule 0 of shop/front (ns[shop]-policy[front]-rule[0]) admits it.
`,
  })
})

test.for([
  ['by DENY', `-from ${FRONT} -path /admin/x`, 'deny-rule', 'ns[shop]-policy[no-admin]-rule[0]'],
  [
    'since no ALLOW matches',
    `-from ${FRONT} -path /basket -method POST`,
    'no-allow-matched',
    undefined,
  ],
  ['since it is plaintext', '-path /basket', 'no-allow-matched', undefined],
  [
    'after the path is normalised',
    `-from ${FRONT} -path /x/../admin`,
    'deny-rule',
    'ns[shop]-policy[no-admin]-rule[0]',
  ],
] as const)('a request that is denied %s ends with 2', async ([, line, why, rule]) => {
  const told = await json(documents(front, noAdmin), `${cart} ${line}`)
  expect(told).toMatchObject({ code: 2, decision: 'deny', why })
  expect(told.rule).toBe(rule)
})

test('policies of other workloads do not count', async () => {
  const told = await json(front, '-namespace shop -label app=web -port 8080')
  expect(told).toMatchObject({ code: 0, why: 'no-allow-policy', policies: [] })
})

describe('before any policy', () => {
  test('STRICT refuses plaintext', async () => {
    const told = await json(documents(front, strict), cart)
    expect(told).toMatchObject({
      code: 2,
      why: 'mutual-tls',
      mtls: { mode: 'STRICT', sources: ['shop/strict'] },
      policies: [],
    })
    const { out } = await explain(documents(front, strict), cart)
    expect(out).toContain('DENIED: port 8080 requires mutual TLS, and the caller speaks plaintext;')
  })

  test('DISABLE leaves the caller without an identity, which is told', async () => {
    const told = await json(documents(front, disabled), `${cart} -from ${FRONT} -path /basket`)
    expect(told).toMatchObject({
      code: 2,
      why: 'no-allow-matched',
      notes: [expect.stringContaining('DISABLE')],
    })
  })

  test.for(['/a/%2e%2e;/c', '/%2561', '/a%00'])(
    'a path such as %s is answered 400',
    async (path) => {
      expect(await json(front, `${cart} -path ${path}`)).toMatchObject({
        code: 2,
        why: 'path',
        status: 400,
      })
    },
  )
})

describe('a token', () => {
  const member = policyText('member', {
    rules: [{ from: [{ source: { requestPrincipals: ['https://idp.example/alice'] } }] }],
  })
  const issuer = (rule: object) =>
    object('RequestAuthentication', 'jwt', {
      jwtRules: [{ issuer: 'https://idp.example', ...rule }],
    })

  async function ask(policies: string, claims: object) {
    using dir = policyDir()
    const file = dir.write('claims.json', JSON.stringify(claims))
    return await json(policies, `${cart} -claims ${file}`)
  }
  const alice = { iss: 'https://idp.example', sub: 'alice', aud: 'shop' }

  test('counts by its claims where a RequestAuthentication takes it', async () => {
    expect(await ask(documents(member, issuer({})), alice)).toMatchObject({
      code: 0,
      why: 'allow-rule',
    })
    expect(await ask(documents(member, issuer({ audiences: ['shop'] })), alice)).toMatchObject({
      code: 0,
    })
    expect(await ask(documents(member, issuer({})), { ...alice, sub: 'bob' })).toMatchObject({
      code: 2,
    })
  })

  test('is not looked at where there is none, which is told', async () => {
    expect(await ask(member, alice)).toMatchObject({
      code: 2,
      notes: [expect.stringContaining('RequestAuthentication')],
    })
  })

  test.for([
    ['issuer', { ...alice, iss: 'https://else.example' }, {}, 401],
    ['audience', alice, { audiences: ['web'] }, 403],
  ] as const)('of another %s is refused before any policy', async ([, claims, rule, status]) => {
    expect(await ask(documents(member, issuer(rule)), claims)).toMatchObject({
      code: 2,
      why: 'token',
      status,
    })
  })
})

test('an external provider that the mesh does not have denies', async () => {
  const ask = policyText('ask', { action: 'CUSTOM', provider: { name: 'opa' }, rules: [{}] })
  expect(await json(ask, cart)).toMatchObject({
    code: 2,
    why: 'provider-missing',
    providers: [{ provider: 'opa' }],
  })
})

describe('where no requests are seen', () => {
  test('ALLOW rules about requests are left out, with the reason', async () => {
    const told = await json(front, `${cart} -place tcp -from ${FRONT}`)
    expect(told).toMatchObject({ code: 2, why: 'no-allow-matched' })
    expect(told.policies[0].rules[0].left_out).toContain('a TCP port has no')
  })

  test('DENY rules about requests deny the port, with a note', async () => {
    const { code, out } = await explain(noAdmin, `${cart} -place tcp`)
    expect(code).toBe(2)
    expect(out).toContain('note: a TCP port has no path')
  })

  test.for(['-path /a', '-method GET', '-host a', '-header a:b'])(
    '%s is refused, not ignored',
    async (part) => {
      for (const place of ['tcp', 'ztunnel']) {
        const ran = await explain(front, `${cart} -place ${place} ${part}`)
        expect(ran.code).toBe(1)
        expect(ran.err).toContain('nobody sees requests: leave out ')
      }
    },
  )
})

test('at a waypoint the policies are those of the Service', async () => {
  const target = policyText('target', {
    targetRefs: [{ kind: 'Service', group: '', name: 'cart' }],
    action: 'DENY',
    rules: [{}],
  })
  expect(await json(target, `${cart} -place waypoint -service cart`)).toMatchObject({ code: 2 })
  expect(await json(target, `${cart} -place waypoint -service web`)).toMatchObject({ code: 0 })
  expect((await explain(target, `${cart} -service cart`)).err).toContain('are for -place waypoint')
})

test('a request may come from a file, and flags count before it', async () => {
  using dir = policyDir()
  const asked = {
    source: { principal: FRONT.slice('spiffe://'.length), ip: '10.1.2.3' },
    destination: { ip: '10.2.0.1', port: 8080 },
    method: 'GET',
    path: '/basket',
  }
  const file = dir.write('request.json', JSON.stringify(asked))
  const workload = '-namespace shop -label app=cart'
  expect(await json(front, `${workload} -request ${file}`)).toMatchObject({ code: 0, port: 8080 })
  expect(await json(front, `${workload} -request ${file} -method PUT`)).toMatchObject({ code: 2 })
})

test('headers are matched line by line', async () => {
  const red = policyText('red', {
    action: 'DENY',
    rules: [{ when: [{ key: 'request.headers[x-team]', values: ['red'] }] }],
  })
  const lines = ['-header', 'X-Team: blue', '-header', 'x-team: red']
  expect(await json(red, cart, lines)).toMatchObject({ code: 2 })
  expect(await json(red, cart, ['-header', 'x-team: blue,red'])).toMatchObject({ code: 0 })
})

test.for([
  [
    'no policies',
    'authz explain -port 1',
    'there are no policies to judge by; name them by -policies',
  ],
  [
    'policies that are not there',
    'authz explain -port 1 -policies /nonexistent',
    'no such file or directory',
  ],
  [
    'no port',
    'authz explain -policies DIR',
    'the port of the workload that is called (-port) must be set',
  ],
  [
    'another place',
    'authz explain -policies DIR -port 1 -place pod',
    '-place is "pod", expected http, tcp, ztunnel, waypoint',
  ],
  [
    'a label without a value',
    'authz explain -policies DIR -port 1 -label app',
    '-label is "app", expected key=value',
  ],
  [
    'a header without a colon',
    'authz explain -policies DIR -port 1 -header a',
    '-header is "a", expected name: value',
  ],
  ['a caller that is no SPIFFE ID', 'authz explain -policies DIR -port 1 -from front', 'front'],
  ['a port that is none', 'authz explain -policies DIR -port 70000', 'destination.port'],
  [
    'another normalisation',
    'authz explain -policies DIR -port 1 -pathNormalization ALL',
    '-pathNormalization is "ALL"',
  ],
  [
    'fewer hops than none',
    'authz explain -policies DIR -port 1 -trustedHops -2',
    '-trustedHops is -2',
  ],
] as const)('ends with 1 and says so: %s', async ([, line, message]) => {
  using dir = policyDir({ 'p.yaml': front })
  const ran = await run(line.replace('DIR', dir.path))
  expect([ran.code, ran.out]).toEqual([1, ''])
  expect(ran.err).toContain(message)
})

test('a policy that a proxy would refuse ends with 1, with every mistake', async () => {
  const wrong = policyText('wrong', { rules: [{ from: [{ source: {} }] }], acton: 'DENY' })
  const ran = await explain(documents(front, wrong), cart)
  expect([ran.code, ran.out]).toEqual([1, ''])
  expect(ran.err).toContain('spec.acton')
  expect(ran.err).toContain('spec.rules[0].from[0].source')
})

test('warnings of a policy are told, and the question is answered all the same', async () => {
  const loose = policyText('loose', {
    action: 'DENY',
    rules: [{ to: [{ operation: { methods: ['PUT'] } }] }],
  })
  const ran = await explain(loose, cart)
  expect(ran.code).toBe(0)
  expect(ran.err).toMatch(/^Warning: .*policies\.yaml:1: spec\.rules\[0\]: /)
})
