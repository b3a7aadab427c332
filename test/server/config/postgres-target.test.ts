import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parsePostgresTarget } from '../../../server/config/postgres-target.ts'
import { IdentityError } from '../../../spiffe/error.ts'

const ROOTS = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
const warnings: string[] = []

function parse(text: string, account: string | undefined = 'me') {
  warnings.length = 0
  return parsePostgresTarget({
    text,
    account,
    readText: (path) => (path.endsWith('.txt') ? 'no certificate' : `${path}\n${ROOTS}`),
    onWarning: (message) => warnings.push(message),
  })
}

function refusalOf(text: string): string {
  try {
    parse(text)
  } catch (error) {
    if (error instanceof IdentityError && error.code === 'CONFIG_INVALID') return error.message
    throw error
  }
  throw new Error('was not refused')
}

test('what is not said has libpq’s defaults, the user being the account of the process', () => {
  expect(parse(' ')).toEqual({
    hosts: [{ host: 'localhost', port: 5432 }],
    user: 'me',
    password: undefined,
    database: 'me',
    applicationName: 'steeple',
    options: undefined,
    wants: 'any',
    connectTimeoutMs: 10_000,
    tls: { mode: 'require', roots: undefined, client: undefined },
  })
})

test.for([
  ['spaces around =', 'host = h  port= 1 user =u', 'h', 1, 'u', undefined],
  ['quotes', "user='a b' password='it\\'s' host=h port=1", 'h', 1, 'a b', "it's"],
  ['backslashes without quotes', 'user=a\\ b password=c\\\\d host=h port=1', 'h', 1, 'a b', 'c\\d'],
  ['= in a value', 'user=u password=a=b= host=h port=1', 'h', 1, 'u', 'a=b='],
  ['an empty value', "user=u password='' host=h port=1", 'h', 1, 'u', undefined],
  ['the last of a name', 'user=x host=h port=2 user=u port=1', 'h', 1, 'u', undefined],
  ['lines', 'user=u\n\thost=h\nport=1\n', 'h', 1, 'u', undefined],
  ['a URI', 'postgres://u:p@h:1/d', 'h', 1, 'u', 'p'],
  ['a URI of the longer name', 'postgresql://u@h:1/d', 'h', 1, 'u', undefined],
  ['% escapes', 'postgres://a%40b:p%2Fw%3A@h:1/d', 'h', 1, 'a@b', 'p/w:'],
  ['a colon in a password', 'postgres://u:p:w@h:1/d', 'h', 1, 'u', 'p:w'],
  ['a socket as host', 'postgres://u@%2Frun%2Fpg:1/d', '/run/pg', 1, 'u', undefined],
  ['a socket as setting', 'postgres://u@/d?host=/run/pg&port=1', '/run/pg', 1, 'u', undefined],
  ['an IPv6 address', 'postgres://u@[fd00::1]:1/d', 'fd00::1', 1, 'u', undefined],
] as const)('reads %s', ([, text, host, port, user, password]) => {
  expect(parse(text)).toMatchObject({ hosts: [{ host, port }], user, password })
})

test('several hosts are tried for the primary, with one port or one for each', () => {
  const hosts = [
    { host: 'a', port: 1 },
    { host: 'b', port: 2 },
  ]
  expect(parse('host=a,b port=1,2')).toMatchObject({ hosts, wants: 'primary' })
  expect(parse('postgres://u@a:1,b:2/d')).toMatchObject({ hosts, wants: 'primary' })
  expect(parse('host=a,b port=7').hosts.map(({ port }) => port)).toEqual([7, 7])
  expect(parse('host=a,b port=,2').hosts.map(({ port }) => port)).toEqual([5432, 2])
  expect(parse('host=a,b target_session_attrs=any')).toMatchObject({ wants: 'any' })
  expect(parse('host=a target_session_attrs=read-write')).toMatchObject({ wants: 'primary' })
})

test('reads the search path as the Go driver does, and libpq’s options', () => {
  expect(parse("search_path='a, b'").options).toBe('-c search_path=a,\\ b')
  expect(parse("options='-c geqo=off' search_path=a").options).toBe('-c geqo=off -c search_path=a')
  expect(parse('application_name=x fallback_application_name=y').applicationName).toBe('x')
  expect(parse('fallback_application_name=y').applicationName).toBe('y')
})

test.for([
  ['0', 10],
  ['1', 2],
  ['30', 30],
] as const)('connect_timeout=%s is %i seconds', ([written, seconds]) => {
  expect(parse(`connect_timeout=${written}`).connectTimeoutMs).toBe(seconds * 1000)
})

test('reads the files of TLS', () => {
  const { tls } = parse('sslmode=verify-full sslrootcert=/r sslcert=/c sslkey=/k host=h')
  expect(tls).toEqual({
    mode: 'verify-full',
    roots: { kind: 'pem', pem: `/r\n${ROOTS}` },
    client: { certificate: `/c\n${ROOTS}`, key: `/k\n${ROOTS}` },
  })
  expect(parse('sslmode=verify-full sslrootcert=system').tls.roots).toEqual({ kind: 'system' })
  expect(parse('postgres://u@h/d?ssl=true').tls.mode).toBe('require')
})

test.for([
  ['host=db sslmode=disable', /^sslmode=disable lets whoever is in between read and change/],
  ['host=db sslmode=allow', /^sslmode=allow lets whoever/],
  ['host=db sslmode=prefer', /^sslmode=prefer lets whoever/],
  ['host=db', /^sslmode=require without sslrootcert encrypts but does not verify/],
  ['host=/run/pg,db sslmode=disable', /^sslmode=disable lets whoever/],
] as const)('warns of %s', ([text, warning]) => {
  parse(text)
  expect(warnings).toEqual([expect.stringMatching(warning)])
})

