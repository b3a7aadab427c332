import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parsePostgresTarget } from '../../../../server/config/postgres-target.ts'
import { openClient } from '../../../../server/store/postgres/open-client.ts'
import type { PostgresTarget } from '../../../../server/store/postgres/postgres-config.ts'
import { systemClock } from '../../../../spiffe/clock.ts'
import { IdentityError } from '../../../../spiffe/error.ts'
import { toPem } from '../../../../spiffe/x509/pem.ts'
import { testCa } from '../../../fakes/ca.ts'
import type { CertificateFields, MadeCertificate } from '../../../fakes/certificate.ts'
import { freePort } from '../../../processes/free-port.ts'
import { lackingPostgres, type Postgres, startPostgres } from '../../../processes/postgres.ts'

const DAY_MS = 86_400_000
const PASSWORD = "it's s3cr3t"

const files = new Map<string, string>()
let secure: Postgres
let plain: Postgres
let plainPort: number

async function makeFiles() {
  const now = systemClock.now().getTime()
  const times: CertificateFields = {
    notBefore: new Date(now - DAY_MS),
    notAfter: new Date(now + DAY_MS),
  }
  const keep = (name: string, { certificate, key }: MadeCertificate) => {
    files.set(`${name}.crt`, toPem('CERTIFICATE', certificate))
    files.set(`${name}.key`, key.export({ format: 'pem', type: 'pkcs8' }).toString())
  }
  const [ours, others] = [await testCa(times), await testCa(times)]
  keep('ours', ours)
  keep('others', others)
  keep('server', await ours.leaf('/db', { ...times, dnsNames: ['localhost'] }))
  keep('client', await ours.leaf('/c', { ...times, subject: 'CN=steeple' }))
  keep('stranger', await others.leaf('/c', { ...times, subject: 'CN=steeple' }))
}

const file = (name: string) => files.get(name) ?? ''

const parse = (text: string): PostgresTarget =>
  parsePostgresTarget({ text, account: 'me', readText: file, onWarning: () => {} })

/** @returns whether the connection that came about is encrypted */
async function isEncrypted(text: string): Promise<boolean> {
  const { client } = await openClient(parse(text), 'work')
  try {
    const { rows } = await client.query<{ ssl: boolean }>(
      'select ssl from pg_stat_ssl where pid = pg_backend_pid()',
    )
    return rows[0]?.ssl === true
  } finally {
    await client.end()
  }
}

async function refusalOf(text: string): Promise<string> {
  try {
    await isEncrypted(text)
  } catch (error) {
    if (!(error instanceof IdentityError) || error.code !== 'UNAVAILABLE') throw error
    expect(JSON.stringify(error.message)).not.toContain('s3cr3t')
    return error.message
  }
  throw new Error('it was let in')
}

if (lackingPostgres !== undefined) {
  process.stderr.write(`SKIPPED connecting to PostgreSQL: ${lackingPostgres}\n`)
}

