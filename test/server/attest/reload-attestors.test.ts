import { expect, test } from 'vitest'
import { parseAgentPathTemplate } from '../../../server/attest/agent-path-template.ts'
import type { NodeAttestor } from '../../../server/attest/node-attestor.ts'
import { reloadAttestors, reloaded } from '../../../server/attest/reload-attestors.ts'
import type { NodeAttestorConfig, ServerConfig } from '../../../server/config.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { memoryLog } from '../../fakes/memory-log.ts'

const pop = (caBundle: string): NodeAttestorConfig => ({
  kind: 'x509pop',
  trust: { mode: 'external_pki', caBundle },
  pathTemplate: parseAgentPathTemplate('/{{ .Fingerprint }}'),
  maxIntermediates: 4,
  maxRsaBits: 8192,
  verifyClientIp: false,
})
const joinToken: NodeAttestorConfig = { kind: 'join_token' }

function setUp(attestorsInFiles: readonly string[]) {
  const { log, lines } = memoryLog()
  const opened: (readonly NodeAttestorConfig[])[] = []
  const state = { reread: [joinToken, pop('second')], refusal: undefined as unknown }
  let tell = () => {}
  const attestors = reloadAttestors(
    { nodeAttestors: [joinToken, pop('first')], attestorsInFiles },
    {
      open(configs) {
        if (state.refusal !== undefined) throw state.refusal
        opened.push(configs)
        // Cast: it is only looked at, never asked to attest.
        const attestor = { type: `x509pop ${opened.length}` } as NodeAttestor
        return new Map([['x509pop', attestor]])
      },
      reload: {
        onReload: (listener) => {
          tell = listener
        },
        // Cast: nothing else of it is read.
        reread: () => ({ nodeAttestors: state.reread }) as unknown as ServerConfig,
      },
      log,
    },
  )
  return { attestors, opened, lines, state, tell: () => tell() }
}

test('a reload takes over what is in a file of its own, for attestations from then on', () => {
  const { attestors, opened, lines, tell } = setUp(['x509pop'])
  expect(attestors.get('x509pop')?.type).toBe('x509pop 1')
  tell()
  expect(opened).toEqual([
    [joinToken, pop('first')],
    [joinToken, pop('second')],
  ])
  expect(attestors.get('x509pop')?.type).toBe('x509pop 2')
  expect(lines.at(-1)?.msg).toMatch(/^Reloaded/)
})

test('what stands in server.conf itself stays as it was, as in SPIRE', () => {
  const { attestors, opened, tell } = setUp([])
  tell()
  expect(opened).toHaveLength(1)
  expect(attestors.get('x509pop')?.type).toBe('x509pop 1')
  expect(reloaded([pop('a')], [joinToken], ['x509pop'])).toEqual([pop('a')])
})

test('what cannot be opened changes nothing, and the log says why', () => {
  const { attestors, lines, state, tell } = setUp(['x509pop'])
  state.refusal = new IdentityError('CONFIG_INVALID', 'no such file')
  tell()
  expect(attestors.get('x509pop')?.type).toBe('x509pop 1')
  expect(lines.at(-1)).toMatchObject({ level: 'error', err: { message: 'no such file' } })
})