test.for([
  'host=/run/pg',
  'host=localhost sslmode=disable',
  'host=127.0.0.1,::1 sslmode=prefer',
  'host=db sslrootcert=/r',
  'host=db sslmode=verify-ca sslrootcert=/r',
])('has nothing to warn of in %s', (text) => {
  parse(text)
  expect(warnings).toEqual([])
})

test.for([
  ['a word without =', 'user=u s3cr3t', 'cannot be read after its setting number 1'],
  ['a quote that is not closed', "user=u password='s3cr3t", 'cannot be read after'],
  ['text behind a quote', "password='s3'cr3t user=u", 'cannot be read after its setting number 0'],
  ['a quote within a value', "user=u password=s3c'r3t x=1", 'has an unknown setting'],
  ['no name', '=s3cr3t', 'cannot be read after its setting number 0'],
  [
    'a setting that is not offered',
    'hostaddr=1.2.3.4',
    'has the setting hostaddr, which is not offered',
  ],
  ['a service file', 'service=s3cr3t', 'has the setting service, which is not offered'],
  ['an unknown setting', 'user=u password=my s3cr3t=1', 'unknown setting, the one with number 3'],
  ['an unknown sslmode', 'sslmode=no-verify', 'sslmode to another value than disable, allow'],
  ['a sslmode in capitals', 'sslmode=REQUIRE', 'sslmode to another value'],
  ['verification without roots', 'sslmode=verify-full', 'sslmode=verify-full without roots'],
  ['verification of the CA without roots', 'sslmode=verify-ca', 'sslmode=verify-ca without roots'],
  [
    'everybody’s CAs without the name',
    'sslmode=verify-ca sslrootcert=system',
    'sslrootcert=system without sslmode=verify-full',
  ],
  ['roots that are none', 'sslrootcert=/x.txt', 'a sslrootcert without certificates'],
  ['a certificate without key', 'sslcert=/c', 'one of sslcert and sslkey'],
  ['a key without certificate', 'sslkey=/k', 'one of sslcert and sslkey'],
  ['another encoding', 'client_encoding=latin1', 'client_encoding to another value than UTF8'],
  ['port 0', 'port=0', 'a port that is none'],
  ['a port too high', 'port=65536', 'a port that is none'],
  ['a port that is a name', 'port=s3cr3t', 'a port that is none'],
  ['more ports than hosts', 'host=a,b port=1,2,3', '3 ports for 2 hosts'],
  ['too many hosts', `host=${'a,'.repeat(16)}a`, 'more than 16 hosts'],
  ['too many settings', 'a=1 '.repeat(101), 'more than 100 settings'],
  ['standbys', 'target_session_attrs=standby', 'target_session_attrs to another value'],
  ['a long connect_timeout', 'connect_timeout=601', 'connect_timeout to no number of seconds'],
  ['a negative connect_timeout', 'connect_timeout=-1', 'connect_timeout to no number of seconds'],
  ['a zero byte', 'user=a\0b', 'has a zero byte'],
  ['an @ in the password of a URI', 'postgres://u:s3@cr3t@h/d', 'is no URI'],
  ['a fragment', 'postgres://u:s3cr3t@h/d#x', 'is no URI'],
  ['an open bracket', 'postgres://u@[fd00::1/d', 'has a host that is no name'],
  ['an address without brackets', 'postgres://u@fd00::1/d', 'has a host that is no name'],
  ['a wrong % escape', 'postgres://u:s3cr3t%zz@h/d', 'has a wrong % escape'],
  ['a setting without = in a URI', 'postgres://u@h/d?s3cr3t', 'a setting without = behind its ?'],
  ['an unknown setting in a URI', 'postgres://u@h/d?s3cr3t=1', 'has an unknown setting'],
] as const)('refuses %s, and shows nothing of it', ([, text, why]) => {
  const refusal = refusalOf(text)
  expect(refusal).toContain(`connection_string `)
  expect(refusal).toContain(why)
  expect(refusal).not.toContain('cr3t')
})

test('refuses to guess a user for an account without a name', () => {
  expect(() => parse('host=h', '')).toThrow(/names no user/)
})

const quoted = (text: string) => `'${text.replace(/(['\\])/g, '\\$1')}'`
const value = fc.string({ unit: 'binary', minLength: 1 }).filter((text) => !text.includes('\0'))

test('whatever a user, password and database are, both forms carry them', () => {
  fc.assert(
    fc.property(value, value, value, (user, password, database) => {
      const pairs = `user=${quoted(user)} password=${quoted(password)} dbname=${quoted(database)}`
      expect(parse(pairs)).toMatchObject({ user, password, database })
      const [u, p, d] = [user, password, database].map(encodeURIComponent)
      expect(parse(`postgres://${u}:${p}@h/${d}`)).toMatchObject({ user, password, database })
    }),
  )
})

test('any text is read or refused with a reason, and quickly', () => {
  const words = fc.constantFrom(
    'user',
    'password',
    '=',
    ' ',
    "'",
    '\\',
    'host',
    '@',
    ':',
    '/',
    '%',
    '?',
    'postgres://',
    ',',
    '[',
    ']',
    'a',
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(words, { maxLength: 40 }).map((list) => list.join('')),
      ),
      (text) => {
        try {
          expect(parse(text).hosts.length).toBeGreaterThan(0)
        } catch (error) {
          expect(error).toMatchObject({ code: 'CONFIG_INVALID' })
        }
      },
    ),
  )
})