describe.skipIf(lackingPostgres !== undefined)('connecting to PostgreSQL', () => {
  beforeAll(async () => {
    await makeFiles()
    plainPort = await freePort()
    const start = [
      startPostgres({
        port: await freePort(),
        tls: {
          certificate: file('server.crt'),
          key: file('server.key'),
          clientRoots: file('ours.crt'),
        },
        hba: [
          'hostssl certified all 127.0.0.1/32 cert',
          'hostssl encrypted all 127.0.0.1/32 trust',
          'host encrypted all 127.0.0.1/32 reject',
          'hostnossl clear all 127.0.0.1/32 trust',
          'host clear all 127.0.0.1/32 reject',
          'host postgres keyed 127.0.0.1/32 scram-sha-256',
          'host postgres nobody 127.0.0.1/32 reject',
        ],
      }),
      startPostgres({
        port: plainPort,
        settings: ['max_connections=5', 'superuser_reserved_connections=1'],
      }),
    ] as const
    ;[secure, plain] = await Promise.all(start)
    for (const name of ['certified', 'encrypted', 'clear']) await secure.createDatabase(name)
    await secure.sql(`create role keyed login password '${PASSWORD.replace("'", "''")}'`)
  })
  afterAll(async () => {
    await Promise.all([secure[Symbol.asyncDispose](), plain[Symbol.asyncDispose]()])
  })

  const at = (rest: string, host = 'localhost') =>
    `host=${host} port=${secure.port} user=steeple dbname=postgres ${rest}`
  const plainAt = (rest: string) =>
    `host=127.0.0.1 port=${plainPort} user=steeple dbname=postgres ${rest}`

  test.for([
    ['disable', false],
    ['allow', false],
    ['prefer', true],
    ['require', true],
    ['require sslrootcert=ours.crt', true],
    ['verify-ca sslrootcert=ours.crt', true],
    ['verify-full sslrootcert=ours.crt', true],
    // Without roots to verify by, any certificate will do.
    ['prefer sslrootcert=others.crt', true],
  ] as const)('sslmode=%s is let in, encrypted: %s', async ([mode, encrypted]) => {
    expect(await isEncrypted(at(`sslmode=${mode}`))).toBe(encrypted)
  })

  test('verify-ca does not look at the name, verify-full does', async () => {
    const roots = 'sslrootcert=ours.crt'
    expect(await isEncrypted(at(`sslmode=verify-ca ${roots}`, '127.0.0.1'))).toBe(true)
    expect(await refusalOf(at(`sslmode=verify-full ${roots}`, '127.0.0.1'))).toMatch(
      /TLS: .*127\.0\.0\.1.*compare its certificate with sslrootcert and host/,
    )
  })

  test.for(['require', 'verify-ca', 'verify-full'])(
    'sslmode=%s refuses a database whose certificate leads to no root that was named',
    async (mode) => {
      expect(await refusalOf(at(`sslmode=${mode} sslrootcert=others.crt`))).toMatch(
        /TLS: .*compare its certificate with sslrootcert and host/,
      )
    },
  )

  test('the machine’s own roots do not vouch for a private database', async () => {
    expect(await refusalOf(at('sslmode=verify-full sslrootcert=system'))).toMatch(/TLS: /)
  })

  test.for(['require', 'verify-ca sslrootcert=ours.crt', 'verify-full sslrootcert=ours.crt'])(
    'sslmode=%s never goes on without TLS',
    async (mode) => {
      expect(await refusalOf(plainAt(`sslmode=${mode}`))).toMatch(
        /it offers no TLS; turn it on there \(ssl = on\)/,
      )
    },
  )

  test('where there is no TLS, prefer and allow go on without', async () => {
    expect(await isEncrypted(plainAt('sslmode=prefer'))).toBe(false)
    expect(await isEncrypted(plainAt('sslmode=allow'))).toBe(false)
  })

  test('allow and prefer try the other way when the database refuses one', async () => {
    expect(await isEncrypted(at('dbname=encrypted sslmode=allow'))).toBe(true)
    expect(await isEncrypted(at('dbname=clear sslmode=prefer'))).toBe(false)
    expect(await refusalOf(at('dbname=encrypted sslmode=disable'))).toMatch(/28000/)
    expect(await refusalOf(at('dbname=clear sslmode=require'))).toMatch(/28000/)
  })

  test('a certificate of this end lets it in where one is asked for, unless it is a stranger’s', async () => {
    const own = 'sslmode=require sslcert=client.crt sslkey=client.key'
    expect(await isEncrypted(at(`dbname=certified ${own}`))).toBe(true)
    await refusalOf(at('dbname=certified sslmode=require'))
    await refusalOf(at('dbname=certified sslmode=require sslcert=stranger.crt sslkey=stranger.key'))
  })

  test('over a socket there is no TLS, whatever the mode', async () => {
    expect(await isEncrypted(at('sslmode=require', secure.directory))).toBe(false)
  })

  test('a password lets in, and a wrong one, none, or an unknown user is told without showing it', async () => {
    const right = `password='${PASSWORD.replace("'", "\\'")}'`
    expect(await isEncrypted(at(`user=keyed ${right}`))).toBe(true)
    expect(await refusalOf(at('user=keyed password=s3cr3t'))).toMatch(
      /password authentication failed for user "keyed" \(28P01\); put the right user and password into connection_string/,
    )
    expect(await refusalOf(at('user=keyed'))).toMatch(/asks for a password and none was given/)
    expect(await refusalOf(at('user=nobody password=s3cr3t'))).toMatch(
      /\(28000\); look at the user/,
    )
  })

  test.for([
    ['a port where nothing listens', 'port=1', /nothing listens there: start PostgreSQL/],
    ['a socket that is not there', 'host=/nowhere', /no such socket: start PostgreSQL/],
    ['a name that is unknown', 'host=nowhere.invalid', /correct host|look at DNS/],
    ['a database that does not exist', 'dbname=nowhere', /\(3D000\); create it, or name another/],
    ['a user that does not exist', 'user=nowhere', /\(28000\); look at the user/],
  ] as const)('tells what is wrong with %s, and what to do', async ([, rest, why]) => {
    expect(await refusalOf(plainAt(`sslmode=disable password=s3cr3t ${rest}`))).toMatch(why)
  })

  test('tells that there are too many connections', async () => {
    await plain.sql('create role many login')
    const text = plainAt('sslmode=disable user=many')
    const open = []
    for (let n = 0; n < 4; n++) open.push(await openClient(parse(text), 'work'))
    expect(await refusalOf(text)).toMatch(/\(53300\); raise max_connections of the database/)
    await Promise.all(open.map(({ client }) => client.end()))
  })

  test('of several hosts the first that is there is taken', async () => {
    const text = `host=127.0.0.1,/nowhere,${plain.directory} port=1,1,${plainPort} user=steeple sslmode=disable dbname=postgres`
    expect(await isEncrypted(text)).toBe(false)
  })

  test('a database that only reads is told as such when it is written to', async () => {
    await plain.sql('create database readonly')
    await plain.sql('alter database readonly set default_transaction_read_only = on')
    const text = plainAt('sslmode=disable dbname=readonly')
    const { client } = await openClient(parse(text), 'work')
    await expect(client.query('create table t (n int)')).rejects.toMatchObject({ code: '25006' })
    await client.end()
  })
})
