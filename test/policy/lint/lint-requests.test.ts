import { describe, expect, test } from 'vitest'
import { mesh } from '../material.ts'
import { allow, deny, findingsOf, operation, source, when } from './material.ts'

const paths = (...values: readonly string[]) => operation({ paths: values })
const hosts = (...values: readonly string[]) => operation({ hosts: values })

describe('a star in the middle', () => {
  test.for([
    ['a principal', allow(source({ principals: ['cluster.local/ns/*/sa/front'] })), 'error'],
    ['a principal with two', allow(source({ principals: ['*front*'] })), 'error'],
    ['a path', deny(paths('/a/*/b')), 'error'],
    ['a host', allow(hosts('a.*.example')), 'error'],
    ['a server name', allow(when('connection.sni', ['a*b'])), 'error'],
    ['a claim', allow(when('request.auth.claims[groups]', ['a*b'])), 'error'],
    [
      'a header, which may really have one',
      allow(when('request.headers[x-team]', ['a*b'])),
      'warning',
    ],
  ] as const)('is an ordinary character in %s', ([, policy, severity]) => {
    expect(findingsOf('star-in-the-middle', [policy])).toMatchObject([{ severity }])
  })

  test.for([
    ['a prefix', allow(paths('/a/*'))],
    ['a suffix', allow(paths('*.js'))],
    ['anything', allow(source({ principals: ['*'] }))],
    ['a path template', allow(paths('/a/{*}/b/{**}'))],
    ['a namespace, where it may stand anywhere', allow(source({ namespaces: ['a*b'] }))],
  ] as const)('is not seen in %s', ([, policy]) => {
    expect(findingsOf('star-in-the-middle', [policy])).toEqual([])
  })
})

describe('hosts', () => {
  test('of DENY are passed by a port in the Host header', () => {
    const [finding] = findingsOf('host-without-port', [deny(hosts('admin.example'))])
    expect(finding).toMatchObject({
      severity: 'error',
      instead: 'write "admin.example" and "admin.example:*"',
    })
  })

  test('of ALLOW do not match clients that write the port', () => {
    expect(findingsOf('host-without-port', [allow(hosts('Admin.example'))])).toMatchObject([
      { severity: 'warning' },
    ])
  })

  test('that are suffixes are passed as well', () => {
    expect(findingsOf('host-without-port', [deny(hosts('*.example'))])[0]?.instead).toContain(
      '"*.example:443"',
    )
  })

  test.for([
    [['a.example', 'a.example:*']],
    [['a.example', 'A.example:8080']],
    [['a.example:443']],
    [['a.example*']],
    [['*']],
    [['*.example', '*.example:443']],
  ] as const)('%j are left alone', ([values]) => {
    expect(findingsOf('host-without-port', [deny(hosts(...values))])).toEqual([])
  })
})

describe('methods', () => {
  test('in lower case match nothing', () => {
    expect(
      findingsOf('method-lower-case', [allow(operation({ methods: ['get'] }))])[0]?.instead,
    ).toBe('write "GET"')
    expect(
      findingsOf('method-lower-case', [allow(operation({ methods: ['GET', 'P*', '*'] }))]),
    ).toEqual([])
  })
})

describe('paths that no request has', () => {
  test.for([
    ['a query', '/a?b=c', 'write "/a"'],
    ['a fragment', '/a#b', 'write "/a"'],
    ['no slash', 'a', 'write "/a"'],
    ['a dot segment', '/a/../b', 'write "/b"'],
    ['an escape that is decoded', '/%61dmin', 'write "/admin"'],
    ['a backslash', '/a\\b', 'write "/a/b"'],
    ['letters beyond ASCII', '/caf\u00e9', 'write it as it is after decoding'],
    ['a prefix with a dot segment', '/a/./b*', 'write it as it is after decoding'],
  ] as const)('have %s', ([, value, instead]) => {
    const [finding] = findingsOf('path-never-seen', [deny(paths(value))])
    expect(finding?.severity).toBe('error')
    expect(finding?.instead).toContain(instead)
  })

  test.for([
    '/',
    '/a//b',
    '/a/',
    '/a%2Fb',
    '/a/*',
    '*.js',
    '/a/{*}/b/{**}',
    '/a.b/..c',
    '/caf%C3%A9',
    '*',
  ])('are not %s', (value) => {
    expect(findingsOf('path-never-seen', [deny(paths(value))])).toEqual([])
  })

  test('depend on the normalisation of the mesh', () => {
    const found = (pathNormalization: 'BASE' | 'MERGE_SLASHES' | 'NONE', value: string) =>
      findingsOf(
        'path-never-seen',
        [deny(paths(value))],
        {},
        { mesh: { ...mesh, pathNormalization } },
      ).length
    expect(found('MERGE_SLASHES', '/a//b')).toBe(1)
    expect(found('BASE', '/a//b')).toBe(0)
    expect(found('BASE', '/%61')).toBe(1)
    expect(found('NONE', '/%61')).toBe(0)
  })
})

describe('a path of DENY', () => {
  test('is passed by a slash or parameters behind it, and the spellings are told', () => {
    const [finding] = findingsOf('deny-path-passed', [deny(paths('/admin'))])
    expect(finding?.what).toContain('"/admin/" or "/admin;x"')
    expect(finding?.instead).toContain('"/admin", "/admin/*", "/admin;*"')
  })

  test.for([
    ['an exact one with a slash at its end', deny(paths('/admin/'))],
    ['a suffix', deny(paths('*/admin'))],
    ['a template that ends in plain text', deny(paths('/a/{*}/admin'))],
    ['one of the spellings is missing', deny(paths('/admin', '/admin/'))],
    ['an exception of ALLOW', allow(operation({ notPaths: ['/admin'] }))],
  ] as const)('is passed: %s', ([, policy]) => {
    expect(findingsOf('deny-path-passed', [policy])[0]).toBeDefined()
  })

  test.for([
    ['a prefix', deny(paths('/admin*'))],
    ['every spelling', deny(paths('/admin', '/admin/*', '/admin;*'))],
    ['a template for all below', deny(paths('/admin/{**}', '/admin', '/admin;*'))],
    ['ALLOW, which closes on another spelling', allow(paths('/admin'))],
    ['the root', deny(paths('/'))],
  ] as const)('is not passed: %s', ([, policy]) => {
    expect(findingsOf('deny-path-passed', [policy])).toEqual([])
  })
})

test('metadata of Envoy filters is never there', () => {
  const key = 'experimental.envoy.filters.a.b[c]'
  expect(findingsOf('envoy-metadata', [allow(when(key, ['x']))])).toMatchObject([
    { severity: 'error' },
  ])
  expect(findingsOf('envoy-metadata', [allow(when('request.headers[c]', ['x']))])).toEqual([])
})

describe('very long lists', () => {
  const many = (text: (index: number) => string) =>
    Array.from({ length: 16_000 }, (_, n) => text(n))

  test('of paths are looked at, each once', () => {
    const policy = deny(paths(...many((n) => `/admin/${n}`)))
    expect(findingsOf('deny-path-passed', [policy])).toHaveLength(16_000)
  })

  test('of templates are not tried with each other', () => {
    const policy = deny(paths(...many((n) => `/{*}/admin/${n}`)))
    expect(findingsOf('deny-path-passed', [policy])).toEqual([])
  })

  test('of hosts are looked at, each once, and those whose ports are listed are not told', () => {
    const policy = deny(hosts('a.example', ...many((n) => `h${n}.example`), 'A.example:*'))
    expect(findingsOf('host-without-port', [policy])).toHaveLength(16_000)
  })
})
