/** The authorities of a server, as an operator handles them with `spire-server localauthority`. */
import { expect } from 'vitest'
import type { Server } from '../../processes/cluster.ts'
import { fail, succeed, told } from './cell.ts'

export type Part = 'x509' | 'jwt'
type Role = 'active' | 'prepared' | 'old'

const command = (part: Part, verb: string) => ['localauthority', part, verb]
const on = (part: Part, verb: string, id: string) => [...command(part, verb), '-authorityID', id]

/** ID of the authority in a role; undefined: there is none. */
export async function authorityIn(
  server: Server,
  part: Part,
  role: Role,
): Promise<string | undefined> {
  return (await told(server, ...command(part, 'show')))[role]?.authority_id
}

/**
 * Lets another authority sign, and taints the one before. On the way, whatever is out of turn is refused: the active
 * one is spared, one that nobody knows is not found, and nothing is revoked before it is tainted.
 */
export async function replaceActive(
  server: Server,
  part: Part,
): Promise<{ readonly old: string; readonly next: string }> {
  const old = (await authorityIn(server, part, 'active')) ?? expect.unreachable()
  await fail(server, 'unexpected authority ID', ...on(part, 'activate', 'nobody'))
  await succeed(server, ...command(part, 'prepare'))
  const next = (await authorityIn(server, part, 'prepared')) ?? expect.unreachable()
  await fail(server, 'unable to taint current local authority', ...on(part, 'taint', old))
  await fail(server, 'unable to use current authority', ...on(part, 'revoke', old))
  await fail(server, 'unexpected authority ID', ...on(part, 'activate', 'nobody'))
  await fail(server, 'only Old local authorities can be tainted', ...on(part, 'taint', next))
  await succeed(server, ...on(part, 'activate', next))
  expect(await authorityIn(server, part, 'active')).toBe(next)
  expect(await authorityIn(server, part, 'old')).toBe(old)
  await fail(server, 'it is not possible to revoke an untainted', ...on(part, 'revoke', old))
  await succeed(server, ...on(part, 'taint', old))
  await fail(server, /already tainted/, ...on(part, 'taint', old))
  return { old, next }
}

/** Revokes a tainted authority, for good. */
export async function revoke(server: Server, part: Part, id: string): Promise<void> {
  await succeed(server, ...on(part, 'revoke', id))
  await fail(server, `could not revoke`, ...on(part, 'revoke', id))
}

/** Key IDs of a part of the bundle, as the server publishes it. */
export async function published(server: Server): Promise<{
  readonly x509: number
  readonly jwt: readonly string[]
}> {
  const { keys } = JSON.parse(await succeed(server, 'bundle', 'show', '-format', 'spiffe'))
  // Cast: a SPIFFE bundle document.
  const all = keys as readonly { readonly use: string; readonly kid?: string }[]
  return {
    x509: all.filter(({ use }) => use === 'x509-svid').length,
    jwt: all.flatMap(({ use, kid }) => (use === 'jwt-svid' && kid !== undefined ? [kid] : [])),
  }
}
