/** Authorities by command: prepared, activated, tainted and revoked at a real server. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { failed, type Operator, openOperator, printed } from './operator.ts'

let operator: Operator
beforeAll(async () => {
  operator = await openOperator()
})
afterAll(async () => await operator[Symbol.asyncDispose]())
const steeple: Operator['steeple'] = (...command) => operator.steeple(...command)

const KINDS = [
  ['x509', 'X.509', '  Upstream authority ID: No upstream authority\n'],
  ['jwt', 'JWT', ''],
] as const

test.for(KINDS)('the %s authority is replaced step by step', async ([word, kind, upstream]) => {
  const ids = async () =>
    JSON.parse(
      (await steeple(`localauthority ${word} show -output json`)).out.replace(/UNIX/g, '0'),
    )
  const one = (id: string, time = 'TIME') =>
    `  Authority ID: ${id}\n  Expires at: ${time}\n${upstream}`
  const none = (role: string) => `  No ${role} ${kind} authority found\n`
  const first = (await ids()).active.authority_id
  expect(await steeple(`localauthority ${word} show`)).toEqual(
    printed(
      `Active ${kind} authority:\n${one(first)}\nPrepared ${kind} authority:\n${none('prepared')}\n` +
        `Old ${kind} authority:\n${none('old')}`,
    ),
  )
  const prepared = await steeple(`localauthority ${word} prepare`)
  const second = (await ids()).prepared.authority_id
  expect(prepared).toEqual(printed(`Prepared ${kind} authority:\n${one(second)}`))
  expect(await steeple(`localauthority ${word} activate -authorityID ${second}`)).toEqual(
    printed(`Activated ${kind} authority:\n${one(second)}`),
  )
  expect(await ids()).toMatchObject({
    active: { authority_id: second },
    old: { authority_id: first },
  })
  const tainted = await steeple(`localauthority ${word} taint -authorityID ${first} -output json`)
  expect(JSON.parse(tainted.out).tainted_authority.authority_id).toBe(first)
  expect(await steeple(`localauthority ${word} revoke -authorityID ${first}`)).toEqual(
    printed(`Revoked ${kind} authority:\n${one(first)}`),
  )
})

for (const [word, kind] of KINDS) {
  test.for(['activate', 'taint', 'revoke'])(
    `localauthority ${word} %s wants to be told which`,
    async (verb) => {
      expect(await steeple(`localauthority ${word} ${verb}`)).toEqual(
        failed('an authority ID is required'),
      )
    },
  )

  test.for(['activate', 'taint'])(
    `localauthority ${word} %s refuses an unknown ID`,
    async (verb) => {
      expect(await steeple(`localauthority ${word} ${verb} -authorityID nobody`)).toEqual(
        failed(
          `could not ${verb} ${kind} authority: rpc error: code = InvalidArgument desc = unexpected authority ID`,
        ),
      )
    },
  )
}

test.for(['taint', 'revoke'])(
  'upstreamauthority %s needs an upstream and a key ID',
  async (verb) => {
    expect(await steeple(`upstreamauthority ${verb}`)).toEqual(
      failed('the Subject Key ID of the X.509 upstream authority is required'),
    )
    expect(await steeple(`upstreamauthority ${verb} -subjectKeyID abc`)).toEqual(
      failed(
        `could not ${verb} X.509 upstream authority: rpc error: code = FailedPrecondition desc = upstream authority is not configured`,
      ),
    )
  },
)
