import { mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ruleId } from '../../../policy/rule-set.ts'
import { denialReason } from '../../../proxy/telemetry/access-lines.ts'
import { openAccessLog } from '../../../proxy/telemetry/access-log.ts'
import { memoryLog } from '../../fakes/memory-log.ts'

const { log } = memoryLog()

function directory() {
  const dir = mkdtempSync(join(tmpdir(), 'steeple-access-'))
  return { dir, [Symbol.dispose]: () => rmSync(dir, { recursive: true }) }
}

test('lines are written in order, and a file that was moved away is opened anew', async () => {
  using at = directory()
  const path = join(at.dir, 'access.log')
  const access = await openAccessLog(path, log)
  for (let n = 0; n < 1_000; n += 1) access.write({ n, text: '"\n' })
  await expect.poll(() => readFileSync(path, 'utf8').split('\n').length).toBe(1_001)
  expect(JSON.parse(readFileSync(path, 'utf8').split('\n')[999] ?? '')).toEqual({
    n: 999,
    text: '"\n',
  })
  expect(statSync(path).mode & 0o777).toBe(0o640)
  renameSync(path, `${path}.1`)
  await access.reopen()
  access.write({ n: 'after' })
  await access[Symbol.asyncDispose]()
  expect(readFileSync(path, 'utf8')).toBe('{"n":"after"}\n')
})

test('more than can wait is dropped and counted, and traffic goes on', async () => {
  using at = directory()
  const access = await openAccessLog(join(at.dir, 'access.log'), log)
  const text = 'x'.repeat(1024 * 1024)
  for (let n = 0; n < 10; n += 1) access.write({ text })
  expect(access.dropped).toBe(6)
  await access[Symbol.asyncDispose]()
})

test('a file that cannot be opened refuses to begin', async () => {
  await expect(openAccessLog('/nowhere/access.log', log)).rejects.toThrow(
    /choose another access_log/,
  )
})

test('a denial names its rule as Envoy does, or says that nothing allowed', () => {
  const by = { namespace: 'shop', policy: 'nobody', rule: 1 }
  const shadow = { allow: undefined, deny: undefined }
  const deny = { kind: 'deny', by, audited: [], shadow } as const
  expect(ruleId(by)).toBe('ns[shop]-policy[nobody]-rule[1]')
  expect(denialReason({ ...deny, why: 'deny-rule' })).toContain(ruleId(by))
  expect(denialReason({ ...deny, why: 'provider-missing' })).toMatch(/not configured/)
  expect(denialReason({ ...deny, why: 'no-allow-matched', by: undefined })).toMatch(/none allowed/)
})
