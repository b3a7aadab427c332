import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ServiceDefinition } from '@grpc/grpc-js'
import { expect, test } from 'vitest'
import { METHODS } from '../../proto/gen/methods.ts'
import { definitionsOf } from '../../proto/load.ts'
import { methodsTable } from '../../proto/methods-table.ts'
import { offeredService } from '../../proto/offered-service.ts'

test('the table of methods is what the .proto files say: npm run proto writes it', () => {
  const path = join(import.meta.dirname, '..', '..', 'proto', 'gen', 'methods.ts')
  expect(readFileSync(path, 'utf8')).toBe(methodsTable())
})

test('a service is offered with every path and stream that its .proto file defines', () => {
  const name = 'spire.api.server.agent.v1.Agent'
  const offered = offeredService('agent', name)
  // Cast: under the name of a service stands a service.
  const defined = definitionsOf('agent')[name] as ServiceDefinition
  expect(Object.keys(offered)).toEqual(Object.keys(METHODS[name]))
  for (const [method, { path, requestStream, responseStream }] of Object.entries(defined)) {
    expect(offered[method]).toMatchObject({ path, requestStream, responseStream })
  }
})

test('what is offered reads and writes the same bytes as what the .proto file defines', () => {
  const name = 'spire.api.server.entry.v1.Entry'
  const offered = offeredService('entry', name).GetEntry
  // Cast: as above.
  const defined = (definitionsOf('entry')[name] as ServiceDefinition).GetEntry
  const request = { id: 'a', output_mask: { spiffe_id: true } }
  const bytes = defined?.requestSerialize(request)
  expect(bytes?.length).toBeGreaterThan(2)
  expect(offered?.requestSerialize(request)).toEqual(bytes)
  expect(offered?.requestDeserialize(bytes ?? Buffer.alloc(0))).toMatchObject(request)
  const answer = { id: 'a', hint: 'h' }
  const sent = offered?.responseSerialize(answer) ?? Buffer.alloc(0)
  expect(sent).toEqual(defined?.responseSerialize(answer))
  expect(offered?.responseDeserialize(sent)).toMatchObject(answer)
})

test('bytes that are no message are refused as by the definition itself', () => {
  const offered = offeredService('entry', 'spire.api.server.entry.v1.Entry').GetEntry
  expect(() => offered?.requestDeserialize(Buffer.from([0x0a, 0xff]))).toThrow()
})

test('a service that its file does not define is a bug that the first call tells', () => {
  const offered = offeredService('health', 'spire.api.server.entry.v1.Entry').GetEntry
  expect(() => offered?.requestDeserialize(Buffer.alloc(0))).toThrow()
})
